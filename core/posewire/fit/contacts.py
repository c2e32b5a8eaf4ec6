"""Which of heels and toes touch the ground: a causal two-state filter on how the feet move (gait.py).

A foot point either rests or swings. Each frame's evidence is the log-likelihood ratio l = WEIGHTS . (1, features), for heels and
toes apart; less d^2 / LEFT^2 of a point at rest, d how far it is from where it landed: a foot that slowly went has gone. The
states change at a steady rate (Rabiner 1989, "A tutorial on hidden Markov models", the forward recursion), so fast that below 50
frames a second nothing is left of the frame before: then the features are the memory.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from posewire.data import FloatArray
from posewire.fit.compiled import finite, kernel
from posewire.fit.gait import FEET, Gait, begin_gait, go_along, make_gait, watch

UNSURE = 0.5

# `python tests/fit/learn_contacts.py` printed them, before the gates of weighing.py had their last values: logistic regression on
# the live fit of CMU motion, subjects 1 to 6, with the noises of `posewire eval --motion`. Where up is known it is also shown
# feet that are held still in the air.
_BY_TRUNK = (
    (-1.48, -11.1, -1.96, -0.595, -1.10, -1.32, -0.570, 1.660, -0.214, -1.680),
    (-1.37, -7.21, -1.64, 0.449, -2.36, -1.40, -0.582, 0.695, -0.258, -0.512),
)
_BY_WORLD = (
    (-0.382, -16.4, -0.869, -0.945, -0.909, -1.050, -0.334, 1.360, -0.167, -2.290),
    (-0.182, -27.2, -1.030, 0.179, -2.240, -0.961, -0.370, 0.735, -0.130, -0.986),
)
WEIGHTS = np.array([_BY_TRUNK, _BY_WORLD])
"""(2, 2, 1 + FEATURES): whether up is known; heel or toe; a constant and the weights of gait.FEATURES."""
_ALONG_OF_DISTANCE = 0.3
"""Share of a distance along the line of sight, where a single view is so much noisier."""
_CORRELATED_S = 1 / 60
"""Frames nearer than this repeat each other's noise."""
_CHANGES_PER_S = 25.0
_MOST_EVIDENCE = 8.0
_LEFT_M = 0.1
"""So far from where it landed a point has probably left."""
_CREEP_S, _CREEP_M_S = 0.4, 0.055
"""A landing place creeps along: in about this time, but never faster than this (0.9 mm a frame at 60)."""
_UNSEEN_S = 0.1
"""A foot point that is not seen for a moment is believed to be where the rest of the leg says."""


class Contacts(NamedTuple):
    """What is known of one person's contacts."""

    probability: FloatArray
    """(4,) of contact; NaN = not estimated."""
    landed_m: FloatArray
    """(4, 3) world: where each came to rest, or is."""
    unseen_s: FloatArray
    """(4,) for how long no keypoint of each has been seen."""
    gait: Gait


def make_contacts() -> Contacts:
    """Nothing known."""
    return Contacts(np.full(4, np.nan), np.zeros((4, 3)), np.full(4, np.inf), make_gait())


@kernel
def begin_contacts(contacts: Contacts, joints_m: FloatArray) -> None:
    """A first pose (N, 3) says nothing of speed."""
    begin_gait(contacts.gait, joints_m)
    for k in range(4):
        contacts.probability[k] = math.nan
        contacts.unseen_s[k] = math.inf


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
    go_along(place_m, k, joints_m, min(1.0, step_s / _CREEP_S, _CREEP_M_S * step_s / math.sqrt(max(e2, 1e-12))))


@kernel
def _evidence(gait: Gait, k: int, knows_up: bool) -> float:
    """Log-likelihood ratio of rest and swing of foot point k."""
    weights = WEIGHTS[int(knows_up), k % 2]
    total = weights[0]
    for i in range(gait.features.shape[1]):
        total += weights[1 + i] * gait.features[k, i]
    return min(max(total, -_MOST_EVIDENCE), _MOST_EVIDENCE)


@kernel
def _confidence(showing: FloatArray, confidence: FloatArray, joint: int) -> float:
    total = 0.0
    for m in range(len(confidence)):
        total += showing[joint, m] * confidence[m]
    return total


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
    watch(contacts.gait, joints_m, sight, step_s, knows_up)
    for k in range(4):
        rested, evidence = contacts.probability[k] > UNSURE, _evidence(contacts.gait, k, knows_up)
        if rested:
            evidence -= min(apart2_m2(contacts.landed_m, k, joints_m, sight) / (_LEFT_M * _LEFT_M), _MOST_EVIDENCE)
        contacts.unseen_s[k] = 0.0 if _confidence(showing, confidence, FEET[k]) > 0.0 else contacts.unseen_s[k] + step_s
        believed = _believed(contacts.probability[k], evidence, step_s)
        contacts.probability[k] = believed if contacts.unseen_s[k] < _UNSEEN_S else math.nan
        if rested:
            creep(contacts.landed_m, k, joints_m, step_s)
        else:
            go_along(contacts.landed_m, k, joints_m, 1.0)
