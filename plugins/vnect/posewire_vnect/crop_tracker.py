"""Follows one person's window from frame to frame at no cost: it comes from the 2D of the frame before (Mehta 2020, 8.2.2)."""

from __future__ import annotations

import math
from typing import NamedTuple, Self

import numpy as np

from posewire.data import FloatArray
from posewire_vnect.window import Window, turn_matrix

VERTICAL_BUFFER, HORIZONTAL_BUFFER = 0.2, 0.4
"""Of the height, above and below; of the width, to the left and to the right."""
MOMENTUM = 0.75
"""Share of the box of the frame before, at 30 frames a second."""
_NOMINAL_STEP_S = 1 / 30
LONGEST_GAP_S = 1.0
"""After it the person may be anywhere."""


def box_around(points_px: FloatArray) -> FloatArray:
    """(4,) x0 y0 x1 y1: the seen points (J, 2) with the buffer, moved horizontally onto their centroid; NaN without any."""
    if not np.isfinite(points_px).any():
        return np.full(4, np.nan)
    low, high = np.nanmin(points_px, axis=0), np.nanmax(points_px, axis=0)
    half = (0.5 + np.array([HORIZONTAL_BUFFER, VERTICAL_BUFFER])) * (high - low)
    centre = np.array([np.nanmean(points_px[:, 0]), 0.5 * (low[1] + high[1])])
    return np.concatenate([centre - half, centre + half])


class Box(NamedTuple):
    """A rectangle that may be turned. Its corners move as centre and size do, so smoothing these smooths the corners."""

    centre_px: FloatArray
    """(2,) in the picture."""
    size_px: FloatArray
    """(2,) width and height, along its own axes."""
    turn_rad: float

    @classmethod
    def around(cls, points_px: FloatArray, turn_rad: float) -> Self:
        """The seen points (J, 2) with the buffer, in axes that are turned clockwise by `turn_rad`."""
        turn = turn_matrix(turn_rad)
        box = box_around(points_px @ turn)
        return cls(turn @ (0.5 * (box[:2] + box[2:])), box[2:] - box[:2], turn_rad)

    def moved(self, to: Self, share: float) -> Box:
        """A share of the way to another box; the turn takes the shorter way round."""
        turn_rad = self.turn_rad + share * math.remainder(to.turn_rad - self.turn_rad, 2 * math.pi)
        centre_px = self.centre_px + share * (to.centre_px - self.centre_px)
        return Box(centre_px, self.size_px + share * (to.size_px - self.size_px), math.remainder(turn_rad, 2 * math.pi))

    @property
    def window(self) -> Window:
        """The square of the longer side."""
        return Window(float(self.centre_px[0]), float(self.centre_px[1]), float(self.size_px.max()), self.turn_rad)


def window_around(points_px: FloatArray, turn_rad: float = 0.0) -> Window:
    """The window of a person seen for the first time."""
    return Box.around(points_px, turn_rad).window


class CropTracker:
    """One person's box, smoothed."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Nobody is followed."""
        self._box: Box | None = None
        self._time_s = 0.0

    def follow(self, points_px: FloatArray, time_s: float, turn_rad: float = 0.0) -> None:
        """Takes the person's points (J, 2) of this frame and how the person is turned; the first ones start a track."""
        box = Box.around(points_px, turn_rad)
        self._box = box if self._box is None else self._box.moved(box, 1 - self._kept(time_s - self._time_s))
        self._time_s = time_s

    def next_window(self, time_s: float) -> Window | None:
        """Where to look at `time_s`; None when nobody is followed, or not since long."""
        if self._box is None or abs(time_s - self._time_s) > LONGEST_GAP_S:
            return None
        return self._box.window if self._box.window.usable else None

    def _kept(self, step_s: float) -> float:
        """The momentum for this step: a live source drops frames, a file may have 60 a second; the box moves alike in both."""
        return MOMENTUM ** (step_s / _NOMINAL_STEP_S) if step_s > 0 else MOMENTUM
