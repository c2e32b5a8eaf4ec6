"""Smoothing: exact on parabolas and steady turns at any spacing, symmetric in time, calmer on noise, indifferent to signs."""

import numpy as np
import pytest

from posewire import rotation
from posewire.solve.smoothing import smooth

RNG = np.random.default_rng(3)
EVEN_S = np.arange(90) / 30
UNEVEN_S = np.cumsum(RNG.uniform(0.005, 0.06, 90))
UPRIGHT = rotation.identity(90, 1)


def turning(time_s, rate_rad_s=2.0):
    """(R, 1, 4) a steady turn about a slanted axis."""
    axis = np.array([0.6, 0.0, 0.8])
    return rotation.exp(rate_rad_s * time_s[:, None, None] * axis)


def angle_rad(a, b):
    return np.linalg.norm(rotation.log(rotation.multiply(rotation.inverse(a), b)), axis=-1)


@pytest.mark.parametrize("time_s", [EVEN_S, UNEVEN_S], ids=["even", "uneven"])
def test_a_parabola_and_a_steady_turn_pass_unchanged(time_s):
    root = np.stack([time_s**2, 1 - 3 * time_s, np.ones_like(time_s)], axis=1)
    smooth_root, smooth_turn = smooth(time_s, root, turning(time_s), 0.08)
    inner = slice(20, -20)
    assert np.abs(smooth_root - root)[inner].max() < 1e-3
    assert angle_rad(smooth_turn, turning(time_s))[inner].max() < 1e-3


def test_time_running_backward_gives_the_same_motion():
    root = RNG.normal(0, 1, (90, 3))
    turn = rotation.exp(RNG.normal(0, 0.3, (90, 2, 3)))
    there = smooth(UNEVEN_S, root, turn, 0.1)
    back = smooth(UNEVEN_S[-1] - UNEVEN_S[::-1], root[::-1], turn[::-1], 0.1)
    for one, other in zip(there, back, strict=True):
        np.testing.assert_allclose(one, other[::-1], atol=1e-9)


def test_noise_becomes_less_and_a_swing_keeps_its_height_and_its_moment():
    swing = np.stack([np.sin(2 * np.pi * EVEN_S), 0 * EVEN_S, 0 * EVEN_S], axis=1)
    noisy = swing + np.random.default_rng(0).normal(0, 0.05, (90, 3))
    calm, _ = smooth(EVEN_S, noisy, UPRIGHT, 0.06)
    assert np.abs(calm - swing)[5:-5].mean() < 0.6 * np.abs(noisy - swing).mean()
    clean, _ = smooth(EVEN_S, swing, UPRIGHT, 0.06)
    assert np.abs(clean - swing)[10:-10].max() < 0.01


def test_a_small_turn_is_smoothed_as_its_angle():
    angle = np.random.default_rng(1).normal(0, 0.05, 90)
    vectors = angle[:, None] * np.array([0.6, 0.0, 0.8])
    calm, turn = smooth(UNEVEN_S, vectors, rotation.exp(vectors[:, None]), 0.06)
    np.testing.assert_allclose(rotation.log(turn)[:, 0], calm, atol=1e-12)
    assert np.abs(calm).max() < 0.7 * np.abs(vectors).max()


def test_the_sign_of_a_quaternion_does_not_matter():
    turn = turning(EVEN_S)
    flipped = turn * np.where(np.arange(90) % 3 == 0, -1.0, 1.0)[:, None, None]
    _, a = smooth(EVEN_S, np.zeros((90, 3)), turn, 0.1)
    _, b = smooth(EVEN_S, np.zeros((90, 3)), flipped, 0.1)
    assert angle_rad(a, b).max() < 1e-9


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_a_stretch_of_few_frames_stays_finite_and_near(frames):
    root = RNG.normal(0, 1, (frames, 3))
    calm, turn = smooth(EVEN_S[:frames], root, UPRIGHT[:frames], 0.05)
    assert np.isfinite(calm).all() and np.isfinite(turn).all()
    assert np.abs(calm - root).max() < np.ptp(root, axis=0).max() + 1e-9


def test_no_width_changes_nothing():
    root = RNG.normal(0, 1, (90, 3))
    assert smooth(EVEN_S, root, UPRIGHT, 0.0)[0] is root
