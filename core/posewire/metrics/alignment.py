"""What is taken out of a prediction before it is compared: the root, the scale, or a whole similarity transform, per frame."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from posewire.data import FloatArray
from posewire.metrics.missing import BoolArray, seen_points

_MIN_POINTS = 3
"""Fewer points do not fix a rotation."""
_TINY = 1e-12


def root_relative(positions_m: FloatArray, root: Sequence[int]) -> FloatArray:
    """Positions (..., N, 3) less the mean of the `root` joints (one index, or both hips); NaN in a frame whose root is unseen."""
    return positions_m - positions_m[..., list(root), :].mean(axis=-2, keepdims=True)


def centred(positions_m: FloatArray) -> FloatArray:
    """Positions (..., N, 3) less the centroid of each frame; NaN in a frame with an unseen joint, whose centroid would jump."""
    return positions_m - positions_m.mean(axis=-2, keepdims=True)


def scaled(prediction_m: FloatArray, reference_m: FloatArray) -> FloatArray:
    """Prediction (..., N, 3) times the least-squares scale of each frame: s = sum <p, r> / sum <p, p>.

    Source: Rhodin et al. 2018 (CVPR), "Learning monocular 3D human pose estimation from multi-view images", N-MPJPE.
    Both must be root-relative already.
    """
    seen = _seen_in_both(prediction_m, reference_m)
    p, r = np.where(seen, prediction_m, 0.0), np.where(seen, reference_m, 0.0)
    size = np.sum(p * p, axis=(-2, -1), keepdims=True)
    return prediction_m * np.where(size > _TINY, np.sum(p * r, axis=(-2, -1), keepdims=True) / np.maximum(size, _TINY), np.nan)


def aligned(prediction_m: FloatArray, reference_m: FloatArray, *, with_scale: bool = True) -> FloatArray:
    """Prediction (..., N, 3) moved by the similarity s R p + t (R a proper rotation) that is nearest to the reference, per frame.

    Over the joints seen in both: with centred P and Q (N, 3), P^T Q = U S V^T, D = diag(1, 1, det(U V^T)), R = V D U^T and
    s = tr(S D) / |P|^2. A frame with fewer than three common joints, or all of them in one point, is NaN.

    Source: Umeyama 1991 (PAMI 13.4), eq. 39-43.
    """
    seen = _seen_in_both(prediction_m, reference_m)  # (..., N, 1)
    count = seen.sum(axis=-2, keepdims=True)
    p, p_mean = _less_mean(prediction_m, seen, count)
    q, q_mean = _less_mean(reference_m, seen, count)
    U, S, Vt = np.linalg.svd(np.swapaxes(p, -1, -2) @ q)
    D = np.ones_like(S)
    D[..., 2] = np.where(np.linalg.det(U @ Vt) < 0, -1.0, 1.0)
    size = np.sum(p * p, axis=(-2, -1))
    scale = np.sum(S * D, axis=-1) / np.maximum(size, _TINY) if with_scale else np.ones_like(size)
    scale = np.where((count[..., 0, 0] >= _MIN_POINTS) & (size > _TINY), scale, np.nan)
    rotated = (prediction_m - p_mean) @ ((U * D[..., None, :]) @ Vt)  # rows: p^T R^T with R^T = U D V^T
    return scale[..., None, None] * rotated + q_mean


def _seen_in_both(prediction_m: FloatArray, reference_m: FloatArray) -> BoolArray:
    """(..., N, 1) True where both are finite."""
    return (seen_points(prediction_m) & seen_points(reference_m))[..., None]


def _less_mean(points_m: FloatArray, seen: BoolArray, count: NDArray[np.int64]) -> tuple[FloatArray, FloatArray]:
    """Points less their mean over `seen`, 0 where unseen, and that mean (..., 1, 3)."""
    mean = np.where(seen, points_m, 0.0).sum(axis=-2, keepdims=True) / np.maximum(count, 1)
    return np.where(seen, points_m - mean, 0.0), mean
