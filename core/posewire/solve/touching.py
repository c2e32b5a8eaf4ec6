"""Which of heels and toes touch the ground, with what comes later known: as fit.contacts, but forward and backward in time.

The same two states and the same kind of evidence, l = EVIDENCE + PER_LOG_SPEED ln(v + SLOWEST) + PER_HEIGHT min(h, HIGHEST), of
the smoothed motion: v is the speed between the frame before and the frame after, h the height above the lowest foot of the second
around. The probability is that of the forward-backward recursion (Rabiner 1989, equation 27).
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d

from posewire.data import FloatArray
from posewire.fit.contacts import FEET
from posewire.skeleton import REFERENCE

# By logistic regression on the solves of CMU motion, subjects 1 to 6, with the noises of `posewire eval --motion`. Where up is
# known the height counts for more than there: feet that are held still in the air are rare in these recordings.
_PER_LOG_SPEED, _SLOWEST_M_S, _HIGHEST_M = -4.75, 0.25, 0.4
_BY_WORLD, _BY_TRUNK = (-0.75, -20.0), (-0.9, -11.6)
"""EVIDENCE and PER_HEIGHT, where the world's up is known and where the trunk tells it."""
_ALONG = 0.22
"""Share of the speed along the line of sight."""
_CORRELATED_S, _CHANGES_PER_S = 0.04, 5.0
"""Frames nearer than the first repeat each other."""
_MOST_EVIDENCE = 8.0
_LOWEST_S, _TRUNK_S = 0.5, 1.0
_PELVIS, _NECK = REFERENCE.index("pelvis"), REFERENCE.index("neck")


def touching(time_s: FloatArray, joints_m: FloatArray, camera_m: FloatArray, up: FloatArray | None) -> FloatArray:
    """(R, 4) probability that each of fit.contacts.CONTACT_NAMES rests on the ground.

    Args:
        time_s: (R,) increasing.
        joints_m: (R, N, 3) world.
        camera_m: (R, 3) where the camera stands, world.
        up: (3,) the world's up; None = not known, the trunk tells.
    """
    if len(time_s) < 2:
        return np.full((len(time_s), len(FEET)), np.nan)
    speed_m_s, height_m = features(time_s, joints_m, camera_m, up)
    constant, per_height = _BY_TRUNK if up is None else _BY_WORLD
    evidence = constant + _PER_LOG_SPEED * np.log(speed_m_s + _SLOWEST_M_S) + per_height * np.minimum(height_m, _HIGHEST_M)
    share = np.minimum(np.gradient(time_s) / _CORRELATED_S, 1.0)
    return _forward_backward(share[:, None] * np.clip(evidence, -_MOST_EVIDENCE, _MOST_EVIDENCE), np.diff(time_s))


def features(
    time_s: FloatArray, joints_m: FloatArray, camera_m: FloatArray, up: FloatArray | None
) -> tuple[FloatArray, FloatArray]:
    """Speed, less of it along the line of sight, and height above the lowest foot (R, 4)."""
    feet_m = joints_m[:, FEET]
    v = np.gradient(feet_m, time_s, axis=0)
    sight = joints_m[:, 0] - camera_m
    sight = sight / np.maximum(np.linalg.norm(sight, axis=1, keepdims=True), 1e-9)
    along = np.einsum("rkc,rc->rk", v, sight)
    speed2 = np.sum(v * v, axis=-1) - (1.0 - _ALONG**2) * along**2
    return np.sqrt(np.maximum(speed2, 0.0)), _heights_m(time_s, feet_m, _ups(time_s, joints_m) if up is None else up)


def _ups(time_s: FloatArray, joints_m: FloatArray) -> FloatArray:
    """(R, 3) where the trunk points, a second around."""
    trunk = joints_m[:, _NECK] - joints_m[:, _PELVIS]
    up = gaussian_filter1d(trunk, _TRUNK_S / float(np.median(np.diff(time_s))), axis=0, mode="nearest")
    return np.asarray(up / np.maximum(np.linalg.norm(up, axis=1, keepdims=True), 1e-9))


def _heights_m(time_s: FloatArray, feet_m: FloatArray, up: FloatArray) -> FloatArray:
    """(R, 4) above the lowest foot of the time around, along up (3,) or (R, 3)."""
    ups = np.broadcast_to(up, (len(time_s), 3))
    first = np.searchsorted(time_s, time_s - _LOWEST_S)
    last = np.searchsorted(time_s, time_s + _LOWEST_S, side="right")
    lowest = np.array([(feet_m[a:b] @ u).min() for a, b, u in zip(first.tolist(), last.tolist(), ups, strict=True)])
    return np.asarray(np.einsum("rkc,rc->rk", feet_m, ups) - lowest[:, None])


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
