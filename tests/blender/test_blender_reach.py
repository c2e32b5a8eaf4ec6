"""Reaching: hands and feet come to their targets, bones keep their lengths, feet that touch stay."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from posewire_live import rotation
from posewire_live.mapping import read_rig
from posewire_live.performer import Performer
from posewire_live.protocol import Skeleton
from posewire_live.reach import LIMBS, Body, FootLock
from posewire_live.retarget import Character, Driven, Retargeter, drive
from posewire_live.shaping import ALL, Shape

from posewire.skeleton import REFERENCE

RIG = read_rig(Path(__file__).parents[2] / "core" / "posewire" / "rigs" / "native.json")
PERSON = Skeleton(REFERENCE.names, REFERENCE.parents, np.array(REFERENCE.offsets_m))
UNKNOWN = np.full(4, np.nan)


def character(**stretched: float) -> Driven:
    """The native bones with some of them longer or shorter."""
    offsets = np.array(REFERENCE.offsets_m)
    for name, factor in stretched.items():
        offsets[REFERENCE.names.index(name)] *= factor
    places = Skeleton(REFERENCE.names, REFERENCE.parents, offsets).rest_m()
    return drive(RIG, RIG.match(REFERENCE.names), Character(REFERENCE.names, REFERENCE.parents, places))


def pose(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    lower, upper = REFERENCE.limits_rad.T
    angles = lower + (upper - lower) * rng.uniform(0.25, 0.75, len(lower))
    return np.array([0.2, 0.95, 1.0]), REFERENCE.joint_rotations(angles, rotation.about(np.array([0, 1.0, 0]), 0.8))


def places(driven: Driven, retargeter: Retargeter, root_m: np.ndarray, R: np.ndarray) -> dict[str, np.ndarray]:
    W = R.copy()
    for row, parent in enumerate(driven.parents):
        if parent >= 0:
            W[row] = rotation.multiply(W[parent], R[row])
    rows = Body(driven, retargeter.alignments_wxyz).places_m(W, root_m)
    return dict(zip(driven.names, rows, strict=True))


LONG_LEGS = {"left_knee": 1.3, "right_knee": 1.3, "left_ankle": 0.9, "right_ankle": 0.9}
LONG_ARMS = {"left_elbow": 1.2, "right_elbow": 1.2, "left_wrist": 1.25, "right_wrist": 1.25}


@pytest.mark.parametrize("seed", range(6))
def test_hands_and_feet_come_to_the_persons_whatever_the_proportions(seed: int) -> None:
    driven = character(**LONG_LEGS, **LONG_ARMS)
    retargeter = Retargeter(PERSON, driven, 1.0)
    root_m, L = pose(seed)
    R = Performer(PERSON, driven, 1.0, Shape(reach=ALL))(0.0, root_m, L, UNKNOWN)
    got = places(driven, retargeter, *R)
    want = dict(zip(REFERENCE.names, REFERENCE.positions_m(root_m, L), strict=True))
    lift = driven.positions_m[driven.names.index("left_ankle"), 1] - PERSON.rest_m()[REFERENCE.names.index("left_ankle"), 1]
    for end in LIMBS:
        ankle = end.endswith("ankle")
        target = want[end] + [0.0, lift if ankle and abs(lift) < 0.066 else 0.0, 0.0]
        assert np.linalg.norm(got[end] - target) < 1e-4, end


def test_on_equal_proportions_reaching_changes_nothing() -> None:
    driven = character()
    root_m, L = pose(3)
    plain = Retargeter(PERSON, driven)(root_m, L)
    reached = Performer(PERSON, driven, None, Shape(reach=ALL))(0.0, root_m, L, UNKNOWN)
    assert np.allclose(rotation.same_sign(reached[1], plain[1]), plain[1], atol=1e-6)


def test_out_of_reach_a_limb_is_stretched_towards_its_target() -> None:
    driven = character()
    body = Body(driven, Retargeter(PERSON, driven).alignments_wxyz)
    W = np.tile(rotation.IDENTITY, (len(driven.names), 1))
    root_m = driven.positions_m[driven.root]
    target = np.array([0.175, 1.39, 5.0])
    body.reach(W, root_m, {"left_wrist": target})
    got = dict(zip(driven.names, body.places_m(W, root_m), strict=True))
    assert np.allclose(got["left_wrist"], [0.175, 1.39, 0.564], atol=1e-3)


def test_a_straight_leg_bends_its_knee_forwards_and_a_straight_arm_its_elbow_to_the_front() -> None:
    driven = character()
    body = Body(driven, Retargeter(PERSON, driven).alignments_wxyz)
    W = np.tile(rotation.IDENTITY, (len(driven.names), 1))
    root_m = driven.positions_m[driven.root]
    before = dict(zip(driven.names, driven.positions_m, strict=True))
    targets = {"left_ankle": before["left_ankle"] + [0, 0.2, 0], "right_wrist": before["right_wrist"] + [0.2, 0, 0]}
    body.reach(W, root_m, targets)
    got = dict(zip(driven.names, body.places_m(W, root_m), strict=True))
    assert np.allclose(got["left_ankle"], targets["left_ankle"], atol=1e-4)
    assert np.allclose(got["right_wrist"], targets["right_wrist"], atol=1e-4)
    assert got["left_knee"][2] > 0.1
    assert got["right_elbow"][2] < -0.05  # the forearm goes to the front, so the elbow goes back


@pytest.mark.parametrize("size", [1.0, 6.0, 100.0])
def test_a_foot_that_touches_stays_and_a_foot_that_leaves_comes_back_softly(size: float) -> None:
    """A giant's, and that of a character whose metres are centimetres: its feet slide as much farther."""
    lock = FootLock(size)
    down, up = np.array([1.0, 1, 0, 0]), np.zeros(4)
    seen: list[float] = []
    for frame in range(60):
        x = 0.004 * frame  # a foot that slides
        targets = {"left_ankle": size * np.array([x, 0.1, 0.0]), "right_ankle": np.zeros(3)}
        lock(frame / 60, down if frame < 30 else up, targets)
        seen.append(targets["left_ankle"][0] / size)
    assert np.ptp(seen[:30]) < 1e-9
    assert max(np.abs(np.diff(seen))) < 0.03
    assert seen[-1] == pytest.approx(0.004 * 59, abs=0.005)


def test_a_foot_that_never_came_down_is_not_held() -> None:
    lock = FootLock(1.0)
    for frame in range(120):
        targets = {"left_ankle": np.array([0.01 * frame, 0.1, 0.0]), "right_ankle": np.zeros(3)}
        lock(frame / 60, np.ones(4), targets)
        assert abs(targets["left_ankle"][0] - 0.01 * frame) < 0.32
