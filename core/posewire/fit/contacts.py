"""Which of heels and toes touch the ground: a causal two-state filter on how fast each moves, and how high it is.

A foot point either rests or swings. Each frame's evidence is the log-likelihood ratio
l = EVIDENCE + PER_LOG_SPEED ln(v + SLOWEST) + PER_HEIGHT min(h, HIGHEST), v its speed and h its height above the lowest recent
foot; less d^2 / LEFT^2 of a point at rest, d how far it is from where it landed: a foot that slowly went has gone. The states
change at a steady rate, which makes the flag hold on (Rabiner 1989, "A tutorial on hidden Markov models", the forward recursion).
Up is the world's where it is known; otherwise it is where the trunk has pointed of late, so that a tilted camera changes nothing.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from posewire.data import FloatArray
from posewire.fit.compiled import finite, kernel
from posewire.skeleton import REFERENCE

CONTACT_NAMES = ("left_heel", "left_toe", "right_heel", "right_toe")
FEET = tuple(REFERENCE.index(name) for name in CONTACT_NAMES)
"""Joints of SkeletonPose.contacts."""
UNSURE = 0.5
_PELVIS, _NECK = REFERENCE.index("pelvis"), REFERENCE.index("neck")

# By logistic regression on the live fit of CMU motion, subjects 1 to 6, with the noises of `posewire eval --motion`. The height
# counts for more than there, because feet that are held still in the air are rare in these recordings; the trunk's constant is
# the one with the best F1 for that.
_PER_LOG_SPEED, _SLOWEST_M_S, _HIGHEST_M = -4.13, 0.25, 0.4
_BY_WORLD, _BY_TRUNK = (-0.68, -18.0), (-0.03, -14.0)
"""EVIDENCE and PER_HEIGHT, where the world's up is known and where the trunk tells it."""
_ALONG_OF_SPEED, _ALONG_OF_DISTANCE = 0.22, 0.3
"""Share of a speed, and of a distance, along the line of sight, where a single view is so much noisier."""
_CORRELATED_S = 1 / 60
"""Frames nearer than this repeat each other's noise."""
_CHANGES_PER_S = 20.0
_FLOOR_RISE_M_S = 0.4
"""The lowest recent foot rises this fast until a foot is below it again: stairs, drift."""
_TRUNK_S = 1.0
"""For so long a time where the trunk points is averaged."""
_MOST_EVIDENCE = 8.0
_LEFT_M = 0.07
"""So far from where it landed a point has probably left."""
_CREEP_S, _CREEP_M_S = 0.4, 0.055
"""A landing place creeps along: in about this time, but never faster than this (0.9 mm a frame at 60)."""
_UNSEEN_S = 0.1
"""A foot point that is not seen for a moment is believed to be where the rest of the leg says."""


class Contacts(NamedTuple):
    """What is known of one person's feet."""

    probability: FloatArray
    """(4,) of contact; NaN = not estimated."""
    place_m: FloatArray
    """(4, 3) world, in the frame before."""
    floor_m: FloatArray
    """(3,) the lowest recent foot."""
    up: FloatArray
    """(3,) unit, world axes."""
    landed_m: FloatArray
    """(4, 3) world: where each came to rest, or is."""
    unseen_s: FloatArray
    """(4,) for how long no keypoint of each has been seen."""


def make_contacts() -> Contacts:
    """Nothing known."""
    up = np.array([0.0, 1.0, 0.0])
    return Contacts(np.full(4, np.nan), np.zeros((4, 3)), np.zeros(3), up, np.zeros((4, 3)), np.full(4, np.inf))


@kernel
def begin_contacts(contacts: Contacts, joints_m: FloatArray) -> None:
    """A first pose (N, 3) says nothing of speed."""
    _point_up(contacts, joints_m, 1.0)
    for i in range(3):
        contacts.floor_m[i] = joints_m[FEET[0], i]
    for k in range(4):
        contacts.probability[k] = math.nan
        contacts.unseen_s[k] = math.inf
        _lower_floor(contacts, k, joints_m)
        _remember(contacts, k, joints_m)


@kernel
def _point_up(contacts: Contacts, joints_m: FloatArray, share: float) -> None:
    """Turns up towards the trunk by `share` of the way."""
    up, length2, trunk2 = contacts.up, 0.0, 0.0
    for i in range(3):
        trunk2 += (joints_m[_NECK, i] - joints_m[_PELVIS, i]) ** 2
    for i in range(3):
        up[i] += share * ((joints_m[_NECK, i] - joints_m[_PELVIS, i]) / math.sqrt(trunk2) - up[i])
        length2 += up[i] * up[i]
    for i in range(3):
        up[i] /= math.sqrt(max(length2, 1e-12))


@kernel
def _height_m(contacts: Contacts, k: int, joints_m: FloatArray) -> float:
    """Of foot point k above the lowest recent foot."""
    total = 0.0
    for i in range(3):
        total += contacts.up[i] * (joints_m[FEET[k], i] - contacts.floor_m[i])
    return total


@kernel
def _lower_floor(contacts: Contacts, k: int, joints_m: FloatArray) -> None:
    """To foot point k, where that is below it."""
    if _height_m(contacts, k, joints_m) < 0.0:
        for i in range(3):
            contacts.floor_m[i] = joints_m[FEET[k], i]


@kernel
def _remember(contacts: Contacts, k: int, joints_m: FloatArray) -> None:
    """Where foot point k is."""
    for i in range(3):
        contacts.place_m[k, i] = joints_m[FEET[k], i]


@kernel
def _speed_m_s(contacts: Contacts, k: int, joints_m: FloatArray, sight: FloatArray, step_s: float) -> float:
    """Of foot point k, with less of what is along the line of sight."""
    total = along = 0.0
    for i in range(3):
        v = (joints_m[FEET[k], i] - contacts.place_m[k, i]) / step_s
        total, along = total + v * v, along + v * sight[i]
    return math.sqrt(max(total - (1.0 - _ALONG_OF_SPEED * _ALONG_OF_SPEED) * along * along, 0.0))


@kernel
def apart2_m2(place_m: FloatArray, k: int, joints_m: FloatArray, sight: FloatArray) -> float:
    """Squared distance of foot point k from its place of (4, 3); less of what is along the line of sight."""
    total = along = 0.0
    for i in range(3):
        e = joints_m[FEET[k], i] - place_m[k, i]
        total, along = total + e * e, along + e * sight[i]
    return total - (1.0 - _ALONG_OF_DISTANCE * _ALONG_OF_DISTANCE) * along * along


@kernel
def creep(place_m: FloatArray, k: int, joints_m: FloatArray, step_s: float) -> None:
    """Moves the place (4, 3) of foot point k a little towards where it is now."""
    e2 = 0.0
    for i in range(3):
        e2 += (joints_m[FEET[k], i] - place_m[k, i]) ** 2
    _go_along(place_m, k, joints_m, min(1.0, step_s / _CREEP_S, _CREEP_M_S * step_s / math.sqrt(max(e2, 1e-12))))


@kernel
def _go_along(place_m: FloatArray, k: int, joints_m: FloatArray, share: float) -> None:
    """Moves the place (4, 3) of foot point k by `share` of the way to where it is now."""
    for i in range(3):
        place_m[k, i] += share * (joints_m[FEET[k], i] - place_m[k, i])


@kernel
def _evidence(speed_m_s: float, height_m: float, knows_up: bool) -> float:
    """Log-likelihood ratio of rest and swing."""
    constant, per_height = _BY_WORLD if knows_up else _BY_TRUNK
    total = constant + _PER_LOG_SPEED * math.log(speed_m_s + _SLOWEST_M_S) + per_height * min(height_m, _HIGHEST_M)
    return min(max(total, -_MOST_EVIDENCE), _MOST_EVIDENCE)


@kernel
def _confidence(showing: FloatArray, confidence: FloatArray, joint: int) -> float:
    total = 0.0
    for m in range(len(confidence)):
        total += showing[joint, m] * confidence[m]
    return total


@kernel
def _find_ground(contacts: Contacts, joints_m: FloatArray, step_s: float, knows_up: bool) -> None:
    """Where up is, and the lowest recent foot."""
    if knows_up:
        contacts.up[0], contacts.up[1], contacts.up[2] = 0.0, 1.0, 0.0
    else:
        _point_up(contacts, joints_m, min(step_s / _TRUNK_S, 1.0))
    for i in range(3):
        contacts.floor_m[i] += _FLOOR_RISE_M_S * step_s * contacts.up[i]
    for k in range(4):
        _lower_floor(contacts, k, joints_m)


@kernel
def _believed(probability: float, evidence: float, step_s: float) -> float:
    """The probability of rest after a step with this evidence; `probability`: before it, NaN = not estimated."""
    p = probability if finite(probability) else UNSURE
    p += (1.0 - 2.0 * p) * min(_CHANGES_PER_S * step_s, 0.5)
    odds = p / (1.0 - p) * math.exp(min(step_s / _CORRELATED_S, 1.0) * evidence)
    return odds / (1.0 + odds)


@kernel
def feel_ground(
    contacts: Contacts,
    joints_m: FloatArray,
    sight: FloatArray,
    showing: FloatArray,
    confidence: FloatArray,
    step_s: float,
    knows_up: bool,
) -> None:
    """Takes a pose's joints (N, 3) in; showing (N, M) and confidence (M,) tell which were seen."""
    _find_ground(contacts, joints_m, step_s, knows_up)
    for k in range(4):
        speed_m_s, height_m = _speed_m_s(contacts, k, joints_m, sight, step_s), _height_m(contacts, k, joints_m)
        rested, evidence = contacts.probability[k] > UNSURE, _evidence(speed_m_s, height_m, knows_up)
        if rested:
            evidence -= min(apart2_m2(contacts.landed_m, k, joints_m, sight) / (_LEFT_M * _LEFT_M), _MOST_EVIDENCE)
        contacts.unseen_s[k] = 0.0 if _confidence(showing, confidence, FEET[k]) > 0.0 else contacts.unseen_s[k] + step_s
        believed = _believed(contacts.probability[k], evidence, step_s)
        contacts.probability[k] = believed if contacts.unseen_s[k] < _UNSEEN_S else math.nan
        if rested:
            creep(contacts.landed_m, k, joints_m, step_s)
        else:
            _go_along(contacts.landed_m, k, joints_m, 1.0)
        _remember(contacts, k, joints_m)
