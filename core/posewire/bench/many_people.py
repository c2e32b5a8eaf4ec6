"""many_people: time a picture of xnect, which sees everybody at once, with 1, 2, 5 and 10 people; the peer looks at each in turn.

The people are cut-outs of the bundled clip, all of one size, side by side in pictures of one size. Each row's note says what that
many people cost beside one, for both, and how many of them were seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import NamedTuple

import cv2
import numpy as np

from posewire import camera
from posewire.bench.clip import bundled_frames
from posewire.bench.row import BenchRow, Peers
from posewire.data import FloatArray, Frame, ImageArray
from posewire.pipeline import open_estimator
from posewire.settings import Settings

COUNTS = (1, 2, 5, 10)
PEER = "blazepose"

_FRAMES, _WARM_UP = 30, 6
_WIDTH_PX, _HEIGHT_PX = 1280, 720
_COLUMNS, _ROWS = 5, 2
_GROW = 0.2
"""Of the person's box, to each side."""
_GREY = 127


class Seen(NamedTuple):
    """One method on pictures with so many people."""

    ms: float
    """Median time a picture."""
    people: int
    """Median number of people told of."""


def run(peers: Peers) -> list[BenchRow]:
    """One row for each number of people."""
    cuts = cut_outs(bundled_frames(_FRAMES))
    films = {count: composed(cuts, count) for count in COUNTS}
    ours, theirs = (_seen(method, films) for method in ("xnect", PEER))
    return [row(count, ours, theirs) for count in COUNTS]


def row(count: int, ours: dict[int, Seen], theirs: dict[int, Seen]) -> BenchRow:
    """The row of so many people."""
    growth = [side[count].ms / side[COUNTS[0]].ms for side in (ours, theirs)]
    note = (
        f"{growth[0]:.2f} x the cost of one person, {PEER} {growth[1]:.2f} x; "
        f"{ours[count].people} seen, {PEER} {theirs[count].people}"
    )
    workload = "1 person" if count == 1 else f"{count} people"
    return BenchRow.against("many_people", workload, PEER, "ms per frame", ours[count].ms, theirs[count].ms, note)


def cut_outs(frames: Sequence[Frame]) -> list[ImageArray]:
    """The person of the clip, from the same part of every frame."""
    _, method = open_estimator(Settings(method=PEER))
    found = method.estimate(frames[0])
    method.close()
    x0, y0, x1, y1 = _grown(found.boxes_px[0], frames[0].size_px)
    return [frame.image[y0:y1, x0:x1] for frame in frames]


def _grown(box_px: FloatArray, size_px: tuple[int, int]) -> list[int]:
    edge = _GROW * np.tile(box_px[2:] - box_px[:2], 2) * [-1, -1, 1, 1]
    return np.clip(box_px + edge, 0, np.tile(size_px, 2)).round().astype(int).tolist()


def composed(cuts: Sequence[ImageArray], count: int) -> list[Frame]:
    """Frames with so many copies, the first places of a grid; each copy is at another moment, so that no two are the same."""
    view = camera.assumed(_WIDTH_PX, _HEIGHT_PX)
    frames: list[Frame] = []
    for index in range(len(cuts)):
        image = np.full((_HEIGHT_PX, _WIDTH_PX, 3), _GREY, np.uint8)
        for place in range(count):
            _paste(image, cuts[(index + place) % len(cuts)], place)
        frames.append(Frame(image, index / 30, index, view))
    return frames


def _paste(image: ImageArray, cut: ImageArray, place: int) -> None:
    width, height = _WIDTH_PX // _COLUMNS, _HEIGHT_PX // _ROWS
    scale = min(width / cut.shape[1], height / cut.shape[0])
    small = cv2.resize(cut, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)[:height, :width]
    x, y = place % _COLUMNS * width, place // _COLUMNS * height
    image[y : y + small.shape[0], x : x + small.shape[1]] = small


def _seen(method: str, films: Mapping[int, Sequence[Frame]]) -> dict[int, Seen]:
    """A picture of each number of people in turn, so that a machine whose speed drifts treats all alike."""
    estimators = {count: open_estimator(Settings(method=method, max_people=count))[1] for count in films}
    times = {count: list[float]() for count in films}
    people = {count: list[int]() for count in films}
    for frames in zip(*films.values(), strict=True):
        for (count, estimator), frame in zip(estimators.items(), frames, strict=True):
            start = perf_counter()
            found = estimator.estimate(frame)
            times[count].append(perf_counter() - start)
            people[count].append(found.people)
    for estimator in estimators.values():
        estimator.close()
    return {
        count: Seen(1e3 * float(np.median(times[count][_WARM_UP:])), int(np.median(people[count][_WARM_UP:]))) for count in films
    }
