"""The arithmetic of one frame in machine code, from a track's rows to the settled pose."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from posewire.data import FloatArray
from posewire.filters import OneEuroState, make_state, smooth_points
from posewire.fit.body import MOST_MARKERS, Body, Workspace, make_workspace
from posewire.fit.bones import Bones, distrust_pair, impose_lengths
from posewire.fit.compiled import SOURCES, entry, kernel
from posewire.fit.contacts import Contacts, begin_contacts, feel_ground, make_contacts
from posewire.fit.expectation import Expectation, expect, forget, make_expectation
from posewire.fit.facing import mend_facing
from posewire.fit.floor import lean_on_floor
from posewire.fit.footlock import Hold, let_go, lock_feet, make_hold
from posewire.fit.kept import Kept, keep, make_kept
from posewire.fit.kinematics import local_quaternions
from posewire.fit.motion import Motion, begin, make_motion, predict, update
from posewire.fit.observation import Observation, make_observation, read
from posewire.fit.packing import Packed, Record, pack
from posewire.fit.points import Points
from posewire.fit.residuals import TERMS
from posewire.fit.solver import minimise, settle
from posewire.fit.swap import Sides, make_sides, mend
from posewire.fit.targets import Targets, make_targets
from posewire.fit.twists import shift_ranges
from posewire.fit.unseen import REST_RAD_S, Unseen, make_unseen, notice, rest, stand_trunk, stands
from posewire.fit.weighing import TELLING, Weighing, count, expected_distance_m, look_at, misfit, weigh_depth, weigh_points
from posewire.skeleton import Skeleton

FOLLOW, AIM, START_3D, START = range(4)
TOO_LITTLE, LOST = -1.0, 1e3
"""Fewer limb points are seen than Order.fewest; the misfit of a pose that faces the other way."""


class Person(NamedTuple):
    """What does not change from frame to frame."""

    body: Body
    bones: Bones
    points: Points
    weighing: Weighing


class Rows(NamedTuple):
    """A track's rows and the camera's place."""

    keypoints_m: FloatArray
    """(J, 3) camera axes."""
    keypoints_px: FloatArray
    """(J, 2) undistorted."""
    confidence: FloatArray
    """(J,)"""
    T_world_camera: FloatArray
    """(4, 4)"""


class Order(NamedTuple):
    """What run() is to do."""

    what: int
    time_s: float = 0.0
    step_s: float = 0.0
    size_ratio: float = 1.0
    """The skeleton's size over the size that the method sees."""
    iterations: int = 0
    tolerance: float = 0.0
    fewest: int = 0
    knows_up: bool = False
    """Whether the world's up is known, not assumed."""


class Memory(NamedTuple):
    """What does: allocated once for each person."""

    work: Workspace
    motion: Motion
    seen: Observation
    targets: Targets
    filter_px: OneEuroState
    filter_m: OneEuroState
    expectation: Expectation
    worth: FloatArray
    """(M,) of the markers in the frame in hand."""
    trust: FloatArray
    """(M,) 0..1 by the lengths of their bones."""
    unseen: Unseen
    sides: Sides
    rotations_wxyz: FloatArray
    """(N, 4) of the pose that is said."""
    contacts: Contacts
    hold: Hold
    free: Kept
    """The fitted pose."""
    said: Kept
    """The pose that is told: the fitted one, its feet held."""


def make_memory(person: Person, skeleton: Skeleton) -> Packed[Memory]:
    """A person of whom nothing is known yet."""
    M, N = MOST_MARKERS, len(person.body.parents)
    parts = (make_workspace(person.body, len(TERMS)), make_motion(N), make_observation(), make_targets(person.body))
    kept = (make_kept(person.body, len(TERMS)), make_kept(person.body, len(TERMS)))
    filters = (make_state(M, 2), make_state(M, 3))
    seen = (make_expectation(M), np.zeros(M), np.ones(M), make_unseen(person.body, skeleton))
    state = (*filters, *seen, make_sides(), np.zeros((N, 4)))
    return pack(Memory(*parts, *state, make_contacts(), make_hold(), *kept))


@kernel
def _filter(person: Person, memory: Memory, time_s: float, px_m: float) -> None:
    seen, f = memory.seen, person.weighing
    px_slope, px = f.px_slope * px_m, seen.pixel_px
    smooth_points(memory.filter_px, px, time_s, f.px_cutoff_hz, px_slope, f.px_speed_cutoff_hz, px)
    smooth_points(memory.filter_m, seen.raw_m, time_s, f.m_cutoff_hz, f.m_slope, f.m_speed_cutoff_hz, seen.raw_m)


@kernel
def _anticipate(person: Person, memory: Memory, step_s: float) -> None:
    """Where everything is expected after `step_s`."""
    work, targets, weighing = memory.work, memory.targets, person.weighing
    predict(memory.motion, weighing.agility, person.points.joint_share, step_s, targets.predicted_m, targets.predicted_w)
    look_at(targets, targets.predicted_m[0])
    for d in range(len(targets.previous_rad)):
        targets.previous_rad[d] = work.angles_rad[0, d]
    targets.damping_w[:] = weighing.damping_w_s / step_s
    expect(person.body, work, targets, memory.expectation)


@kernel
def _impose(person: Person, memory: Memory, size_ratio: float, step_s: float) -> None:
    body, points, raw_m, trust = person.body, person.points, memory.seen.raw_m, memory.trust
    impose_lengths(body, person.bones, raw_m, size_ratio, memory.targets.position_m, trust)
    distrust_pair(body, points.hips, raw_m, size_ratio, trust)
    distrust_pair(body, points.shoulders, raw_m, size_ratio, trust)
    count(memory.seen, points.share, memory.worth)
    notice(body, memory.worth, step_s, memory.unseen)
    for m in range(len(memory.seen.confidence)):
        for i in range(2):
            memory.targets.pixel_px[m, i] = memory.seen.pixel_px[m, i]


@kernel
def _read(person: Person, memory: Memory, rows: Rows) -> int:
    return read(rows.keypoints_m, rows.keypoints_px, rows.confidence, person.points, rows.T_world_camera, memory.seen)


@kernel
def _follow(person: Person, memory: Memory, order: Order) -> float:
    """From the pose of the frame before to this one's; the misfit."""
    targets, seen, worth, weighing = memory.targets, memory.seen, memory.worth, person.weighing
    _anticipate(person, memory, order.step_s)
    px_m = expected_distance_m(targets, targets.predicted_m[0]) / targets.K[1, 1]
    turned = mend(seen, person.points, memory.expectation, order.size_ratio, px_m, order.step_s, memory.sides)
    turned = mend_facing(seen, person.points, order.step_s, memory.sides) or turned
    _filter(person, memory, order.time_s, px_m)
    _impose(person, memory, order.size_ratio, order.step_s)
    weigh_points(seen, worth, memory.expectation, px_m, order.step_s, weighing, targets)
    weigh_depth(memory.motion, order.step_s, weighing, targets)
    if order.knows_up and weighing.floor_w > 0.0:
        lean_on_floor(memory.contacts.probability, weighing.floor_w, targets)
    shift_ranges(person.body, memory.work, targets)
    rest(person.body, memory.work, memory.unseen, weighing.rest_w, REST_RAD_S * order.step_s, targets)
    side, _, _ = minimise(person.body, targets, memory.work, order.iterations, order.tolerance)
    settle(memory.work, side)
    update(memory.motion, memory.work.joints_m[0], targets.predicted_m, targets.sight, order.step_s)
    result = misfit(seen, memory.trust, worth, memory.work, px_m, weighing, targets, TELLING)
    _stand(person, memory, order)
    return max(result, LOST) if turned else result


@kernel
def _stand(person: Person, memory: Memory, order: Order) -> None:
    """Feels which feet touch the ground, and says the pose."""
    work, targets, contacts, step_s = memory.work, memory.targets, memory.contacts, order.step_s
    showing, confidence = person.points.showing, memory.seen.confidence
    feel_ground(contacts, work.joints_m[0], targets.sight, showing, confidence, step_s, order.knows_up)
    lock_w = person.weighing.lock_w
    if lock_w > 0.0:
        lock_feet(person.body, targets, work, contacts, memory.hold, lock_w, step_s, memory.free, memory.said)
    else:
        keep(work, 0, memory.said)


@kernel
def _start(person: Person, memory: Memory, order: Order, use_pixels: bool) -> float:
    """From the pose on side 0, without any expectation, to the nearest minimum; the misfit."""
    targets, work, worth, weighing = memory.targets, memory.work, memory.worth, person.weighing
    targets.predicted_w[:] = 0.0
    targets.damping_w[:] = 0.0
    targets.depth[1] = 0.0
    forget(memory.expectation)
    px_m = expected_distance_m(targets, work.root_m[0]) / targets.K[1, 1]
    weigh_points(memory.seen, worth, memory.expectation, px_m, order.step_s, weighing, targets)
    if not use_pixels:
        targets.pixel_w[:] = 0.0
        targets.predicted_w[0, :] = 1.0
        for i in range(3):
            targets.predicted_m[0, i] = work.root_m[0, i]
    look_at(targets, work.root_m[0])
    shift_ranges(person.body, work, targets)
    rest(person.body, work, memory.unseen, weighing.rest_w, np.inf, targets)
    side, _, _ = minimise(person.body, targets, work, order.iterations, order.tolerance)
    settle(work, side)
    begin(memory.motion, work.joints_m[0])
    begin_contacts(memory.contacts, work.joints_m[0])
    let_go(memory.hold)
    keep(work, 0, memory.said)
    return misfit(memory.seen, memory.trust, worth, work, px_m, weighing, targets, 0.0)


@kernel
def _stand_trunk(person: Person, memory: Memory, order: Order) -> None:
    """A start knows no pose yet: somebody stands."""
    upright = stands(memory.work) if order.step_s > 0.0 else 1.0
    stand_trunk(person.body, person.points, order.size_ratio, order.step_s, upright, memory.seen, memory.unseen)


def _make_run(sources: str) -> Callable[[Record, Record, Rows, Order], float]:
    @entry
    def run(people: Record, memories: Record, rows: Rows, order: Order) -> float:
        _ = sources
        person, memory = people[0], memories[0]
        reads = order.what == FOLLOW or order.what == AIM
        if reads:
            if _read(person, memory, rows) < order.fewest:
                return TOO_LITTLE
            _stand_trunk(person, memory, order)
        result = 0.0
        if order.what == FOLLOW:
            result = _follow(person, memory, order)
        elif order.what == AIM:
            _filter(person, memory, order.time_s, 0.0)
            _impose(person, memory, order.size_ratio, order.step_s)
        else:
            result = _start(person, memory, order, order.what == START)
        local_quaternions(person.body, memory.said.root_wxyz, memory.said.angles_rad, memory.rotations_wxyz)
        return result

    return run


run = _make_run(SOURCES)
"""Does what an Order says. One entry for all: each would cost seconds more to compile.

FOLLOW reads the rows and goes on to the next pose; its misfit, or TOO_LITTLE. AIM reads the rows for a start; 0, or TOO_LITTLE.
START_3D, START: from the pose on side 0 to the nearest minimum, by the 3D alone or by everything; its misfit.
"""
