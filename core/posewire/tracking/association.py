"""What it would cost to call detection k the known person i, and the cheapest assignment.

The three terms are XNect's (Mehta 2020, section 8.3.1): appearance, 2D distance and 3D distance. Each is brought to the
range 0..1, where 1 is its gate; a term that is not known for a pair leaves the mean instead of counting as zero.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from posewire.data import FloatArray

_MIN_COMMON = 3
_FORBIDDEN = 1e6


def distance_2d(people_px: FloatArray, detections_px: FloatArray, sizes_px: FloatArray) -> FloatArray:
    """Mean keypoint distance (I, K) of predicted people (I, J, 2) and detections (K, J, 2), in sizes (I,) of the people.

    Pairs with fewer than three keypoints in common are NaN.
    """
    x, y = np.moveaxis(people_px[:, None] - detections_px[None], -1, 0)  # (I, K, J); a norm over an axis of two is slow
    return _mean_of_common(np.sqrt(x * x + y * y)) / np.maximum(sizes_px, 1.0)[:, None]


def distance_3d(people_m: FloatArray, detections_m: FloatArray) -> FloatArray:
    """Mean joint distance (N,), metres, of root-relative poses (N, J, 3), one by one; NaN where unknown.

    The mean of each pose is removed, because a method's root itself is uncertain.
    """
    difference = people_m - detections_m
    seen = np.isfinite(difference).all(axis=-1, keepdims=True)
    count = np.maximum(seen.sum(axis=1, keepdims=True), 1)
    difference = difference - np.where(seen, difference, 0.0).sum(axis=1, keepdims=True) / count
    return _mean_of_common(np.linalg.norm(difference, axis=-1))


def size_ratios(people_px: FloatArray, detections_px: FloatArray) -> FloatArray:
    """How many times larger detections (K, J, 2) are than people (I, J, 2): (I, K), over the keypoints seen in both.

    Size is the root of the mean squared distance from the mean keypoint: half a body unseen in one of them does not matter.
    NaN with fewer than three keypoints in common.
    """
    seen = np.all(np.isfinite(people_px[:, None] + detections_px[None]), axis=-1)[..., None]  # (I, K, J, 1)
    person, detection = (_spread(points, seen) for points in (people_px[:, None], detections_px[None]))
    return np.where(seen.sum(axis=(2, 3)) >= _MIN_COMMON, detection / np.maximum(person, 1e-6), np.nan)


def _spread(points: FloatArray, seen: NDArray[np.bool_]) -> FloatArray:
    """Root mean squared distance (I, K) of points (I, K, J, 2) from their mean, over those `seen` (I, K, J, 1)."""
    count = np.maximum(seen.sum(axis=2, keepdims=True), 1)
    mean = np.where(seen, points, 0.0).sum(axis=2, keepdims=True) / count
    return np.sqrt(np.where(seen, (points - mean) ** 2, 0.0).sum(axis=(2, 3)) / count[..., 0, 0])


def _mean_of_common(distances: FloatArray) -> FloatArray:
    """Mean of (..., J) over the finite entries; NaN where there are fewer than three."""
    seen = np.isfinite(distances)
    count = seen.sum(axis=-1)
    mean = np.where(seen, distances, 0.0).sum(axis=-1) / np.maximum(count, 1)
    return np.where(count >= _MIN_COMMON, mean, np.nan)


def weighted_mean(*terms: tuple[float, FloatArray | float], shape: tuple[int, int]) -> FloatArray:
    """sum w c / sum w over the (weight, cost) terms that are known at each entry; costs are capped at 1; NaN where none is."""
    total, weights = np.zeros(shape), np.zeros(shape)
    for weight, cost in terms:
        known = np.isfinite(cost)
        total += np.where(known, weight * np.minimum(cost, 1.0), 0.0)
        weights += np.where(known, weight, 0.0)
    return np.where(weights > 0, total / np.maximum(weights, 1e-12), np.nan)


def assign(cost: FloatArray, allowed: NDArray[np.bool_], unmatched: float = _FORBIDDEN) -> list[tuple[int, int]]:
    """The cheapest set of allowed pairs (row, column), where it costs `unmatched` to go without (Crouse 2016, as in scipy).

    The default makes as many pairs as possible.
    """
    if not allowed.any():
        return []
    rows, columns = linear_sum_assignment(np.where(allowed, cost, unmatched))
    return [(int(row), int(column)) for row, column in zip(rows, columns, strict=True) if allowed[row, column]]
