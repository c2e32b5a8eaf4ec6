"""The native skeleton, its angles, limits and markers."""

import numpy as np
import pytest

from posewire import rotation
from posewire.skeleton import MARKERS, REFERENCE, REFERENCE_HEIGHT_M, for_height


def at_rest() -> np.ndarray:
    return REFERENCE.positions_m(REFERENCE.offsets_m[0], rotation.identity(len(REFERENCE.names)))


def test_parents_come_before_children() -> None:
    assert all(parent < child for child, parent in enumerate(REFERENCE.parents))


def test_angles_are_in_the_order_of_their_joints_with_the_twist_last() -> None:
    assert (np.diff(REFERENCE.dof_joints) >= 0).all()
    for joint in set(REFERENCE.dof_joints.tolist()):
        twists = REFERENCE.dof_is_twist[REFERENCE.dof_joints == joint]
        assert not twists[:-1].any()


def test_rest_is_a_t_pose_on_the_ground_facing_z_with_left_at_plus_x() -> None:
    joints = dict(zip(REFERENCE.names, at_rest(), strict=True))
    assert joints["left_toe"][1] == pytest.approx(0.0, abs=1e-9)
    assert joints["left_wrist"][0] > 0.6
    assert joints["left_wrist"][1] == pytest.approx(joints["left_shoulder"][1])
    assert joints["left_toe"][2] > joints["left_heel"][2]


def test_rest_is_its_own_mirror_image() -> None:
    joints = dict(zip(REFERENCE.names, at_rest(), strict=True))
    for name, x in joints.items():
        other = joints[name.replace("left", "#").replace("right", "left").replace("#", "right")]
        np.testing.assert_allclose(x * [-1, 1, 1], other, atol=1e-12)


def test_mirrored_angles_give_the_mirrored_pose() -> None:
    rng = np.random.default_rng(0)
    low, high = REFERENCE.limits_rad.T
    angles = dict(zip(REFERENCE.dof_names, rng.uniform(low, high), strict=True))
    axes = dict(zip(REFERENCE.dof_names, REFERENCE.dof_axes, strict=True))
    swapped = {name: name.replace("left", "#").replace("right", "left").replace("#", "right") for name in angles}
    mirrored = np.array([angles[swapped[name]] * (1.0 if axes[name][0] else -1.0) for name in REFERENCE.dof_names])
    root = rotation.identity()
    plain = REFERENCE.positions_m(np.zeros(3), REFERENCE.joint_rotations(list(angles.values()), root))
    mirror = REFERENCE.positions_m(np.zeros(3), REFERENCE.joint_rotations(mirrored, root))
    order = [
        REFERENCE.index(name.replace("left", "#").replace("right", "left").replace("#", "right")) for name in REFERENCE.names
    ]
    np.testing.assert_allclose(mirror[order] * [-1, 1, 1], plain, atol=1e-9)


def test_limits_are_mirrored_with_the_angles_and_contain_rest() -> None:
    limits = dict(zip(REFERENCE.dof_names, REFERENCE.limits_rad, strict=True))
    for name, (low, high) in limits.items():
        assert low <= 0.0 <= high
        if name.startswith("left_"):
            other = limits["right_" + name.removeprefix("left_")]
            assert sorted(np.abs(other)) == pytest.approx(sorted(np.abs((low, high))))


def test_bending_forward_lets_knees_elbows_and_hips_close_the_right_way() -> None:
    def moved(name: str, degrees: float, joint: str) -> np.ndarray:
        angles = np.zeros(len(REFERENCE.dofs))
        angles[REFERENCE.dof_names.index(name)] = np.radians(degrees)
        pose = REFERENCE.positions_m(REFERENCE.offsets_m[0], REFERENCE.joint_rotations(angles, rotation.identity()))
        return (pose - at_rest())[REFERENCE.index(joint)]

    assert moved("left_knee_flexion", 90, "left_ankle")[2] < -0.3
    assert moved("left_hip_flexion", -90, "left_knee")[2] > 0.3
    assert moved("left_elbow_flexion", -90, "left_wrist")[2] > 0.2
    assert moved("spine_flexion", 40, "head")[2] > 0.2


def test_bone_lengths_survive_any_pose() -> None:
    rng = np.random.default_rng(1)
    angles = rng.normal(0, 0.7, (20, len(REFERENCE.dofs)))
    joints = REFERENCE.positions_m(np.zeros((20, 3)), REFERENCE.joint_rotations(angles, rotation.exp(rng.normal(0, 1, (20, 3)))))
    bones = np.linalg.norm(joints[:, 1:] - joints[:, list(REFERENCE.parents[1:])], axis=-1)
    np.testing.assert_allclose(bones, np.broadcast_to(REFERENCE.bone_lengths_m[1:], bones.shape), atol=1e-12)


def test_the_digest_changes_only_with_the_skeleton() -> None:
    assert REFERENCE.scaled(1.0).digest == REFERENCE.digest
    assert REFERENCE.scaled(1.01).digest != REFERENCE.digest


def test_a_given_height_scales_every_bone() -> None:
    tall = for_height(1.9)
    np.testing.assert_allclose(tall.bone_lengths_m, REFERENCE.bone_lengths_m * 1.9 / REFERENCE_HEIGHT_M)


def test_bone_lengths_can_be_replaced_one_by_one() -> None:
    lengths = np.full(len(REFERENCE.names), np.nan)
    lengths[REFERENCE.index("left_knee")] = 0.5
    changed = REFERENCE.with_bone_lengths(lengths).bone_lengths_m
    assert changed[REFERENCE.index("left_knee")] == pytest.approx(0.5)
    others = np.isnan(lengths)
    np.testing.assert_allclose(changed[others], REFERENCE.bone_lengths_m[others])


def test_every_marker_lies_on_a_joint_and_sides_mirror() -> None:
    for name, marker in MARKERS.items():
        assert marker.joint in REFERENCE.names
        if name.startswith("left_"):
            other = MARKERS["right_" + name.removeprefix("left_")]
            np.testing.assert_allclose(np.array(other.offset_m) * [-1, 1, 1], marker.offset_m)


def test_angles_of_joint_rotations_come_back_within_the_limits() -> None:
    low, high = REFERENCE.limits_rad.T
    angles = np.random.default_rng(1).uniform(low, high, (50, len(low)))
    local = REFERENCE.joint_rotations(angles, rotation.identity())
    np.testing.assert_allclose(REFERENCE.angles_rad(local), angles, atol=1e-9)
    np.testing.assert_allclose(REFERENCE.angles_rad(local[7]), angles[7], atol=1e-9)
