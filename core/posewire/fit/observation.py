"""One frame of one person as the fit reads it: undistorted pixels and root-relative metres in world axes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from posewire.data import FloatArray
from posewire.fit.body import MOST_MARKERS
from posewire.fit.compiled import finite, kernel
from posewire.fit.points import NONE, Points

_BUST = 2


class Observation(NamedTuple):
    """NaN where unseen; confidence 0 there."""

    raw_m: FloatArray
    """(M, 3) from the middle of the hips, world axes."""
    pixel_px: FloatArray
    """(M, 2) undistorted."""
    confidence: FloatArray
    """(M,) 0..1."""


def make_observation() -> Observation:
    """Nothing seen."""
    return Observation(np.full((MOST_MARKERS, 3), np.nan), np.full((MOST_MARKERS, 2), np.nan), np.zeros(MOST_MARKERS))


@kernel
def read(
    keypoints_m: FloatArray, pixels: FloatArray, confidence: FloatArray, points: Points, T: FloatArray, out: Observation
) -> int:
    """Takes the markers out of a track's rows (J, ...); T (4, 4) camera to world. The number of limb points that are seen.

    A face over two shoulders counts as _BUST more: that is all that many a webcam shows.
    """
    seen = 0
    for m in range(len(points.column)):
        k = points.column[m]
        if k == NONE:
            continue
        for i in range(3):
            out.raw_m[m, i] = T[i, 0] * keypoints_m[k, 0] + T[i, 1] * keypoints_m[k, 1] + T[i, 2] * keypoints_m[k, 2]
        out.pixel_px[m, 0], out.pixel_px[m, 1] = pixels[k, 0], pixels[k, 1]
        known = finite(out.raw_m[m, 0] + out.raw_m[m, 1] + out.raw_m[m, 2]) or finite(pixels[k, 0] + pixels[k, 1])
        out.confidence[m] = confidence[k] if known and 0.0 <= confidence[k] <= 1.0 else 0.0
        if out.confidence[m] == 0.0:
            out.raw_m[m] = np.nan
        if out.confidence[m] > 0.0 and points.share[m] == 1.0:
            seen += 1
    _move_to_hips(out.raw_m, points)
    bust = (points.shoulders[0], points.shoulders[1], points.front[0, 0])
    if min(bust) >= 0 and min(out.confidence[bust[0]], out.confidence[bust[1]], out.confidence[bust[2]]) > 0.0:
        seen += _BUST
    return seen


@kernel
def _move_to_hips(raw_m: FloatArray, points: Points) -> None:
    """A method's own root may lie elsewhere; without both hips its origin stays."""
    left, right = points.hips[0], points.hips[1]
    if left < 0 or right < 0:
        return
    for i in range(3):
        middle = 0.5 * (raw_m[left, i] + raw_m[right, i])
        if finite(middle):
            for m in range(len(raw_m)):
                raw_m[m, i] -= middle
