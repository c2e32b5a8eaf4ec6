"""How far off a method's 3D is, and for how long: its bones tell, whose lengths cannot change.

The length of a bone between two seen points deviates by the errors of both along it, so that its variance is twice that of one
coordinate of a point; and the product of its deviations a while apart, averaged, tells how long an error lasts. White errors are
gone in the next frame; those of a network last for a tenth of a second and more, and look like motion.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from posewire.data import FloatArray
from posewire.fit.bones import RIGID
from posewire.fit.calibration import DEVIATION_OF_MEDIAN
from posewire.skeleton import MARKERS, REFERENCE

_LONGEST_S = 0.5
"""Errors further apart than this are taken for independent."""
_FEWEST = 30
"""Frames of a stretch below which nothing can be said."""
_MOST_DEVIATIONS = 3.0
"""A bone further off than this counts as this far: left and right exchanged, another person."""


@dataclass(frozen=True, slots=True, eq=False)
class Noise:
    """Of one coordinate of one point."""

    step_s: float
    covariance_m2: FloatArray
    """(L,) of its errors 0, 1, 2, ... steps apart; beyond that 0."""

    def after(self, lag_s: FloatArray) -> FloatArray:
        """Covariance (R,) of two errors a time (R,) apart."""
        lag = np.rint(np.abs(lag_s) / self.step_s).astype(np.int64)
        last = len(self.covariance_m2) - 1
        return np.where(lag <= last, self.covariance_m2[np.minimum(lag, last)], 0.0)


def bone_ends(keypoint_names: Sequence[str]) -> NDArray[np.int64]:
    """(B, 2) columns of keypoints at the two ends of a rigid bone."""
    on_joints = [(k, MARKERS[name]) for k, name in enumerate(keypoint_names) if name in MARKERS]
    column = {marker.joint: k for k, marker in on_joints if not any(marker.offset_m)}
    ends = [joint for joint in column if joint.split("_")[-1] in RIGID]
    pairs = [(column.get(REFERENCE.names[REFERENCE.parents[REFERENCE.index(joint)]]), column[joint]) for joint in ends]
    return np.array([pair for pair in pairs if pair[0] is not None], dtype=np.int64).reshape(-1, 2)


def measure_noise(time_s: FloatArray, keypoints_m: FloatArray, ends: NDArray[np.int64]) -> Noise | None:
    """From keypoints (R, J, 3), NaN = unseen, at increasing times (R,), and bones (B, 2) of them. None = too little is known."""
    if not ends.size or len(time_s) < _FEWEST:
        return None
    off_m = _deviations_m(np.linalg.norm(keypoints_m[:, ends[:, 1]] - keypoints_m[:, ends[:, 0]], axis=-1))
    if np.count_nonzero(np.isfinite(off_m).any(axis=1)) < _FEWEST:
        return None
    step_s = float(np.median(np.diff(time_s)))
    lags = max(1, round(_LONGEST_S / step_s))
    total, count = np.zeros(lags + 1), np.zeros(lags + 1)
    for offset in range(min(lags + 1, len(time_s))):
        products = off_m[offset:] * off_m[: len(off_m) - offset]  # (R - offset, B)
        lag = np.rint((time_s[offset:] - time_s[: len(time_s) - offset]) / step_s).astype(np.int64)
        near = lag <= lags
        total += np.bincount(lag[near], np.nansum(products, axis=1)[near], lags + 1)
        count += np.bincount(lag[near], np.isfinite(products).sum(axis=1)[near], lags + 1)
    return Noise(step_s, 0.5 * total / np.maximum(count, 1.0))


def _deviations_m(lengths_m: FloatArray) -> FloatArray:
    """(R, B) of each bone from its median, the wildest cut."""
    seen = np.isfinite(lengths_m).any(axis=0)
    off_m = lengths_m[:, seen] - np.nanmedian(lengths_m[:, seen], axis=0)
    most_m = _MOST_DEVIATIONS / DEVIATION_OF_MEDIAN * np.nanmedian(np.abs(off_m), axis=0)
    return np.clip(off_m, -most_m, most_m)
