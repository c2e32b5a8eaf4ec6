"""Smoothing without delay: at every instant a local polynomial through what lies before and after it.

Value at t_i = the constant of the polynomial of degree 2 in (t_k - t_i) with the least sum of w_k (residual)^2, w_k a Gaussian of
t_k - t_i (local regression: Cleveland 1979; for even spacing Savitzky and Golay 1964). It is linear in the values: sum_k l_k y_k,
and symmetric in time, so nothing comes late; uneven frames and the ends of a stretch need no special care. A parabola passes
unchanged, so a peak keeps its height where a plain mean would cut it. Rotations are smoothed as rotation vectors from the
rotation in hand, log(q_i^-1 q_k), never as Euler angles. How wide the window is may differ from instant to instant (windows.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from posewire import rotation
from posewire.data import FloatArray

DEGREE = 2
_REACH = 3.0
"""Deviations after which the window ends."""
_RIDGE = 1e-3
"""Keeps the slope of a stretch of few frames small."""
Width: TypeAlias = float | FloatArray
"""The window's deviation in seconds; (R,) = one for each frame."""
_Tap: TypeAlias = tuple[NDArray[np.int64], FloatArray]


def smooth(time_s: FloatArray, root_m: FloatArray, rotations_wxyz: FloatArray, width_s: Width) -> tuple[FloatArray, FloatArray]:
    """Root (R, 3) and rotations (R, N, 4) at increasing times (R,), smoothed. A width of 0 changes nothing."""
    if len(time_s) < 2 or np.min(width_s) <= 0.0:
        return root_m, rotations_wxyz
    smooth_m, turn = np.zeros_like(root_m), np.zeros((*rotations_wxyz.shape[:2], 3))
    back = rotation.inverse(rotations_wxyz)
    for taken, share in taps(time_s, width_s):
        smooth_m += share[:, None] * root_m[taken]
        turn += share[:, None, None] * rotation.log(rotation.multiply(back, rotations_wxyz[taken]))
    return smooth_m, rotation.normalise(rotation.multiply(rotations_wxyz, rotation.exp(turn)))


def taps(time_s: FloatArray, width_s: Width) -> Iterator[_Tap]:
    """For each offset in frames: the frame that is taken (R,) and its share l_k (R,)."""
    near = list(gaussians(time_s, width_s))
    moments = np.zeros((2 * DEGREE + 1, len(time_s)))
    for _, u, weight in near:
        moments += weight * u ** np.arange(2 * DEGREE + 1)[:, None]
    rows = np.arange(DEGREE + 1)
    A = np.moveaxis(moments[rows[:, None] + rows[None]], -1, 0) + _RIDGE * np.diag([0.0] + [1.0] * DEGREE)  # (R, 3, 3)
    constant = np.linalg.solve(A, np.broadcast_to(np.eye(DEGREE + 1)[:, :1], (len(time_s), DEGREE + 1, 1)))[..., 0]  # (R, 3)
    for taken, u, weight in near:
        yield taken, weight * np.sum(constant.T * u ** rows[:, None], axis=0)


def gaussians(time_s: FloatArray, width_s: Width) -> Iterator[tuple[NDArray[np.int64], FloatArray, FloatArray]]:
    """For each offset: the frame (R,), its time from the middle in deviations (R,) and its weight (R,); 0 = out of reach."""
    frames = len(time_s)
    first = np.searchsorted(time_s, time_s - _REACH * np.asarray(width_s))
    last = np.searchsorted(time_s, time_s + _REACH * np.asarray(width_s), side="right") - 1
    reach = int(np.max(np.maximum(np.arange(frames) - first, last - np.arange(frames))))
    for offset in range(-reach, reach + 1):
        place = np.arange(frames) + offset
        taken = np.clip(place, 0, frames - 1)
        u = (time_s[taken] - time_s) / width_s
        there = (place == taken) & (np.abs(u) <= _REACH)
        yield taken, u, np.where(there, np.exp(-0.5 * u * u), 0.0)
