"""Labels that cannot be, because hips or shoulders look the wrong way.

A method may go over to exchanged labels by way of what lies between, and drag the pose along: no frame is far from what is
expected. But then hips or shoulders look elsewhere than three witnesses say, each between -1 and 1:

- what shows the front: the nose to the shoulders, with knees and toes to the hips. Their sum stays what it is when sides are
  exchanged, and counts half as much again;
- how the trunk looked in the last half second, as long as nobody spoke against it;
- the other pair, because hips and shoulders do not look opposite ways.

The witnesses are added up over time, against the labels only, as in Page 1954, "Continuous inspection schemes": what they say
for the labels takes back what they said against them, and nothing more. So two of them who agree win, and one alone, such as the
other pair when that is the one that is wrong, does not.
"""

from __future__ import annotations

import math

from posewire.data import FloatArray
from posewire.fit.compiled import finite, kernel
from posewire.fit.observation import Observation
from posewire.fit.points import ARMS, LEGS, NONE, IntArray, Points
from posewire.fit.swap import Sides, exchange

AGAINST_S = 0.2
"""How long one witness has to speak against the labels alone; three need less than a third of it."""
LOOKED_S = 0.5
"""Over how long it is averaged where the trunk looks."""
_FRONT, _SHOULDERS_M, _HIPS_M = 1.5, 0.2, 0.4
"""What the front counts; how far the nose, counted twice, and that with knees and toes have to lie ahead to be sure of it."""
_NARROW_M = 0.1
"""Hips and shoulders seen narrower than this say less of where they look."""


@kernel
def mend_facing(seen: Observation, points: Points, step_s: float, sides: Sides) -> bool:
    """Exchanges the sides of arms or legs that the witnesses speak against; whether any, so that the fit has to follow."""
    if not _look(seen, points, sides):
        return False
    arms, legs = _witnesses(seen, points, sides, ARMS, LEGS), _witnesses(seen, points, sides, LEGS, ARMS)
    against_s = sides.against_s
    against_s[ARMS], against_s[LEGS] = max(0.0, against_s[ARMS] - step_s * arms), max(0.0, against_s[LEGS] - step_s * legs)
    most_s = max(against_s[ARMS], against_s[LEGS])
    if most_s > AGAINST_S:
        for group in (ARMS, LEGS):
            if against_s[group] > 0.5 * most_s:
                exchange(seen, points, group)
                sides.exchanged[group], sides.held[group] = 1.0 - sides.exchanged[group], 1.0
                sides.front[group] = -sides.front[group]
            against_s[group] = 0.0
        return True
    if min(arms, legs) > 0.0:
        for i in range(3):
            sides.across[i] += min(1.0, step_s / LOOKED_S) * (sides.way[LEGS, i] + sides.way[ARMS, i] - sides.across[i])
    return False


@kernel
def _look(seen: Observation, points: Points, sides: Sides) -> bool:
    """Where the trunk's up and the left of hips and shoulders are; whether they are seen."""
    hips, shoulders, x, up = points.hips, points.shoulders, seen.raw_m, sides.up
    if min(hips[0], hips[1], shoulders[0], shoulders[1]) == NONE:
        return False
    length2 = 0.0
    for i in range(3):
        up[i] = x[shoulders[0], i] + x[shoulders[1], i] - x[hips[0], i] - x[hips[1], i]
        length2 += up[i] * up[i]
    if not (finite(length2) and length2 > 1e-6):
        return False
    for i in range(3):
        up[i] /= math.sqrt(length2)
    return _set_way(x, shoulders, up, sides.way[ARMS]) and _set_way(x, hips, up, sides.way[LEGS])


@kernel
def _set_way(x: FloatArray, pair: IntArray, up: FloatArray, way: FloatArray) -> bool:
    """From the right to the left of a pair, square to `up`, unit."""
    along = length2 = 0.0
    for i in range(3):
        way[i] = x[pair[0], i] - x[pair[1], i]
        along += way[i] * up[i]
    for i in range(3):
        way[i] -= along * up[i]
        length2 += way[i] * way[i]
    if not length2 > 1e-6:
        return False
    for i in range(3):
        way[i] /= math.sqrt(length2)
    return True


@kernel
def _witnesses(seen: Observation, points: Points, sides: Sides, group: int, other: int) -> float:
    """What the three say of a group's labels, together."""
    way, pair, x = sides.way[group], points.hips if group == LEGS else points.shoulders, seen.raw_m
    past = agree = wide = 0.0
    for i in range(3):
        past, agree = past + 0.5 * way[i] * sides.across[i], agree + way[i] * sides.way[other, i]
        wide += way[i] * (x[pair[0], i] - x[pair[1], i])
    count, sure_m = (1, _SHOULDERS_M) if group == ARMS else (len(points.front), _HIPS_M)
    sides.front[group] = max(-1.0, min(1.0, _ahead_m(x, points.front, count, way, sides.up) / sure_m))
    return (_FRONT * sides.front[group] + past + agree) * min(1.0, wide / _NARROW_M)


@kernel
def _ahead_m(x: FloatArray, front: IntArray, count: int, way: FloatArray, up: FloatArray) -> float:
    """How far the first of what lies in front is ahead, where left is `way`."""
    total = 0.0
    for k in range(count):
        tip, a, b = front[k, 0], front[k, 1], front[k, 2]
        ahead = 0.0
        for i in range(3):
            after, last = (i + 1) % 3, (i + 2) % 3
            ahead += (x[tip, i] - 0.5 * (x[a, i] + x[b, i])) * (way[after] * up[last] - way[last] * up[after])
        if tip != NONE and finite(ahead):
            total += 2.0 * ahead if k == 0 else ahead  # two knees, two feet, one nose
    return total
