"""Pictures of another size in mid-stream, pictures that are none, and a source that is not there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from posewire import camera, plugins
from posewire.data import Detections, Frame
from posewire.errors import SourceError
from posewire.lift import LiftStage
from posewire.methods import MethodCard
from posewire.pipeline import Pipeline, open_pipeline
from posewire.plugins import BrokenPlugin
from posewire.settings import Settings

JOINTS = ("left_hip", "right_hip")
HIPS = Detections(np.array([[[20.0, 20.0], [30.0, 20.0]]]), np.full((1, 2), 0.9), np.array([[15.0, 5.0, 40.0, 45.0]]))


class Film:
    """A source of black pictures of these shapes."""

    frame_count = None

    def __init__(self, *shapes: tuple[int, ...], live: bool = False) -> None:
        self.shapes, self.live = shapes, live

    def __iter__(self) -> Iterator[Frame]:
        for index, shape in enumerate(self.shapes):
            yield Frame(np.zeros(shape, np.uint8), index / 30, index, camera.assumed(shape[1], shape[0]))

    def close(self) -> None: ...


class Sees:
    """A method that sees the same person in every picture and writes down what it was told."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def estimate(self, frame: Frame) -> Detections:
        self.told.append(frame.size_px[0])
        return HIPS

    def reset(self) -> None:
        self.told.append("forget")

    def close(self) -> None: ...


def pipeline(film: Film, method: Sees, lift: LiftStage | None = None) -> Pipeline:
    card = MethodCard("sees", "estimator", JOINTS, False, "none", "sees one person", lambda _: method)
    return Pipeline(film, card, method, Settings(), lift)


SMALL, LARGE = (48, 64, 3), (96, 128, 3)


@pytest.mark.parametrize("live", [False, True])
def test_pictures_of_another_size_let_the_method_forget_the_old_pixels(live: bool) -> None:
    method = Sees()
    with pipeline(Film(SMALL, SMALL, LARGE, LARGE, SMALL, live=live), method) as running:
        assert len(list(running)) == 5
    assert method.told == [64, 64, "forget", 128, 128, "forget", 64]


def test_a_lifter_is_not_shown_a_history_in_pixels_of_another_size() -> None:
    shown: list[int] = []

    def lift(window_px: Any, *_: Any) -> Any:
        shown.append(len(window_px))
        return np.zeros((len(JOINTS), 3))

    lifter: Any = SimpleNamespace(receptive_field=9, lift=lift, close=lambda: None)
    card = MethodCard("lifts", "lifter", JOINTS, False, "none", "counts rows", lambda _: lifter)
    with pipeline(Film(SMALL, SMALL, SMALL, LARGE, LARGE), Sees(), LiftStage(lifter, card, JOINTS)) as running:
        list(running)
    assert shown == [1, 2, 3, 1, 2]


def test_a_picture_that_no_method_takes_is_said_after_the_frames_before_it() -> None:
    seen: list[int] = []
    grey = r"frame 2 cannot be used(.|\n)*\(48, 64\) of uint8"
    with pipeline(Film(SMALL, SMALL, (48, 64)), Sees()) as running, pytest.raises(SourceError, match=grey):
        for instant in running:
            seen.append(instant.frame.index)
    assert seen == [0, 1]


def test_a_source_that_is_not_there_may_be_one_of_a_broken_plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = (BrokenPlugin("deck", "posewire-deck", "No module named 'deck'"),)
    registry = replace(plugins.load(), broken=broken)
    monkeypatch.setattr(plugins, "load", lambda: registry)
    with pytest.raises(SourceError, match=r"not there(.|\n)*broken: deck; `posewire methods` says why"):
        open_pipeline("deck:1")
