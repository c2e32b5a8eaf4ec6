"""Left and right confused by the method, mended against where the motion so far puts every point.

For arms, legs and face apart: cost of the labels as they came against the cost with the two sides exchanged, each the sum of
capped squared distances to the expected places, and of how far hips or shoulders look another way than the trunk did of late
(which a few bad frames do not change). What was exchanged in the frame before still is, unless the labels are clearly right:
where a confusion ends there are frames that fit neither way.

Nothing latches. The sides that were right for longer in the last seconds are right: when they have been exchanged for longer than
not, the fit was wrong and turns around; exchanged ones count less where the front speaks for them. What the distances miss,
because it comes little by little, facing.py finds.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from posewire.data import FloatArray
from posewire.fit.compiled import finite, kernel
from posewire.fit.expectation import Expectation
from posewire.fit.observation import Observation
from posewire.fit.points import ARMS, FACE, GROUPS, IntArray, Points

_SIGMA_M, _SIGMA_PX_M, _CAP = 0.12, 0.06, 9.0
_FACING, _WIDE_M = 2.0, 0.15
"""What looking the other way costs, in squared deviations of each point; hips and shoulders seen narrower than this say less."""
_SURELY, _CLEARLY = 0.5, 2.0
MEMORY_S, HEADSTART_S = 3.0, 0.8
"""How long it is remembered which labels held; by how much longer exchanged ones must have held to be the right ones."""


class Sides(NamedTuple):
    """What is remembered about the labels of each of the GROUPS."""

    exchanged: FloatArray
    """(GROUPS,) 1 where they are exchanged."""
    longer_s: FloatArray
    """(GROUPS,) by how much longer they have been exchanged than not, of late."""
    held: FloatArray
    """(GROUPS,) 1 while the fit follows what is believed."""
    against_s: FloatArray
    """(GROUPS,) for how long witnesses have spoken against the labels of arms and legs, times how many."""
    across: FloatArray
    """(3,) twice the unit vector from the right to the left of the trunk, of late; world axes."""
    up: FloatArray
    """(3,) the trunk's in the frame in hand, unit."""
    front: FloatArray
    """(GROUPS,) 1 where what lies in front is in front of shoulders (ARMS) and hips (LEGS), -1 where it is behind."""
    way: FloatArray
    """(GROUPS, 3) from right to left, square to it: of the shoulders (ARMS) and of the hips (LEGS), unit."""


def make_sides() -> Sides:
    """The labels are right."""
    return Sides(
        np.zeros(GROUPS),
        np.zeros(GROUPS),
        np.zeros(GROUPS),
        np.zeros(GROUPS),
        np.zeros(3),
        np.zeros(3),
        np.zeros(GROUPS),
        np.zeros((GROUPS, 3)),
    )


@kernel
def _distance2(seen: Observation, m: int, n: int, expectation: Expectation, size_ratio: float, px_m: float) -> float:
    """Capped squared distance, in deviations, of what was seen as n to where m is expected."""
    far3 = far2 = 0.0
    for i in range(3):
        far3 += (size_ratio * seen.raw_m[n, i] - expectation.position_m[m, i]) ** 2
    for i in range(2):
        far2 += (px_m * (seen.pixel_px[n, i] - expectation.pixel_px[m, i])) ** 2
    total = 0.0
    if finite(far3):
        total += min(far3 / _SIGMA_M**2, _CAP)
    if finite(far2):
        total += min(far2 / _SIGMA_PX_M**2, _CAP)
    return total


@kernel
def _faces(seen: Observation, pair: IntArray, across: FloatArray) -> float:
    """1 where left and right of hips or shoulders lie as the trunk did of late, -1 the other way round, 0 = cannot be said."""
    if min(pair[0], pair[1]) < 0:
        return 0.0
    length2 = along = was2 = 0.0
    for i in range(3):
        a = seen.raw_m[pair[0], i] - seen.raw_m[pair[1], i]
        length2, along, was2 = length2 + a * a, along + a * across[i], was2 + across[i] * across[i]
    length = math.sqrt(length2) if finite(length2) else 0.0
    return along / (2.0 * length) * min(1.0, length / _WIDE_M) if length > 1e-6 else 0.0


@kernel
def is_swapped(
    seen: Observation,
    points: Points,
    group: int,
    expectation: Expectation,
    size_ratio: float,
    px_m: float,
    was: bool,
    across: FloatArray,
) -> bool:
    """Whether the sides of a group are exchanged: as in the frame before, unless the other way is clearly nearer to the expected
    places; px_m: metres per pixel."""
    kept = swapped = worth = 0.0
    faces = _faces(seen, points.shoulders if group == ARMS else points.hips, across) if group != FACE else 0.0
    for m in range(len(points.group)):
        if points.group[m] == group and min(seen.confidence[m], seen.confidence[points.partner[m]]) > 0.0:
            w = points.share[m]
            worth += w
            kept += w * _distance2(seen, m, m, expectation, size_ratio, px_m)
            swapped += w * _distance2(seen, m, points.partner[m], expectation, size_ratio, px_m)
    kept, swapped = kept + _FACING * worth * (1.0 - faces), swapped + _FACING * worth * (1.0 + faces)
    if was:
        return worth > 0.0 and not (kept < _SURELY * swapped and swapped - kept > _CLEARLY * worth)
    return worth > 0.0 and swapped < _SURELY * kept and kept - swapped > _CLEARLY * worth


@kernel
def exchange(seen: Observation, points: Points, group: int) -> None:
    """Exchanges the sides of a group."""
    for m in range(len(points.group)):
        n = points.partner[m]
        if points.group[m] == group and m < n:
            for i in range(3):
                seen.raw_m[m, i], seen.raw_m[n, i] = seen.raw_m[n, i], seen.raw_m[m, i]
            for i in range(2):
                seen.pixel_px[m, i], seen.pixel_px[n, i] = seen.pixel_px[n, i], seen.pixel_px[m, i]
            seen.confidence[m], seen.confidence[n] = seen.confidence[n], seen.confidence[m]


@kernel
def mend(
    seen: Observation,
    points: Points,
    expectation: Expectation,
    size_ratio: float,
    px_m: float,
    step_s: float,
    sides: Sides,
) -> bool:
    """Mends each group; whether the labels of one are believed from now on, so that the fit has to follow."""
    changed = False
    for group in range(GROUPS):
        was = sides.exchanged[group] > 0.0
        swapped = is_swapped(seen, points, group, expectation, size_ratio, px_m, was, sides.across)
        if sides.held[group] > 0.0:  # until the fit has followed
            sides.held[group] = 1.0 if swapped != was else 0.0
            swapped = was
        sides.longer_s[group] *= max(0.0, 1.0 - step_s / MEMORY_S)
        sides.longer_s[group] += step_s * min(1.0, 1.0 - sides.front[group]) if swapped else -step_s
        if sides.longer_s[group] > HEADSTART_S:
            sides.longer_s[group], sides.held[group] = -sides.longer_s[group], 1.0
            sides.across[:] = 0.0
            changed, swapped = True, False
        sides.exchanged[group] = 1.0 if swapped else 0.0
        if swapped:
            exchange(seen, points, group)
    return changed
