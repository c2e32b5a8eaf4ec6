"""Where feet stood: foot points that rest are gathered in small cubes of space, so that standing long counts as one place."""

from __future__ import annotations

import numpy as np

from posewire.data import FloatArray

SLOW_M_S = 0.35
"""What filtered estimates of a resting foot jitter by; a swinging foot does 2 to 4 m/s (Winter 2009, chapter 3)."""
_REACH_S = 0.06
"""The speed is taken between the instants this long before and after."""
_LEAST_S = 0.1
"""Time that a foot must have rested in a cube."""
_CUBE_M, _CUBE_SHARE = 0.08, 0.03
"""Side of a cube, at least that share of the distance: who stands still far away seems to move along the line of sight."""
_ALONG_SHARE = 1 / 3
"""What a speed along the line of sight counts: a single view is about three times noisier along it than across."""


def footholds(feet_m: FloatArray, time_s: FloatArray) -> FloatArray:
    """Places (M, 3) where foot points (T, F, 3) rested, camera axes like them; NaN = unseen."""
    resting = _speed(feet_m, time_s) < SLOW_M_S  # (T, F); False for NaN
    points = feet_m[resting]  # (S, 3)
    if not len(points):
        return np.empty((0, 3))
    step_s = np.clip(np.gradient(time_s), 0.0, _LEAST_S)
    seconds = np.broadcast_to(step_s[:, None], resting.shape)[resting]
    _, cube = np.unique(np.floor(_shrunk(points) / _CUBE_M).astype(np.int64), axis=0, return_inverse=True)
    cube = cube.reshape(-1)  # NumPy 2.0 alone gives (S, 1)
    rested_s = np.bincount(cube, seconds)
    counts = np.bincount(cube)
    means = np.stack([np.bincount(cube, points[:, axis]) for axis in range(3)], axis=1) / counts[:, None]
    return means[rested_s >= _LEAST_S]


def _shrunk(points: FloatArray) -> FloatArray:
    """Points (S, 3) drawn to the camera so far that equal steps between them are as far apart as cubes there are large."""
    near_m = _CUBE_M / _CUBE_SHARE
    times = np.maximum(np.linalg.norm(points, axis=1, keepdims=True) / near_m, 1.0)
    return points * (1.0 + np.log(times)) / times


def _speed(feet_m: FloatArray, time_s: FloatArray) -> FloatArray:
    """(T, F) m/s; NaN where one of the two instants is missing."""
    before = np.searchsorted(time_s, time_s - _REACH_S)
    after = np.minimum(np.searchsorted(time_s, time_s + _REACH_S), len(time_s) - 1)
    lasted_s = time_s[after] - time_s[before]
    with np.errstate(invalid="ignore", divide="ignore"):
        velocity = (feet_m[after] - feet_m[before]) / np.where(lasted_s > 0, lasted_s, np.nan)[:, None, None]
        sight = feet_m / np.linalg.norm(feet_m, axis=-1, keepdims=True)
    along = np.sum(velocity * sight, axis=-1)
    across = np.linalg.norm(velocity - along[..., None] * sight, axis=-1)
    return np.hypot(across, _ALONG_SHARE * along)
