"""What nothing shows: a trunk whose hips are outside the picture stands upright, and limbs go to where they rest.

Somebody before a webcam shows head and shoulders. A method's 3D is measured from hips that it made up then, and what it says of
arms and legs comes and goes: the rest of the character should stand still, not lean, kick, or stay where it was seen last.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from posewire.data import FloatArray
from posewire.fit.body import Body, IntArray, Workspace
from posewire.fit.compiled import finite, kernel
from posewire.fit.observation import Observation
from posewire.fit.points import Points
from posewire.fit.targets import Targets
from posewire.skeleton import Skeleton

_HANGING_DEG = {"left_shoulder_elevation": -80.0, "left_elbow_flexion": -15.0}
"""Of an arm at rest, from the T-pose; the right one's are mirrored. Every other angle rests at 0."""
_TRUNK = ("spine", "chest")
_BOWED, _LYING = 0.5, 0.1
"""Cosine of how far a pelvis leans under which unseen legs still stand, and from which they go on in its direction."""
_EARLIEST_S, _LATEST_S = 0.25, 1.0
"""When a joint that nothing shows begins to go to where it rests, and when it is drawn there fully."""
REST_RAD_S = 6.0
"""How fast it is drawn there at most; damping leaves one or two of it."""
_HIPS_S = 0.3
"""In how long a trunk whose hips are not seen any more stands up: at once would be a jump."""
_AGAIN = 2.0
"""How many times as fast that is forgotten when something shows it again."""


class Unseen(NamedTuple):
    """What is not seen of a person, for how long, and where it rests."""

    ease_rad: FloatArray
    """(D,) where the angles of a limb come to rest: an arm at the side."""
    bows: FloatArray
    """(D,) 1 for an angle of the trunk that bows it: hips show how a pelvis is turned and tilted, thighs how far it is bowed."""
    hangs: FloatArray
    """(N,) 1 for a joint on the pelvis from which a bone points down: a hip."""
    showable: FloatArray
    """(N,) how many of the method's markers a joint turns; 0 = nothing ever shows how."""
    leg: IntArray
    """(M,) the hip joint that turns a marker, -1 = none does."""
    beyond: FloatArray
    """(N,) scratch: how many of the seen markers a joint turns."""
    for_s: FloatArray
    """(N,) for how long nothing has shown how a joint turns."""
    legs_s: FloatArray
    """(1,) the same of legs below the hips."""
    hips_s: FloatArray
    """(1,) the same of hips, at most _HIPS_S."""
    shift_m: FloatArray
    """(3,) from the method's pelvis to one straight below the shoulders."""


def make_unseen(body: Body, skeleton: Skeleton) -> Unseen:
    """Nothing is seen yet."""
    N, parents = len(skeleton.names), skeleton.parents
    mirrored = {name.replace("left_", "right_"): -angle for name, angle in _HANGING_DEG.items()}
    ease_rad = np.radians([(_HANGING_DEG | mirrored).get(name, 0.0) for name in skeleton.dof_names])
    bows = np.array([float(dof.joint in _TRUNK and dof.axis[0] == 1.0) for dof in skeleton.dofs])
    hangs, showable = np.zeros((2, N))
    for above, offset_m in zip(parents, skeleton.offsets_m, strict=True):
        if above > 0 and parents[above] == 0 and -offset_m[1] > abs(offset_m[0]):
            hangs[above] = 1.0
    leg = np.full(len(body.marker_joint), -1, dtype=np.int64)
    for m in range(body.markers):
        joint = int(body.marker_joint[m])
        joint = parents[joint] if body.marker_place[m] == joint else joint  # a joint does not turn its own centre
        while joint >= 0:
            showable[joint] += 1.0
            leg[m] = joint if hangs[joint] else leg[m]
            joint = parents[joint]
    return Unseen(ease_rad, bows, hangs, showable, leg, np.zeros(N), np.zeros(N), np.zeros(1), np.zeros(1), np.zeros(3))


@kernel
def stands(work: Workspace) -> float:
    """1 where the pelvis of the pose so far is upright or bowed, 0 where somebody lies or stands on the hands."""
    q = work.root_wxyz[0]
    up = 1.0 - 2.0 * (q[1] * q[1] + q[3] * q[3])
    return min(max((up - _LYING) / (_BOWED - _LYING), 0.0), 1.0)


@kernel
def stand_trunk(
    body: Body, points: Points, size_ratio: float, step_s: float, upright: float, seen: Observation, unseen: Unseen
) -> None:
    """Moves the 3D above the hips to a pelvis straight below the shoulders while no hip is seen, by how `upright` somebody is.

    The world's up is +Y. While a shoulder is not seen the last shift holds.
    """
    left, right = points.shoulders[0], points.shoulders[1]
    if points.hips[0] < 0 or left < 0:
        return
    hips = max(seen.confidence[points.hips[0]], seen.confidence[points.hips[1]])
    unseen.hips_s[0] = _longer(unseen.hips_s[0], step_s, bool(hips > 0.0), _HIPS_S)
    height_m, joint = 0.0, body.marker_joint[left]
    while joint > 0:
        height_m += body.offsets_m[joint, 1]
        joint = body.parents[joint]
    for i in range(3):
        shift_m = (height_m / size_ratio if i == 1 else 0.0) - 0.5 * (seen.raw_m[left, i] + seen.raw_m[right, i])
        if finite(shift_m):
            unseen.shift_m[i] = shift_m
        elif step_s <= 0.0:
            unseen.shift_m[i] = 0.0
        for m in range(body.markers):
            if unseen.leg[m] < 0 and m != points.hips[0] and m != points.hips[1]:
                seen.raw_m[m, i] += upright * unseen.hips_s[0] / _HIPS_S * unseen.shift_m[i]


@kernel
def notice(body: Body, worth: FloatArray, step_s: float, unseen: Unseen) -> None:
    """Counts for how long nothing has shown how each joint turns; step_s 0 begins.

    Something does where markers that are worth (M,) anything lie on both sides of the joint. What carries everything that is
    seen shows no more than what carries nothing of it, because the root turns as well. A leg that is seen again is worth
    something only after a moment: at the picture's edge methods see it in one frame and not in the next.
    """
    beyond = unseen.beyond
    beyond[:] = 0.0
    for m in range(body.markers):
        if worth[m] > 0.0:
            j = body.marker_joint[m]
            if body.marker_place[m] == j:  # where the joint's own axes meet
                j = body.parents[j]
            while j >= 0:
                beyond[j] += 1.0
                j = body.parents[j]
    seen, legs = np.sum(worth > 0.0), 0.0
    for j in range(1, len(beyond)):  # how the root turns, anything shows
        if unseen.showable[j] > 0.0:
            unseen.for_s[j] = _longer(unseen.for_s[j], step_s, 0.0 < beyond[j] < seen, _LATEST_S)
        else:  # hands of a method that knows none go with the arm
            unseen.for_s[j] = unseen.for_s[body.parents[j]]
        legs += unseen.hangs[j] * beyond[j]
    unseen.legs_s[0] = _longer(unseen.legs_s[0], step_s, legs > 0.0, _LATEST_S)
    for m in range(body.markers):
        if unseen.leg[m] >= 0:
            worth[m] *= 1.0 - _resting(float(unseen.for_s[int(unseen.leg[m])]))


@kernel
def _longer(for_s: float, step_s: float, seen: bool, most_s: float) -> float:
    """For how long it has not been seen, after this frame; at most `most_s`."""
    if step_s <= 0.0:
        return 0.0 if seen else most_s
    return max(for_s - _AGAIN * step_s, 0.0) if seen else min(for_s + step_s, most_s)


@kernel
def rest(body: Body, work: Workspace, unseen: Unseen, weights: tuple[float, float], reach_rad: float, targets: Targets) -> None:
    """Where the angles rest, and how much that weighs: of what is seen the first weight, at 0; of what is long unseen the second,
    at most `reach_rad` from where it is now.

    Thighs, what points down from a joint on the pelvis, and shins hang straight down in the world, under whatever leans.
    """
    q, x_m, upright = work.root_wxyz[0], work.joints_m[0], stands(work)
    # the world's up in the pelvis' axes (work.rotations may be those of a trial)
    x, y, z = 2 * (q[1] * q[2] + q[0] * q[3]), 1 - 2 * (q[1] * q[1] + q[3] * q[3]), 2 * (q[2] * q[3] - q[0] * q[1])
    left_x, left_z = 1 - 2 * (q[2] * q[2] + q[3] * q[3]), 2 * (q[1] * q[3] - q[0] * q[2])
    across = math.sqrt(x * x + z * z)
    turn = upright * math.atan2(across, y) / across if across > 1e-9 else 0.0
    for j in range(len(unseen.for_s)):
        above = int(body.parents[j])
        bent = 0.0
        if above >= 0:  # what hangs from its parent has no motion of its own to go on with
            targets.predicted_w[j] *= 1.0 - _resting(float(unseen.for_s[above]))
            sine = left_x * (x_m[j, 2] - x_m[above, 2]) - left_z * (x_m[j, 0] - x_m[above, 0])
            bent = upright * unseen.hangs[above] * max(math.atan2(sine, x_m[above, 1] - x_m[j, 1]), 0.0)
        for d in range(body.first_dof[j], body.first_dof[j + 1]):
            share = _resting(max(float(unseen.for_s[j]), float(unseen.bows[d] * unseen.legs_s[0])))
            goal_rad = unseen.ease_rad[d] + unseen.hangs[j] * turn * (z * body.axes[d, 0] - x * body.axes[d, 2])
            way_rad = goal_rad + bent * body.axes[d, 0] - work.angles_rad[0, d]
            targets.rest_rad[d] = work.angles_rad[0, d] + min(max(way_rad, -reach_rad), reach_rad) if share > 0.0 else 0.0
            targets.rest_w[d] = weights[0] + share * (weights[1] - weights[0])


@kernel
def _resting(for_s: float) -> float:
    """0..1 how much what nothing has shown for so long is drawn to where it rests."""
    return min(max((for_s - _EARLIEST_S) / (_LATEST_S - _EARLIEST_S), 0.0), 1.0)
