"""What Stage II is fed: S_k of each person (thesis 002, section 6.3.2). Numpy only: the live side has no torch."""

from __future__ import annotations

import numpy as np

from posewire_xnect.skeleton import NECK, J
from posewire_xnect.targets import FloatArray

WIDTH = 3 + 3 * J
"""Numbers of a joint: u, v, confidence and l_jk."""


def person_rows(points_px: FloatArray, confidence: FloatArray, encodings: FloatArray, height_px: float) -> FloatArray:
    """S_k of each person, (P, J, 3 + 3 J) float32.

    Args:
        points_px: (P, J, 2), NaN = unseen; the neck of everybody is seen.
        confidence: (P, J).
        encodings: (P, J, 3 J).
        height_px: Of the picture: u and v are given in parts of it.
    """
    seen = np.isfinite(points_px).all(axis=-1, keepdims=True)
    relative = (points_px - points_px[:, NECK : NECK + 1]) / height_px
    rows = np.concatenate([relative, confidence[..., None], encodings], axis=-1)
    return np.where(seen, rows, 0.0).astype(np.float32)
