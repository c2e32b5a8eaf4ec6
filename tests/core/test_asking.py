"""An open method is held to its card, and is shown only what is a picture."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from posewire import camera
from posewire.asking import estimate
from posewire.data import Detections, Frame
from posewire.errors import PluginError, SourceError
from posewire.methods import MethodCard

JOINTS = ("left_hip", "right_hip")
VIEW = camera.assumed(64, 48)
POINTS_PX = np.full((1, 2, 2), 9.0)
POINTS_M = np.full((1, 2, 3), 0.2)
BLACK = np.zeros((48, 64, 3), np.uint8)


class Says:
    """A method with one answer for everything."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def estimate(self, frame: Frame) -> Any:
        return self.answer

    def reset(self) -> None: ...

    def close(self) -> None: ...


def ask(answer: Any, picture: Any = BLACK) -> Detections:
    method = Says(answer)
    card = MethodCard("says", "estimator", JOINTS, False, "none", "says one thing", lambda _: method)
    return estimate(method, card, Frame(picture, 0.0, 7, VIEW))


def answer(confidence: float = 0.5, x_px: float = 9.0, x_m: float = 0.2) -> Detections:
    """One person whose second joint is as it is told."""
    points_px, points_m = POINTS_PX.copy(), POINTS_M.copy()
    points_px[0, 1, 0], points_m[0, 1, 0] = x_px, x_m
    return Detections(points_px, np.array([[0.5, confidence]]), np.array([[0.0, 0, 20, 20]]), points_m)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"confidence": 7.5}, r"confidence 0\.5 to 7\.5"),
        ({"confidence": -0.1}, r"confidence -0\.1 to 0\.5"),
        ({"confidence": np.nan}, "confidence nan"),
        ({"x_px": np.inf}, "infinity in keypoints_px"),
        ({"x_m": -np.inf}, "infinity in keypoints_m"),
    ],
)
def test_numbers_that_nobody_could_be_followed_by_are_the_methods_mistake(wrong: dict[str, float], said: str) -> None:
    with pytest.raises(PluginError, match=rf"'says' failed on frame 7(.|\n)*{said}(.|\n)*posewire\.testing"):
        ask(answer(**wrong))


@pytest.mark.parametrize(
    "fine", [{"confidence": 0.0, "x_px": np.nan}, {"x_m": np.nan}, {"confidence": float(np.float32(1 + 1e-7))}]
)
def test_unseen_and_unknown_and_rounded_numbers_pass(fine: dict[str, float]) -> None:
    assert ask(answer(**fine)).people == 1
    assert ask(Detections.nobody(2, with_3d=True)).people == 0


@pytest.mark.parametrize(
    ("picture", "said"),
    [
        (BLACK[..., 0], r"\(48, 64\) of uint8"),
        (np.dstack([BLACK, BLACK[..., :1]]), r"\(48, 64, 4\) of uint8"),
        (BLACK.astype(np.uint16), r"\(48, 64, 3\) of uint16"),
        (BLACK / 255, r"\(48, 64, 3\) of float64"),
        (BLACK[:0], r"\(0, 64, 3\) of uint8"),
        (BLACK.tolist(), "a list"),
    ],
)
def test_a_picture_of_another_kind_is_not_the_methods_mistake(picture: Any, said: str) -> None:
    with pytest.raises(SourceError, match=rf"picture of frame 7 cannot be used(.|\n)*{said}(.|\n)*uint8: RGB"):
        ask(Detections.nobody(2), picture)
