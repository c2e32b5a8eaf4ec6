"""The told pose goes over to a new start, and jumps where that is another place."""

from dataclasses import replace

import numpy as np

from posewire import rotation
from posewire.data import FloatArray, SkeletonPose
from posewire.fit.handover import HANDOVER_S, handover
from posewire.skeleton import REFERENCE


def pose(time_s: float, angles_rad: FloatArray, yaw_rad: float = 0.0, x_m: float = 0.0) -> SkeletonPose:
    root_m, local = np.array([x_m, 1.0, 0.0]), REFERENCE.joint_rotations(angles_rad, rotation.exp([0.0, yaw_rad, 0.0]))
    positions_m, ones = REFERENCE.positions_m(root_m, local), np.ones(len(REFERENCE.names))
    return SkeletonPose(1, time_s, root_m, angles_rad, local, positions_m, ones, np.zeros(4))


def some_angles(seed: int) -> FloatArray:
    return np.random.default_rng(seed).uniform(*(0.9 * REFERENCE.limits_rad.T))


def test_it_begins_at_the_old_pose_and_ends_at_the_new_one() -> None:
    old, new = pose(1.0, some_angles(0), yaw_rad=0.8, x_m=0.2), pose(1.02, some_angles(1))
    between = handover(old, new)
    assert between is not None
    first = between.told(replace(new, time_s=1.0), REFERENCE)
    np.testing.assert_allclose(first.positions_m, old.positions_m, atol=1e-9)
    last = between.told(replace(new, time_s=1.0 + HANDOVER_S), REFERENCE)
    np.testing.assert_allclose(last.positions_m, new.positions_m, atol=1e-9)
    assert between.over(1.0 + HANDOVER_S)
    assert not between.over(1.0 + 0.9 * HANDOVER_S)


def test_every_joint_turns_its_shortest_way_and_angles_rotations_and_positions_agree() -> None:
    old, new = pose(1.0, some_angles(2)), pose(1.0, some_angles(3))
    between = handover(old, new)
    assert between is not None
    told = between.told(replace(new, time_s=1.0 + 0.5 * HANDOVER_S), REFERENCE)
    np.testing.assert_allclose(REFERENCE.joint_rotations(told.angles_rad, told.rotations_wxyz[0]), told.rotations_wxyz, atol=1e-9)
    np.testing.assert_allclose(REFERENCE.positions_m(told.root_m, told.rotations_wxyz), told.positions_m, atol=1e-9)
    ball = REFERENCE.index("left_shoulder")
    halves = [_turn_rad(told, other, ball) for other in (old, new)]
    np.testing.assert_allclose(halves, 0.5 * _turn_rad(old, new, ball), atol=1e-6)


def _turn_rad(a: SkeletonPose, b: SkeletonPose, joint: int) -> float:
    turn = rotation.multiply(rotation.inverse(a.rotations_wxyz[joint]), b.rotations_wxyz[joint])
    return float(np.linalg.norm(rotation.log(turn)))


def test_a_trunk_that_is_elsewhere_or_looks_elsewhere_jumps() -> None:
    new = pose(1.02, some_angles(1))
    assert handover(pose(1.0, some_angles(0), x_m=1.2), new) is None
    assert handover(pose(1.0, some_angles(0), yaw_rad=2.5), new) is None
