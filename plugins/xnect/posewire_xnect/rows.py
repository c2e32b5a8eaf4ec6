"""What Stage II is fed: S_k of each person (thesis 002, section 6.3.2). Numpy only: the live side has no torch."""

from __future__ import annotations

import numpy as np

from posewire_data.joints import JOINTS
from posewire_xnect.skeleton import NECK, J
from posewire_xnect.targets import BoolArray, FloatArray

WIDTH = 3 + 3 * J
"""Numbers of a joint: u, v, confidence and l_jk."""
INSTEAD_OF_NECK = (("shoulder",), ("nose", "head_top"), ("chest",), ("pelvis", "hip"), ("elbow",), ("wrist", "knee", "ankle"))
"""Where the neck is hidden, the middle of the first of these that are seen stands for it."""
_INSTEAD = [[joint for joint in range(J) if JOINTS[joint].endswith(names)] for names in INSTEAD_OF_NECK]


def anchors(points: FloatArray) -> FloatArray:
    """(P, 2) where each person (P, J, 2; NaN = unseen) is looked at: the neck, or what is seen nearest to it."""
    where = points[:, NECK].copy()
    for joints in _INSTEAD:
        if not (missing := np.isnan(where[:, 0])).any():
            break
        seen = np.isfinite(points[missing][:, joints])
        total = np.where(seen, points[missing][:, joints], 0.0).sum(axis=1)
        where[missing] = np.where(seen.any(axis=1), total / np.maximum(seen.sum(axis=1), 1), np.nan)
    return where


def person_rows(points_px: FloatArray, confidence: FloatArray, encodings: FloatArray, height_px: float) -> FloatArray:
    """S_k of each person, (P, J, 3 + 3 J) float32.

    Args:
        points_px: (P, J, 2), NaN = unseen.
        confidence: (P, J).
        encodings: (P, J, 3 J).
        height_px: Of the picture: u and v are given in parts of it.
    """
    seen = np.isfinite(points_px).all(axis=-1, keepdims=True)
    relative = (points_px - anchors(points_px)[:, None]) / height_px
    rows = np.concatenate([relative, confidence[..., None], encodings], axis=-1)
    return np.where(seen, rows, 0.0).astype(np.float32)


def without(rows: FloatArray, lost: BoolArray) -> FloatArray:
    """The same rows (P, J, 3 + 3 J) as they would be if some joints (P, J) had not been seen."""
    seen = ((rows[..., 2] > 0) & ~lost)[..., None]
    points = np.where(seen, rows[..., :2], np.nan)
    centred = np.concatenate([points - anchors(points)[:, None], rows[..., 2:]], axis=-1)
    return np.where(seen, centred, 0.0).astype(rows.dtype)
