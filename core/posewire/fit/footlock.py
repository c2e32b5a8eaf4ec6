"""Feet that touch the ground stay where they landed: a second, short solve of the fitted pose with the contact term.

Only what is said is held. The fit's own memory stays free, so that a lifted foot is seen to lift and a wrong contact does not
last. A foot point is held from the frame after it lands, with the weight w h / (1 + d^2 / gate^2)^2 at distance d between the
free pose and the place where it landed: what the data contradicts is let go. h is 1 while the point rests and fades after. The
place creeps towards the free pose, slower than anybody sees, so that a foot that landed wrongly does not bend the leg for long.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from posewire.data import FloatArray
from posewire.fit.body import Body, Workspace
from posewire.fit.compiled import kernel
from posewire.fit.contacts import FEET, UNSURE, Contacts
from posewire.fit.kept import Kept, keep, put_back
from posewire.fit.solver import minimise
from posewire.fit.targets import Targets

STEPS = 3
"""Levenberg-Marquardt steps from the free pose, which is near."""
# Chosen on CMU motion, subjects 1 to 6, with the noises of `posewire eval --motion`.
_GATE_M = 0.07
_ALONG = 0.3
"""Share of a distance along the line of sight, which the fit knows less well."""
_FADE_S = 0.05
_GONE = 0.02
_CREEP_S, _CREEP_M_S = 0.4, 0.04
"""A landing place creeps towards the free pose: in about this time, but never faster than this (0.7 mm a frame at 60)."""


class Hold(NamedTuple):
    """Where one person's feet stand."""

    place_m: FloatArray
    """(4, 3) where each point landed, world."""
    share: FloatArray
    """(4,) of the weight: 1 at rest, 0 free."""


def make_hold() -> Hold:
    """Nothing held."""
    return Hold(np.zeros((4, 3)), np.zeros(4))


@kernel
def let_go(hold: Hold) -> None:
    """At once (a start)."""
    for k in range(4):
        hold.share[k] = 0.0


@kernel
def _apart2(hold: Hold, k: int, joints_m: FloatArray, sight: FloatArray) -> float:
    """Squared distance, in gates, of the free foot point k from where it landed; less of what is along the line of sight."""
    total = along = 0.0
    for i in range(3):
        e = joints_m[FEET[k], i] - hold.place_m[k, i]
        total, along = total + e * e, along + e * sight[i]
    return (total - (1.0 - _ALONG * _ALONG) * along * along) / (_GATE_M * _GATE_M)


@kernel
def _fade(hold: Hold, contacts: Contacts, step_s: float) -> bool:
    """Lets go of what has left the ground; whether anything is held still."""
    holds = False
    for k in range(4):
        if not contacts.probability[k] > UNSURE:
            hold.share[k] *= math.exp(-step_s / _FADE_S)
        if hold.share[k] < _GONE:
            hold.share[k] = 0.0
        holds = holds or hold.share[k] > 0.0
    return holds


@kernel
def _creep(hold: Hold, k: int, joints_m: FloatArray, step_s: float) -> None:
    """Moves the landing place of point k a little towards the free one."""
    e2 = 0.0
    for i in range(3):
        e2 += (joints_m[FEET[k], i] - hold.place_m[k, i]) ** 2
    share = min(1.0, step_s / _CREEP_S, _CREEP_M_S * step_s / math.sqrt(max(e2, 1e-12)))
    for i in range(3):
        hold.place_m[k, i] += share * (joints_m[FEET[k], i] - hold.place_m[k, i])


@kernel
def _ask(hold: Hold, joints_m: FloatArray, weight: float, step_s: float, targets: Targets) -> None:
    """Sets the contact term against the free joints (N, 3)."""
    for k in range(4):
        far2 = _apart2(hold, k, joints_m, targets.sight)
        targets.contact_w[FEET[k]] = weight * hold.share[k] / ((1.0 + far2) * (1.0 + far2))
        _creep(hold, k, joints_m, step_s)
        for i in range(3):
            targets.contact_m[FEET[k], i] = hold.place_m[k, i]


@kernel
def _land(hold: Hold, contacts: Contacts, joints_m: FloatArray) -> None:
    """Remembers where a point has just come to rest."""
    for k in range(4):
        if contacts.probability[k] > UNSURE and hold.share[k] < 1.0:
            hold.share[k] = 1.0
            for i in range(3):
                hold.place_m[k, i] = joints_m[FEET[k], i]


@kernel
def lock_feet(
    body: Body,
    targets: Targets,
    work: Workspace,
    contacts: Contacts,
    hold: Hold,
    weight: float,
    step_s: float,
    free: Kept,
    said: Kept,
) -> None:
    """Says the pose on side 0 with its feet held, and leaves it there free."""
    keep(work, 0, free)
    keep(work, 0, said)
    if _fade(hold, contacts, step_s):
        _ask(hold, free.joints_m, weight, step_s, targets)
        side, _, _ = minimise(body, targets, work, STEPS, 0.0)
        keep(work, side, said)
        targets.contact_w[:] = 0.0
        put_back(body, free, work)
    _land(hold, contacts, said.joints_m)
