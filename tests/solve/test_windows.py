"""The width of the smoothing: wide where a motion is calm, narrow where it is quick, and never fooled by noise that lasts."""

import numpy as np
from scipy.ndimage import gaussian_filter1d

from posewire.solve.noise import Noise
from posewire.solve.smoothing import taps
from posewire.solve.windows import WIDTHS_S, choose_widths

TIME_S = np.arange(240) / 60.0
DEVIATION_M = 0.01
WHITE = Noise(1 / 60.0, np.array([2 * DEVIATION_M**2, 0.0]))  # the method's: the fit leaves half of its variance
LAGS = np.arange(60)


def swinging_m(rate_hz):
    """(R, 9, 3) a root at rest and points that swing by 20 cm."""
    points_m = np.zeros((len(TIME_S), 9, 3))
    points_m[:, 1:, 0] = 0.2 * np.sin(2.0 * np.pi * rate_hz * TIME_S)[:, None]
    return points_m


def noisy(points_m):
    said_m = points_m + np.random.default_rng(4).normal(0.0, DEVIATION_M, points_m.shape)
    said_m[:, 0] = points_m[:, 0]
    return said_m


def smoothed(said_m, widths_s):
    return sum(share[:, None, None] * said_m[taken] for taken, share in taps(TIME_S, widths_s))


def test_a_calm_motion_gets_a_wider_window_than_a_quick_one():
    slow, quick = (np.median(choose_widths(TIME_S, noisy(swinging_m(rate_hz)), WHITE)) for rate_hz in (0.3, 3.0))
    assert slow > 2.0 * quick


def test_the_chosen_width_is_nearly_the_best_one():
    for rate_hz in (0.3, 1.0, 3.0):
        true_m = swinging_m(rate_hz)
        said_m = noisy(true_m)
        errors_m = [np.sqrt(np.mean((smoothed(said_m, width_s) - true_m) ** 2)) for width_s in WIDTHS_S]
        chosen_m = np.sqrt(np.mean((smoothed(said_m, choose_widths(TIME_S, said_m, WHITE)) - true_m) ** 2))
        assert chosen_m < 1.15 * min(errors_m)


def test_one_quick_moment_narrows_the_window_there_only():
    true_m = np.zeros((len(TIME_S), 9, 3))
    true_m[:, 1:, 0] = 0.3 * np.tanh((TIME_S - 2.0) / 0.04)[:, None]
    widths_s = choose_widths(TIME_S, noisy(true_m), WHITE)
    assert widths_s[115:125].max() < 0.5 * np.median(widths_s)


def test_noise_that_lasts_is_not_taken_for_motion():
    slow_m = gaussian_filter1d(noisy(np.zeros((len(TIME_S), 9, 3))), 3.0, axis=0, mode="wrap")
    slow_m *= DEVIATION_M / slow_m[:, 1:].std()
    lasting = Noise(1 / 60.0, 2 * DEVIATION_M**2 * np.exp(-(LAGS**2) / (4.0 * 3.0**2)))
    known, unknown = (np.median(choose_widths(TIME_S, slow_m, noise)) for noise in (lasting, WHITE))
    assert known > 1.5 * unknown
