"""Feet that touch the ground stay where they landed: a second, short solve of the fitted pose with the contact term.

Only what is said is held. The fit's own memory stays free, so that a lifted foot is seen to lift and a wrong contact does not
last. A foot point is held from the frame after it lands, with the weight w h / (1 + d^2 / gate^2)^2 at distance d between the
free pose and the place where it landed: what the data contradicts is let go. h is 1 while the point rests, then little, and
fades, so that a heel that has left the ground does not drag the toe that still rests. The place creeps towards the free pose,
slower than anybody sees, so that a foot that landed wrongly does not bend the leg for long.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from posewire.data import FloatArray
from posewire.fit.body import Body, Workspace
from posewire.fit.compiled import kernel
from posewire.fit.contacts import FEET, UNSURE, Contacts, apart2_m2, creep
from posewire.fit.kept import Kept, keep, put_back
from posewire.fit.solver import minimise
from posewire.fit.targets import Targets

STEPS = 3
"""Levenberg-Marquardt steps from the free pose, which is near."""
# Chosen on CMU motion, subjects 1 to 6, with the noises of `posewire eval --motion`.
_GATE_M = 0.15
_RELEASED, _FADE_S = 0.1, 0.05
"""Share of the weight of a point that has just left the ground, and the time in which it fades."""
_GONE = 0.02


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
    return apart2_m2(hold.place_m, k, joints_m, sight) / (_GATE_M * _GATE_M)


@kernel
def _fade(hold: Hold, contacts: Contacts, step_s: float) -> bool:
    """Lets go of what has left the ground; whether anything is held still."""
    holds = False
    for k in range(4):
        if not contacts.probability[k] > UNSURE:
            hold.share[k] = min(hold.share[k], _RELEASED) * math.exp(-step_s / _FADE_S)
        if hold.share[k] < _GONE:
            hold.share[k] = 0.0
        holds = holds or hold.share[k] > 0.0
    return holds


@kernel
def _ask(hold: Hold, joints_m: FloatArray, weight: float, step_s: float, targets: Targets) -> None:
    """Sets the contact term against the free joints (N, 3)."""
    for k in range(4):
        far2 = _apart2(hold, k, joints_m, targets.sight)
        targets.contact_w[FEET[k]] = weight * hold.share[k] / ((1.0 + far2) * (1.0 + far2))
        creep(hold.place_m, k, joints_m, step_s)
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
