"""Which of heels and toes touch the ground, with what comes later known: as fit.contacts, but forward and backward in time.

The same two states, and evidence of the same features (fit.gait.FEATURES), found in the smoothed motion without delay: speeds are
between the frame before and the frame after, means are of the time around. The probability is that of the forward-backward
recursion (Rabiner 1989, equation 27).
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d

from posewire.data import FloatArray
from posewire.fit.gait import ALONG, FEET, HIGHEST_M, SHORTEST_M, SLOWEST_M_S, WALKING_M_S
from posewire.skeleton import REFERENCE

# `PYTHONPATH=tests/fit python tests/solve/learn_touching.py` printed them, when those of contacts.py were: logistic regression on
# the solves of CMU motion, subjects 1 to 6, with the noises of `posewire eval --motion`. Where up is known it is also shown feet
# held still in the air.
_BY_TRUNK = np.array(
    [
        (-0.151, -14.1, -0.607, -2.91, -1.61, -2.04, 0.278, -0.129, -0.454, 0.277),
        (-1.22, -8.82, -2.03, 0.362, -3.83, -2.95, -0.143, -0.602, -0.433, 0.833),
    ]
)
_BY_WORLD = np.array(
    [
        (0.488, -17.3, 0.664, -3.91, -0.78, -1.13, 0.276, -0.486, -0.23, -0.824),
        (0.865, -42.6, -0.478, -0.835, -3.78, -2.28, -0.0201, -0.253, -0.174, 0.576),
    ]
)
"""(2, 1 + FEATURES): heel or toe; a constant and the weights of fit.gait.FEATURES."""
_RECENT_S, _LATE_S, _WALK_S, _TRUNK_S, _LOWEST_S = 0.06, 0.3, 0.3, 1.0, 0.5
"""Deviations of the times over which are averaged: velocity, place, the walk, the trunk; half the time of the lowest foot."""
_CORRELATED_S, _CHANGES_PER_S = 0.08, 5.0
"""Frames nearer than the first repeat each other."""
_MOST_EVIDENCE = 8.0
_PELVIS, _NECK = REFERENCE.index("pelvis"), REFERENCE.index("neck")
_END, _OTHER = [1, 0, 3, 2], [2, 3, 0, 1]
"""Of each of FEET: the same foot's other end, the other foot's same end."""


def touching(time_s: FloatArray, joints_m: FloatArray, camera_m: FloatArray, up: FloatArray | None) -> FloatArray:
    """(R, 4) probability that each of fit.gait.CONTACT_NAMES rests on the ground.

    Args:
        time_s: (R,) increasing.
        joints_m: (R, N, 3) world.
        camera_m: (R, 3) where the camera stands, world.
        up: (3,) the world's up; None = not known, the trunk tells.
    """
    if len(time_s) < 2:
        return np.full((len(time_s), len(FEET)), np.nan)
    weights = np.tile(_BY_TRUNK if up is None else _BY_WORLD, (2, 1))  # (4, 1 + F)
    evidence = weights[:, 0] + np.einsum("rkf,kf->rk", features(time_s, joints_m, camera_m, up), weights[:, 1:])
    share = np.minimum(np.gradient(time_s) / _CORRELATED_S, 1.0)
    return _forward_backward(share[:, None] * np.clip(evidence, -_MOST_EVIDENCE, _MOST_EVIDENCE), np.diff(time_s))


def features(time_s: FloatArray, joints_m: FloatArray, camera_m: FloatArray, up: FloatArray | None) -> FloatArray:
    """(R, 4, FEATURES) of FEET."""
    feet_m, pelvis_m = joints_m[:, FEET], joints_m[:, _PELVIS]
    ups = np.broadcast_to(_ups(time_s, joints_m) if up is None else up, pelvis_m.shape)
    sight = (pelvis_m - camera_m) / np.maximum(np.linalg.norm(pelvis_m - camera_m, axis=1, keepdims=True), 1e-9)
    velocity_m_s = np.gradient(feet_m, time_s, axis=0)
    recent = np.log(_lengths(_mean(time_s, velocity_m_s, _RECENT_S), sight) + SLOWEST_M_S)
    way = np.log(_lengths(feet_m - _mean(time_s, feet_m, _LATE_S), sight) + SHORTEST_M)
    walk = _walk(time_s, pelvis_m, ups)
    ahead_m, faster_m_s = _along(feet_m - pelvis_m[:, None], walk), _along(velocity_m_s, walk)
    columns = (
        np.minimum(_heights_m(time_s, feet_m, ups), HIGHEST_M),
        np.log(_lengths(velocity_m_s, sight) + SLOWEST_M_S),
        recent,
        recent[:, _END],
        recent - recent.min(axis=1, keepdims=True),
        way[:, _OTHER],
        ahead_m - ahead_m[:, _OTHER],
        faster_m_s - faster_m_s[:, _OTHER],
        np.abs(ahead_m),
    )
    return np.stack(columns, axis=-1)


def _mean(time_s: FloatArray, values: FloatArray, deviation_s: float) -> FloatArray:
    """(R, ...) of the time around."""
    return np.asarray(gaussian_filter1d(values, deviation_s / float(np.median(np.diff(time_s))), axis=0, mode="nearest"))


def _along(vectors: FloatArray, direction: FloatArray) -> FloatArray:
    """(R, 4) of vectors (R, 4, 3) on directions (R, 3)."""
    return np.einsum("rkc,rc->rk", vectors, direction)


def _lengths(vectors: FloatArray, sight: FloatArray) -> FloatArray:
    """(R, 4) of vectors (R, 4, 3), with less of what is along the line of sight (R, 3)."""
    along = _along(vectors, sight)
    return np.sqrt(np.maximum(np.sum(vectors * vectors, axis=-1) - (1.0 - ALONG**2) * along**2, 0.0))


def _walk(time_s: FloatArray, pelvis_m: FloatArray, ups: FloatArray) -> FloatArray:
    """(R, 3) where the body goes, level; shorter than 1 where it hardly does."""
    velocity_m_s = _mean(time_s, np.gradient(pelvis_m, time_s, axis=0), _WALK_S)
    level_m_s = velocity_m_s - np.sum(velocity_m_s * ups, axis=1, keepdims=True) * ups
    return level_m_s / np.maximum(np.linalg.norm(level_m_s, axis=1, keepdims=True), WALKING_M_S)


def _ups(time_s: FloatArray, joints_m: FloatArray) -> FloatArray:
    """(R, 3) where the trunk points, a second around."""
    trunk = joints_m[:, _NECK] - joints_m[:, _PELVIS]
    up = _mean(time_s, trunk, _TRUNK_S)
    return up / np.maximum(np.linalg.norm(up, axis=1, keepdims=True), 1e-9)


def _heights_m(time_s: FloatArray, feet_m: FloatArray, ups: FloatArray) -> FloatArray:
    """(R, 4) above the lowest foot of the time around, along ups (R, 3)."""
    first = np.searchsorted(time_s, time_s - _LOWEST_S)
    last = np.searchsorted(time_s, time_s + _LOWEST_S, side="right")
    lowest = np.array([(feet_m[a:b] @ u).min() for a, b, u in zip(first.tolist(), last.tolist(), ups, strict=True)])
    return _along(feet_m, ups) - lowest[:, None]


def _forward_backward(evidence: FloatArray, steps_s: FloatArray) -> FloatArray:
    """Probability (R, 4) of rest, by the log-likelihood ratios (R, 4) and the time between frames (R - 1,)."""
    change = np.minimum(_CHANGES_PER_S * steps_s, 0.5).tolist()
    forward, backward = np.zeros_like(evidence), np.zeros_like(evidence)
    forward[0] = evidence[0]
    for r in range(1, len(evidence)):
        forward[r] = _later(forward[r - 1], change[r - 1]) + evidence[r]
    for r in range(len(evidence) - 2, -1, -1):
        backward[r] = _later(backward[r + 1] + evidence[r + 1], change[r])
    return 1.0 / (1.0 + np.exp(-forward - backward))


def _later(log_odds: FloatArray, change: float) -> FloatArray:
    """The odds of the two states after a step in which they may have changed."""
    odds = np.exp(log_odds)
    return np.log((odds * (1.0 - change) + change) / (odds * change + (1.0 - change)))
