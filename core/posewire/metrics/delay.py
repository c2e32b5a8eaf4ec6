"""By how much a motion comes after its reference: the latency that filtering adds."""

from __future__ import annotations

import numpy as np
from scipy.interpolate import CubicSpline

from posewire.data import FloatArray
from posewire.metrics.missing import seen_points

_MIN_FRAMES = 8
_STEPS_PER_FRAME = 10


def delay_s(prediction_m: FloatArray, reference_m: FloatArray, time_s: FloatArray, longest_s: float = 0.25) -> float:
    """Delay of a prediction (T, N, 3), positive = late: the peak of its cross-correlation with the reference (T, N, 3).

    c(d) = max over rotations R of corr(R x_p(t), x_r(t - d)), every coordinate less its mean over time. The rotation makes c
    independent of axes and heading; by orthogonal Procrustes it is tr(S D) / (|x_p| |x_r|) (see alignment.aligned). d runs in
    tenths of a frame within +-longest_s (at most a quarter of the motion), and a parabola through the peak refines it. The
    reference is the one interpolated (cubic): interpolation smooths, and a prediction smoothed by it would fit better between
    frames. Frames with an unseen joint are left out, joints that one side never has as well.

    Returns:
        NaN when nothing moves, fewer than eight frames are left, time does not increase, or the peak is at the end of the range.
    """
    both = seen_points(prediction_m).any(axis=0) & seen_points(reference_m).any(axis=0)  # (N,)
    prediction_m, reference_m = prediction_m[:, both], reference_m[:, both]
    if len(time_s) < _MIN_FRAMES or not both.any() or not np.all(np.diff(time_s) > 0):
        return float("nan")
    longest_s = min(longest_s, (time_s[-1] - time_s[0]) / 4)
    known = seen_points(reference_m).all(axis=1)
    # Only frames whose counterpart exists at every delay, so that all delays are judged on the same frames.
    used = seen_points(prediction_m).all(axis=1) & (time_s >= time_s[0] + longest_s) & (time_s <= time_s[-1] - longest_s)
    if np.count_nonzero(used) < _MIN_FRAMES or np.count_nonzero(known) < _MIN_FRAMES:
        return float("nan")
    target = CubicSpline(time_s[known], reference_m[known])
    step_s = float(np.median(np.diff(time_s))) / _STEPS_PER_FRAME
    delays_s = np.arange(-int(longest_s / step_s), int(longest_s / step_s) + 1, dtype=np.float64) * step_s
    return _peak(delays_s, np.array([_correlation(prediction_m[used], target(time_s[used] - delay)) for delay in delays_s]))


def _correlation(a: FloatArray, b: FloatArray) -> float:
    """The best correlation of R a and b (T, N, 3) over all rotations R; NaN when one does not move."""
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    size = np.sqrt(np.sum(a * a) * np.sum(b * b))
    if size < 1e-12:
        return float("nan")
    U, S, Vt = np.linalg.svd(np.einsum("tni,tnj->ij", a, b))
    return float((S[0] + S[1] + np.sign(np.linalg.det(U @ Vt)) * S[2]) / size)


def _peak(x: FloatArray, y: FloatArray) -> float:
    """Place of the highest y, refined by a parabola through its neighbours; NaN at either end or where y is NaN."""
    if not np.isfinite(y).all():
        return float("nan")
    i = int(np.argmax(y))
    if i in (0, len(y) - 1):
        return float("nan")
    left, top, right = y[i - 1], y[i], y[i + 1]
    bend = left - 2 * top + right
    return float(x[i] + (0.5 * (left - right) / bend if bend < 0 else 0.0) * (x[1] - x[0]))
