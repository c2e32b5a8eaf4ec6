"""Which of several fits to believe where they disagree: the path over them that strays least from the data and jumps least.

Fits that ran differently agree almost everywhere. Where they do not, some are lost (the body turned around, or an exchange of
left and right believed), and their mean would be none of them. The path s_t over the fits with the least

    sum_t  e_t(s_t) dt / PATIENCE_S  +  |x_t(s_t) - x_{t-1}(s_{t-1})|  +  SWITCH_M [s_t != s_{t-1}]

is found by dynamic programming (Viterbi 1967); e is the distance from what the method saw, x are the joints from their centre, in
metres. A short exchange in the data is so overruled, as it costs less than turning there and back; a long one is believed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from posewire.data import FloatArray

PATIENCE_S = 0.5
"""So long a body may contradict the data by as much as it would have to jump."""
SWITCH_M = 0.1
"""What it costs to follow another fit: the joints do not show all that changes."""
_UNKNOWN_M = 0.15
"""Distance from the data that is assumed where it is not known."""
_NO_POSE = 1e6


def choose(joints_m: FloatArray, error_m: FloatArray, time_s: FloatArray) -> NDArray[np.int64]:
    """The fit to follow at each frame (R,).

    Args:
        joints_m: (C, R, J, 3) joints of C fits from their centre; NaN where a fit has no pose.
        error_m: (C, R) distance from the data; NaN = unknown.
        time_s: (R,) increasing.
    """
    known = np.isfinite(joints_m).all(axis=(2, 3))
    step_s = np.clip(np.gradient(time_s), 0.0, PATIENCE_S) if len(time_s) > 1 else np.zeros(1)
    cost = np.where(np.isfinite(error_m), error_m, _UNKNOWN_M) * step_s / PATIENCE_S
    return _best_path(joints_m, np.where(known, cost, _NO_POSE))


def _best_path(joints_m: FloatArray, cost: FloatArray) -> NDArray[np.int64]:
    """(R,) by the cost (C, R) of being with a fit and the way between the fits."""
    fits, frames = cost.shape
    way_m = np.array([[distance_m(joints_m[a, :-1], joints_m[b, 1:]) for b in range(fits)] for a in range(fits)])
    way_m += SWITCH_M * (1.0 - np.eye(fits))[:, :, None]  # (from, to, R - 1)
    total, came_from = cost[:, 0], np.zeros((frames, fits), dtype=np.int64)
    for t in range(1, frames):
        by_way = total[:, None] + way_m[:, :, t - 1]
        came_from[t] = np.argmin(by_way, axis=0)
        total = np.min(by_way, axis=0) + cost[:, t]
    path = np.full(frames, np.argmin(total), dtype=np.int64)
    for t in range(frames - 1, 0, -1):
        path[t - 1] = came_from[t, path[t]]
    return path


def distance_m(a_m: FloatArray, b_m: FloatArray) -> FloatArray:
    """(R,) mean distance of joints (R, J, 3); 0 where a pose is missing: nobody jumps from nowhere."""
    return np.nan_to_num(np.linalg.norm(b_m - a_m, axis=-1).mean(axis=-1), nan=0.0)
