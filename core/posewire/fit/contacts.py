"""Which of heels and toes touch the ground: a causal two-state filter on how fast each moves, and on its height.

A foot point either rests or swings. Each frame's evidence is the log-likelihood ratio of its speed, Rayleigh in both states:
l = 2 ln(s_swing / s_rest) - v^2 / 2 (1 / s_rest^2 - 1 / s_swing^2);  s_rest is what the fit's noise makes of a still foot.
Where the world's up is known, a point high above the lowest recent foot is less likely to rest. The states change at a steady
rate, which makes the flag hold on (Rabiner 1989, "A tutorial on hidden Markov models", the forward recursion).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from posewire.data import FloatArray
from posewire.fit.compiled import finite, kernel
from posewire.fit.motion import Motion
from posewire.skeleton import REFERENCE

CONTACT_NAMES = ("left_heel", "left_toe", "right_heel", "right_toe")
FEET = tuple(REFERENCE.index(name) for name in CONTACT_NAMES)
"""Joints of SkeletonPose.contacts."""
UNSURE = 0.5

# The first seven by a search on 19 clips of CMU motion, subjects 1 to 12, with the noises of `posewire eval --motion`.
_REST_M_S, _SWING_M_S = 0.185, 0.69
_LEAST_EVIDENCE = -1.3
_ALONG = 0.22
"""Share of the speed along the line of sight, where a single view is so much noisier."""
_FILTERED = 0.02
"""Share of the filtered velocity against the last step's."""
_CORRELATED_S = 0.012
"""Frames nearer than this repeat each other's noise."""
_CHANGES_PER_S = 11.5
_HEIGHT_EVIDENCE, _HEIGHT_M = 1.5, 0.12
_LEAST_HEIGHT_EVIDENCE = -4.0
_FLOOR_RISE_M_S = 0.15
"""The lowest recent foot height rises this fast until a foot is below it again: stairs, drift."""


class Contacts(NamedTuple):
    """What is known of one person's feet."""

    probability: FloatArray
    """(4,) of contact; NaN = not estimated."""
    place_m: FloatArray
    """(4, 3) world, in the frame before."""
    floor_m: FloatArray
    """(1,) the lowest recent foot height along the world's up."""


def make_contacts() -> Contacts:
    """Nothing known."""
    return Contacts(np.full(4, np.nan), np.zeros((4, 3)), np.zeros(1))


@kernel
def begin_contacts(contacts: Contacts, joints_m: FloatArray) -> None:
    """A first pose (N, 3) says nothing of speed."""
    contacts.floor_m[0] = math.inf
    for k in range(4):
        contacts.probability[k] = math.nan
        _remember(contacts, k, joints_m)


@kernel
def _remember(contacts: Contacts, k: int, joints_m: FloatArray) -> None:
    contacts.floor_m[0] = min(contacts.floor_m[0], joints_m[FEET[k], 1])
    for i in range(3):
        contacts.place_m[k, i] = joints_m[FEET[k], i]


@kernel
def _speed2(
    contacts: Contacts, k: int, joints_m: FloatArray, velocity_m_s: FloatArray, sight: FloatArray, step_s: float
) -> float:
    """Squared speed of foot point k, with less of what is along the line of sight."""
    total = along = 0.0
    for i in range(3):
        last = (joints_m[FEET[k], i] - contacts.place_m[k, i]) / step_s
        v = _FILTERED * velocity_m_s[FEET[k], i] + (1.0 - _FILTERED) * last
        total, along = total + v * v, along + v * sight[i]
    return total - (1.0 - _ALONG * _ALONG) * along * along


@kernel
def _evidence(speed2: float, height_m: float) -> float:
    """Log-likelihood ratio of rest and swing; height NaN = unknown."""
    speed = 2.0 * math.log(_SWING_M_S / _REST_M_S) - 0.5 * speed2 * (_REST_M_S**-2 - _SWING_M_S**-2)
    height = _HEIGHT_EVIDENCE * (1.0 - (height_m / _HEIGHT_M) ** 2) if finite(height_m) else 0.0
    return max(speed, _LEAST_EVIDENCE) + max(height, _LEAST_HEIGHT_EVIDENCE)


@kernel
def _confidence(showing: FloatArray, confidence: FloatArray, joint: int) -> float:
    total = 0.0
    for m in range(len(confidence)):
        total += showing[joint, m] * confidence[m]
    return total


@kernel
def feel_ground(
    contacts: Contacts,
    joints_m: FloatArray,
    motion: Motion,
    sight: FloatArray,
    showing: FloatArray,
    confidence: FloatArray,
    step_s: float,
    knows_up: bool,
) -> None:
    """Takes a pose's joints (N, 3) in; showing (N, M) and confidence (M,) tell which were seen."""
    contacts.floor_m[0] += _FLOOR_RISE_M_S * step_s
    for k in range(4):
        contacts.floor_m[0] = min(contacts.floor_m[0], joints_m[FEET[k], 1])
    for k in range(4):
        p = contacts.probability[k] if finite(contacts.probability[k]) else UNSURE
        p += (1.0 - 2.0 * p) * min(_CHANGES_PER_S * step_s, 0.5)
        height_m = joints_m[FEET[k], 1] - contacts.floor_m[0] if knows_up else math.nan
        evidence = _evidence(_speed2(contacts, k, joints_m, motion.velocity_m_s, sight, step_s), height_m)
        odds = p / (1.0 - p) * math.exp(min(step_s / _CORRELATED_S, 1.0) * evidence)
        contacts.probability[k] = odds / (1.0 + odds) if _confidence(showing, confidence, FEET[k]) > 0.0 else math.nan
        _remember(contacts, k, joints_m)
