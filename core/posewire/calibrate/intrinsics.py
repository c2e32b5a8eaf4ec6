"""K and distortion from views of a board (Zhang 2000, as OpenCV's calibrateCamera does it), bad views left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from posewire.calibrate.choosing import FEWEST_VIEWS, covered
from posewire.calibrate.view import View
from posewire.data import FloatArray, read_only
from posewire.errors import CalibrationError

_OUTLIER, _OUTLIER_PX = 2.0, 0.15
"""A view is left out when its error is this many times the median view's and at least so many pixels."""
_LARGEST_RMS_PX = 3.0
_LARGEST_FOCAL_DEVIATION = 0.02
_K3_SIGMAS, _K3_GAIN = 4.0, 0.97
"""k3 is used when it is so many deviations from zero and brings the RMS below this share: it runs wild otherwise."""


@dataclass(frozen=True, slots=True, eq=False)
class Intrinsics:
    """A solved lens."""

    K: FloatArray
    """(3, 3) pixels."""
    distortion: FloatArray
    """(5,) k1 k2 p1 p2 k3."""
    rms_px: float
    """Root mean square of the reprojection error over all corners."""
    view_rms_px: FloatArray
    """(V,) the same of each view."""
    focal_deviation_px: float
    """Standard deviation of the focal length."""
    views: tuple[View, ...]
    """The V views used."""
    left_out: tuple[View, ...]
    """Views that did not agree with the others."""
    coverage: float
    """Share of the picture's 80 cells in which a corner was seen."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "K", read_only(self.K, 3, 3))
        object.__setattr__(self, "distortion", read_only(self.distortion, 5))
        object.__setattr__(self, "view_rms_px", read_only(self.view_rms_px, len(self.views)))


class _Solution(NamedTuple):
    rms_px: float
    K: FloatArray
    distortion: FloatArray
    deviations: FloatArray
    """Of fx fy cx cy k1 k2 p1 p2 k3 ..."""
    view_rms_px: FloatArray


def solve_intrinsics(views: Sequence[View], width_px: int, height_px: int) -> Intrinsics:
    """The lens that explains the views best.

    Raises:
        CalibrationError: the views do not agree, or do not tell the focal length.
    """
    used, left_out = list(views), list[View]()
    solution = _best(used, width_px, height_px)
    while (bad := _outliers(solution.view_rms_px)).any() and len(used) - bad.sum() >= FEWEST_VIEWS:
        left_out += [view for view, is_bad in zip(used, bad, strict=True) if is_bad]
        used = [view for view, is_bad in zip(used, bad, strict=True) if not is_bad]
        solution = _best(used, width_px, height_px)
    _check(solution)
    coverage = float(np.mean(covered(used, width_px, height_px) > 0))
    K, deviation_px = solution.K, float(solution.deviations[0])
    return Intrinsics(
        K, solution.distortion, solution.rms_px, solution.view_rms_px, deviation_px, tuple(used), tuple(left_out), coverage
    )


def _outliers(view_rms_px: FloatArray) -> NDArray[np.bool_]:
    return view_rms_px > max(_OUTLIER * float(np.median(view_rms_px)), _OUTLIER_PX)


def _best(views: Sequence[View], width_px: int, height_px: int) -> _Solution:
    plain = _solve(views, width_px, height_px, cv2.CALIB_FIX_K3)
    free = _solve(views, width_px, height_px, 0)
    significant = abs(free.distortion[4]) > _K3_SIGMAS * free.deviations[8]
    return free if significant and free.rms_px < _K3_GAIN * plain.rms_px else plain


def _solve(views: Sequence[View], width_px: int, height_px: int, flags: int) -> _Solution:
    board = [view.corners_m.astype(np.float32) for view in views]
    seen = [view.corners_px.astype(np.float32)[:, None] for view in views]
    guess, zeros = np.eye(3), np.zeros(5)
    rms_px, K, distortion, _, _, deviations, _, view_rms_px = cv2.calibrateCameraExtended(
        board, seen, (width_px, height_px), guess, zeros, flags=flags
    )
    arrays = (np.asarray(a, dtype=np.float64) for a in (K, np.ravel(distortion)[:5], np.ravel(deviations), np.ravel(view_rms_px)))
    return _Solution(float(rms_px), *arrays)


def _check(solution: _Solution) -> None:
    if not np.isfinite(solution.K).all() or solution.rms_px > _LARGEST_RMS_PX:
        raise CalibrationError(
            "The views do not fit any lens.",
            got=f"corners {solution.rms_px:.2f} pixels off",
            allowed=f"up to {_LARGEST_RMS_PX:g} pixels",
            hint="keep the board flat, and zoom, focus and stabilisation off",
        )
    deviation = float(np.max(solution.deviations[:2] / np.diag(solution.K)[:2]))
    if not deviation <= _LARGEST_FOCAL_DEVIATION:
        raise CalibrationError(
            "The views do not tell the focal length.",
            got=f"known to {100 * deviation:.1f} %",
            allowed=f"{100 * _LARGEST_FOCAL_DEVIATION:g} %",
            hint="tilt the board to every side, 30 degrees and more; face on it looks the same near and far",
        )
