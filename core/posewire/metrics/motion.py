"""How it moves: acceleration, bone lengths, foot slide, contacts. Time may be uneven; NaN breaks a difference."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from posewire.data import FloatArray
from posewire.metrics.missing import BoolArray, finite_mean


def accelerations_m_s2(positions_m: FloatArray, time_s: FloatArray) -> FloatArray:
    """Acceleration vectors (T - 2, N, 3) of positions (T, N, 3) at times (T,), exact for parabolas at any spacing.

    a_i = (v_i - v_{i-1}) / ((t_{i+1} - t_{i-1}) / 2) with v_i = (x_{i+1} - x_i) / (t_{i+1} - t_i); at even spacing this is the
    usual second difference / dt^2.
    """
    if len(time_s) < 3:
        return np.empty((0, *positions_m.shape[1:]))
    step_s = _steps_s(time_s)
    velocity = np.diff(positions_m, axis=0) / step_s[:, None, None]
    return np.diff(velocity, axis=0) / (0.5 * (step_s[1:] + step_s[:-1]))[:, None, None]


def mean_acceleration_m_s2(positions_m: FloatArray, time_s: FloatArray) -> float:
    """Mean |a| over joints and frames: what jitter looks like. Compare with the reference's own, not with zero."""
    return finite_mean(np.linalg.norm(accelerations_m_s2(positions_m, time_s), axis=-1))


def acceleration_error_m_s2(prediction_m: FloatArray, reference_m: FloatArray, time_s: FloatArray) -> float:
    """Mean |a_p - a_r| (Kanazawa et al. 2019, "Learning 3D human dynamics from video", sec. 5.1); same axes."""
    difference = accelerations_m_s2(prediction_m, time_s) - accelerations_m_s2(reference_m, time_s)
    return finite_mean(np.linalg.norm(difference, axis=-1))


def bone_length_std_m(positions_m: FloatArray, bones: Sequence[tuple[int, int]]) -> float:
    """Standard deviation of each bone's length over time, mean over the bones (pairs of joint indices)."""
    ends = np.array(bones, dtype=np.int64).reshape(-1, 2)
    lengths = np.linalg.norm(positions_m[:, ends[:, 0]] - positions_m[:, ends[:, 1]], axis=-1)  # (T, bones)
    return finite_mean(np.array([np.std(one[np.isfinite(one)]) for one in lengths.T if np.isfinite(one).any()], dtype=np.float64))


def slide_speeds_m_s(points_m: FloatArray, contacts: FloatArray | BoolArray, time_s: FloatArray, up: int = 1) -> FloatArray:
    """Horizontal speeds (M,) of foot points (T, F, 3), world, over steps that begin and end in contact (T, F).

    A contact is True or a probability above 0.5.

    Take the median and the 95th percentile; divided by 60 they are the slide in metres per frame at 60 frames a second. A fit
    that flags no contact slides never: report `contact_f1` beside it.
    """
    touching = np.asarray(contacts, dtype=np.float64) > 0.5
    horizontal = np.delete(np.diff(points_m, axis=0), up, axis=-1)
    speeds = np.linalg.norm(horizontal, axis=-1) / _steps_s(time_s)[:, None]
    return speeds[touching[1:] & touching[:-1] & np.isfinite(speeds)]


def contact_f1(predicted: FloatArray | BoolArray, true: FloatArray | BoolArray) -> float:
    """F1 = 2 TP / (2 TP + FP + FN) of contact flags of one shape; NaN where there is no contact at all."""
    said, is_so = np.asarray(predicted, dtype=np.float64) > 0.5, np.asarray(true, dtype=np.float64) > 0.5
    both = np.count_nonzero(said & is_so)
    either = np.count_nonzero(said) + np.count_nonzero(is_so)
    return 2.0 * both / either if either else float("nan")


def _steps_s(time_s: FloatArray) -> FloatArray:
    """Time between frames (T - 1,); NaN where the clock stands still or goes backwards: no speed follows from that."""
    step_s = np.diff(time_s)
    return np.where(step_s > 0, step_s, np.nan)
