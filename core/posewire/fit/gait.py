"""How the feet move beside each other and beside the body: what contacts are felt from. No frame ahead is looked at.

A heel or toe by itself says little when the method's errors are slow: they drag it along while it rests and hold it back while it
swings. They do not change the order of a step, though: which of the four points is the slowest, which foot lies behind along the
way that the body goes and is overtaken, how far apart the feet are.
Up is the world's where it is known; otherwise it is where the trunk has pointed of late, so that a tilted camera changes nothing.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from posewire.data import FloatArray
from posewire.fit.compiled import kernel
from posewire.skeleton import REFERENCE

CONTACT_NAMES = ("left_heel", "left_toe", "right_heel", "right_toe")
FEET = tuple(REFERENCE.index(name) for name in CONTACT_NAMES)
"""Joints of SkeletonPose.contacts."""
FEATURES = ("height", "speed", "recent speed", "end's speed", "slower", "other's way", "ahead", "faster", "stride")
"""Of each foot point: height above the lowest recent foot. Logarithms: of its speed now; of late; that of the foot's other end;
how far it is above that of the slowest point; of how far the other foot is from where it was of late. Along the walk: how far it
is ahead of the other foot, how much faster than that, how far from the pelvis, ahead or behind. m, m/s."""
HEIGHT, NOW, RECENT, END, SLOWER, OTHER, AHEAD, FASTER, STRIDE = range(len(FEATURES))

_PELVIS, _NECK = REFERENCE.index("pelvis"), REFERENCE.index("neck")
RECENT_S, LATE_S, WALK_S, TRUNK_S = 0.06, 0.4, 0.2, 1.0
"""Of so long a time are: the recent speed, the other foot's way, the walk, where the trunk points."""
SLOWEST_M_S, SHORTEST_M, HIGHEST_M, WALKING_M_S = 0.25, 0.02, 0.4, 0.2
"""Added to a speed and to a way before the logarithm; heights end here; a body that is slower does not walk, or less."""
ALONG = 0.22
"""Share of a way along the line of sight, where a single view is so much noisier."""
_FLOOR_RISE_M_S = 0.4
"""The lowest recent foot rises this fast until a foot is below it again: stairs, drift."""


class Gait(NamedTuple):
    """What is known of one person's feet."""

    features: FloatArray
    """(4, FEATURES) of CONTACT_NAMES."""
    place_m: FloatArray
    """(4, 3) world, in the frame before."""
    recent_m: FloatArray
    """(4, 3) world: the mean over RECENT_S."""
    late_m: FloatArray
    """(4, 3) world: the mean over LATE_S."""
    pelvis_m: FloatArray
    """(3,) world: the mean over WALK_S."""
    walk: FloatArray
    """(3,) where the body goes, level, world axes; shorter than 1 where it hardly does."""
    floor_m: FloatArray
    """(3,) the lowest recent foot."""
    up: FloatArray
    """(3,) unit, world axes."""


def make_gait() -> Gait:
    """Nothing known."""
    place_m, recent_m, late_m = np.zeros((3, 4, 3))
    pelvis_m, walk, floor_m = np.zeros((3, 3))
    return Gait(np.zeros((4, len(FEATURES))), place_m, recent_m, late_m, pelvis_m, walk, floor_m, np.array([0.0, 1.0, 0.0]))


@kernel
def begin_gait(gait: Gait, joints_m: FloatArray) -> None:
    """A first pose (N, 3) says nothing of speed."""
    _point_up(gait, joints_m, 1.0)
    for i in range(3):
        gait.floor_m[i], gait.pelvis_m[i] = joints_m[FEET[0], i], joints_m[_PELVIS, i]
    for k in range(4):
        _lower_floor(gait, k, joints_m)
        for places_m in (gait.place_m, gait.recent_m, gait.late_m):
            go_along(places_m, k, joints_m, 1.0)


@kernel
def watch(gait: Gait, joints_m: FloatArray, sight: FloatArray, step_s: float, knows_up: bool) -> None:
    """Takes a pose's joints (N, 3) in and finds the features; sight (3,) unit."""
    _find_ground(gait, joints_m, step_s, knows_up)
    _find_walk(gait, joints_m, step_s)
    for k in range(4):
        go_along(gait.recent_m, k, joints_m, -math.expm1(-step_s / RECENT_S))
        go_along(gait.late_m, k, joints_m, -math.expm1(-step_s / LATE_S))
        _look_at_point(gait, k, joints_m, sight, step_s)
    for k in range(4):
        _compare(gait, k, joints_m, step_s)
    for k in range(4):
        go_along(gait.place_m, k, joints_m, 1.0)


@kernel
def go_along(places_m: FloatArray, k: int, joints_m: FloatArray, share: float) -> None:
    """Moves the place (4, 3) of foot point k by `share` of the way to where it is now."""
    for i in range(3):
        places_m[k, i] += share * (joints_m[FEET[k], i] - places_m[k, i])


@kernel
def _point_up(gait: Gait, joints_m: FloatArray, share: float) -> None:
    """Turns up towards the trunk by `share` of the way."""
    up, length2, trunk2 = gait.up, 0.0, 0.0
    for i in range(3):
        trunk2 += (joints_m[_NECK, i] - joints_m[_PELVIS, i]) ** 2
    for i in range(3):
        up[i] += share * ((joints_m[_NECK, i] - joints_m[_PELVIS, i]) / math.sqrt(trunk2) - up[i])
        length2 += up[i] * up[i]
    for i in range(3):
        up[i] /= math.sqrt(max(length2, 1e-12))


@kernel
def _height_m(gait: Gait, k: int, joints_m: FloatArray) -> float:
    """Of foot point k above the lowest recent foot."""
    total = 0.0
    for i in range(3):
        total += gait.up[i] * (joints_m[FEET[k], i] - gait.floor_m[i])
    return total


@kernel
def _lower_floor(gait: Gait, k: int, joints_m: FloatArray) -> None:
    """To foot point k, where that is below it."""
    if _height_m(gait, k, joints_m) < 0.0:
        for i in range(3):
            gait.floor_m[i] = joints_m[FEET[k], i]


@kernel
def _find_ground(gait: Gait, joints_m: FloatArray, step_s: float, knows_up: bool) -> None:
    """Where up is, and the lowest recent foot."""
    if knows_up:
        gait.up[0], gait.up[1], gait.up[2] = 0.0, 1.0, 0.0
    else:
        _point_up(gait, joints_m, min(step_s / TRUNK_S, 1.0))
    for i in range(3):
        gait.floor_m[i] += _FLOOR_RISE_M_S * step_s * gait.up[i]
    for k in range(4):
        _lower_floor(gait, k, joints_m)


@kernel
def _find_walk(gait: Gait, joints_m: FloatArray, step_s: float) -> None:
    """Where the body goes: what is away from its mean place over a time, is so much faster in that time."""
    rise, speed2 = 0.0, 0.0
    for i in range(3):
        gait.pelvis_m[i] -= math.expm1(-step_s / WALK_S) * (joints_m[_PELVIS, i] - gait.pelvis_m[i])
        gait.walk[i] = (joints_m[_PELVIS, i] - gait.pelvis_m[i]) / WALK_S
        rise += gait.walk[i] * gait.up[i]
    for i in range(3):
        gait.walk[i] -= rise * gait.up[i]
        speed2 += gait.walk[i] * gait.walk[i]
    for i in range(3):
        gait.walk[i] /= max(math.sqrt(speed2), WALKING_M_S)


@kernel
def _way_m(places_m: FloatArray, k: int, joints_m: FloatArray, sight: FloatArray) -> float:
    """Of foot point k from its place of (4, 3), with less of what is along the line of sight."""
    total = along = 0.0
    for i in range(3):
        e = joints_m[FEET[k], i] - places_m[k, i]
        total, along = total + e * e, along + e * sight[i]
    return math.sqrt(max(total - (1.0 - ALONG * ALONG) * along * along, 0.0))


@kernel
def _look_at_point(gait: Gait, k: int, joints_m: FloatArray, sight: FloatArray, step_s: float) -> None:
    """What foot point k does, and what it is to the others."""
    other, end = (k + 2) % 4, k + 1 - 2 * (k % 2)
    recent = math.log(_way_m(gait.recent_m, k, joints_m, sight) / RECENT_S + SLOWEST_M_S)
    gait.features[k, HEIGHT] = min(_height_m(gait, k, joints_m), HIGHEST_M)
    gait.features[k, NOW] = math.log(_way_m(gait.place_m, k, joints_m, sight) / step_s + SLOWEST_M_S)
    gait.features[k, RECENT] = gait.features[end, END] = recent
    gait.features[other, OTHER] = math.log(_way_m(gait.late_m, k, joints_m, sight) + SHORTEST_M)


@kernel
def _compare(gait: Gait, k: int, joints_m: FloatArray, step_s: float) -> None:
    """Foot point k with the others."""
    features, other = gait.features, (k + 2) % 4
    slowest = min(min(features[0, RECENT], features[1, RECENT]), min(features[2, RECENT], features[3, RECENT]))
    ahead = faster = stride = 0.0
    for i in range(3):
        mine_m, theirs_m = joints_m[FEET[k], i], joints_m[FEET[other], i]
        ahead += gait.walk[i] * (mine_m - theirs_m)
        faster += gait.walk[i] * (mine_m - gait.place_m[k, i] - theirs_m + gait.place_m[other, i])
        stride += gait.walk[i] * (mine_m - joints_m[_PELVIS, i])
    features[k, SLOWER] = features[k, RECENT] - slowest
    features[k, AHEAD], features[k, FASTER], features[k, STRIDE] = ahead, faster / step_s, abs(stride)
