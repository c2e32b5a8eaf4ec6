"""How wide the smoothing is at every instant: wide where a motion is calm, narrow where it would be cut.

For each width h the smoothed motion y_h is compared with the motion y in hand. What is to be expected of its squared distance
from the truth is (Stein 1981; local choice of the width: Fan and Gijbels 1996, chapter 4)

    |y - y_h|^2  -  g(0)  +  2 sum_k l_k g(t_k - t)

g the covariance of the errors of y, which need not be white, l_k the shares of smoothing.taps. Averaged over joints and the time
around, the least wins. g is the method's own (noise.py), by the share that the fit leaves of it. All joints of a body have one
width: their errors belong together (what the hip turns too far the pelvis turns back), and would not cancel otherwise.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d

from posewire.data import FloatArray
from posewire.solve.noise import Noise
from posewire.solve.smoothing import taps

WIDTHS_S = (0.012, 0.02, 0.03, 0.045, 0.065, 0.09, 0.12, 0.16)
USUAL_WIDTH_S = 0.07
"""Where nothing is known of the noise."""
_LEFT = 0.5
"""Share of the method's variance that is still in the merged motion; by trying, on CMU motion, subjects 1 to 12."""
_AROUND_S, _BLEND_S = 0.15, 0.1
"""Over so much time the expected distance, and then the logarithm of the chosen width, is averaged."""


def choose_widths(time_s: FloatArray, joints_m: FloatArray, noise: Noise) -> FloatArray:
    """(R,) deviations of the window, s, for joints (R, N, 3) at increasing times (R,), two or more."""
    relative_m = joints_m[:, 1:] - joints_m[:, :1]
    step_s = float(np.median(np.diff(time_s)))
    risks = [_risk(time_s, relative_m, width_s, noise) for width_s in WIDTHS_S]
    around = gaussian_filter1d(np.array(risks), _AROUND_S / step_s, axis=1, mode="nearest")
    widths_s = np.array(WIDTHS_S)[np.argmin(around, axis=0)]
    return np.exp(gaussian_filter1d(np.log(widths_s), _BLEND_S / step_s, mode="nearest"))


def _risk(time_s: FloatArray, points_m: FloatArray, width_s: float, noise: Noise) -> FloatArray:
    """(R,) what is expected of the squared distance of smoothed points (R, P, 3) from the true ones, all points together."""
    smooth_m, shared_m2 = np.zeros_like(points_m), np.zeros(len(time_s))
    for taken, share in taps(time_s, width_s):
        smooth_m += share[:, None, None] * points_m[taken]
        shared_m2 += share * noise.after(time_s[taken] - time_s)
    own_m2 = noise.covariance_m2[0]
    coordinates = points_m.shape[1] * points_m.shape[2]
    return np.sum((points_m - smooth_m) ** 2, axis=(1, 2)) - _LEFT * coordinates * (own_m2 - 2.0 * shared_m2)
