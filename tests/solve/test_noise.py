"""What bones tell of a method's noise: how much of it there is, and how long it lasts."""

import actor
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from posewire.solve.noise import bone_ends, measure_noise

TIME_S = np.arange(240) / 60.0
ENDS = bone_ends(actor.NAMES)
TRUE_M = actor.poses_m(TIME_S)[0]


def white_m(deviation_m=0.02):
    return np.random.default_rng(2).normal(0.0, deviation_m, TRUE_M.shape)


def test_bones_are_pairs_of_keypoints_that_no_motion_takes_apart():
    lengths_m = np.linalg.norm(TRUE_M[:, ENDS[:, 1]] - TRUE_M[:, ENDS[:, 0]], axis=-1)
    named = {(actor.NAMES[a], actor.NAMES[b]) for a, b in ENDS.tolist()}
    assert {("left_hip", "left_knee"), ("right_elbow", "right_wrist")} <= named
    assert np.ptp(lengths_m, axis=0).max() < 1e-6


def test_white_noise_is_measured_and_gone_after_a_frame():
    noise = measure_noise(TIME_S, TRUE_M + white_m(), ENDS)
    assert noise is not None
    assert noise.after(np.zeros(1))[0] == pytest.approx(0.02**2, rel=0.1)
    assert np.abs(noise.after(np.arange(1, 20) / 60.0)).max() < 0.15 * 0.02**2


def test_slow_noise_is_seen_to_last():
    slow_m = gaussian_filter1d(white_m(), 6.0, axis=0, mode="wrap")
    noise = measure_noise(TIME_S, TRUE_M + slow_m * (0.03 / slow_m.std()), ENDS)
    assert noise is not None
    assert noise.after(np.zeros(1))[0] == pytest.approx(0.03**2, rel=0.25)
    assert noise.after(np.array([1.0, 3.0]) / 60.0).min() > 0.6 * noise.covariance_m2[0]
    assert abs(noise.after(np.array([0.4]))[0]) < 0.3 * noise.covariance_m2[0]
    assert noise.after(np.array([2.0]))[0] == 0.0


def test_unseen_points_and_an_exchange_of_sides_change_little():
    said_m, rng = TRUE_M + white_m(), np.random.default_rng(0)
    said_m[rng.random(said_m.shape[:2]) < 0.2] = np.nan
    said_m[100:110] = said_m[100:110, rng.permutation(said_m.shape[1])]
    noise = measure_noise(TIME_S, said_m, ENDS)
    assert noise is not None
    assert noise.after(np.zeros(1))[0] == pytest.approx(0.02**2, rel=0.5)


def test_too_few_frames_or_no_bones_say_nothing():
    assert measure_noise(TIME_S[:10], TRUE_M[:10], ENDS) is None
    assert measure_noise(TIME_S, np.full_like(TRUE_M, np.nan), ENDS) is None
    assert measure_noise(TIME_S, TRUE_M, bone_ends(("nose", "left_eye"))) is None
