"""Retargeting: what a character shows, bone by bone, against the native pose."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from characters import (
    A_POSE,
    T_POSE,
    Character,
    RestAngles,
    angle_deg,
    character,
    pose_of,
    random_pose,
    random_rotations,
    renamed,
    rest_pose,
    rotation_angle_deg,
    under_extra_root,
    without,
)

from posewire import rotation
from posewire.data import FloatArray, SkeletonPose
from posewire.errors import PluginError, SettingsError
from posewire.retarget import (
    Crowd,
    Retargeter,
    bundled_rigs,
    client_parent_space,
    client_root_location,
    client_rotations,
    load_rig,
    retarget,
    rig_skeleton,
)
from posewire.rigs import Rig
from posewire.skeleton import REFERENCE, Skeleton, for_height

RIGS = [card.name for card in bundled_rigs()]
REST_POSES = {"t_pose": T_POSE, "a_pose": A_POSE, "arms_hanging": RestAngles(arms_down=85.0, legs_out=3.0)}


def client_positions_m(body: Character, retargeter: Retargeter, pose: SkeletonPose) -> FloatArray:
    """(B, 3) world positions of the bones of a character that is driven as a client drives it."""
    rig_pose = retargeter(pose)
    orientations = client_parent_space(rig_pose.rotations_wxyz, body.orientations_wxyz, body.parents)
    return body.posed_m(retargeter.rig.root, rig_pose.root_m, orientations)


def direction_errors_deg(rig: Rig, positions_m: FloatArray, pose: SkeletonPose) -> dict[str, float]:
    """By bone that points at another: angle between its direction and that of the native bone."""
    native = dict(zip(REFERENCE.names, pose.positions_m, strict=True))
    return {
        bone.name: float(angle_deg(positions_m[bone.aim] - positions_m[b], native[bone.aim_joint] - native[bone.joint]))
        for b, bone in enumerate(rig.bones)
        if bone.aim is not None and bone.aim_joint is not None and bone.joint is not None
    }


def world(parents: tuple[int, ...], local: FloatArray) -> FloatArray:
    """(B, 4) world rotations, bone by bone."""
    result = np.array(local)
    for b, parent in enumerate(parents):
        if parent >= 0:
            result[b] = rotation.multiply(result[parent], local[b])
    return result


@pytest.mark.parametrize("rest", REST_POSES)
@pytest.mark.parametrize("name", RIGS)
def test_limbs_point_where_the_person_s_limbs_point(name: str, rest: str) -> None:
    rig, rng = load_rig(name), np.random.default_rng(1)
    body = character(rig, REST_POSES[rest], seed=2)
    retargeter = Retargeter(REFERENCE, rig.bind(body.names, body.parents), body.positions_m)
    for _ in range(5):
        pose = random_pose(rng)
        errors = direction_errors_deg(retargeter.rig, client_positions_m(body, retargeter, pose), pose)
        assert len(errors) >= 10
        assert max(errors.values()) < 0.1, errors


@pytest.mark.parametrize("name", RIGS)
def test_rig_in_its_own_rest_pose_points_where_the_person_points(name: str) -> None:
    rig, pose = load_rig(name), random_pose(np.random.default_rng(3))
    rig_pose = retarget(pose, REFERENCE, rig)
    positions = rig_skeleton(rig, REFERENCE).positions_m(rig_pose.root_m, rig_pose.rotations_wxyz)
    assert max(direction_errors_deg(rig, positions, pose).values()) < 0.1


@pytest.mark.parametrize("name", RIGS)
def test_hands_and_feet_arrive_within_2_cm_on_equal_proportions(name: str) -> None:
    rig, rng = load_rig(name), np.random.default_rng(4)
    body = character(rig, A_POSE, seed=5)
    retargeter = Retargeter(REFERENCE, rig.bind(body.names, body.parents), body.positions_m)
    for _ in range(5):
        pose = random_pose(rng, amount=0.6)
        positions = client_positions_m(body, retargeter, pose)
        for b, bone in enumerate(rig.bones):
            if bone.joint in ("left_wrist", "right_wrist", "left_ankle", "right_ankle"):
                assert np.linalg.norm(positions[b] - pose.positions_m[REFERENCE.index(bone.joint)]) < 0.02, bone.name


@pytest.mark.parametrize("name", RIGS)
def test_soles_that_lie_flat_at_rest_stay_flat_when_the_person_stands(name: str) -> None:
    rig = load_rig(name)
    body = character(rig, A_POSE)
    bound = rig.bind(body.names, body.parents)
    rotations = world(body.parents, Retargeter(REFERENCE, bound, body.positions_m)(rest_pose()).rotations_wxyz)
    for foot in (b for b, bone in enumerate(bound.bones) if bone.joint in ("left_ankle", "right_ankle")):
        assert np.allclose(rotation.rotate(rotations[foot], [0.0, 1.0, 0.0]), [0.0, 1.0, 0.0], atol=1e-9)


@pytest.mark.parametrize("name", [name for name in RIGS if load_rig(name).rest_pose != "a"])
def test_native_rest_pose_is_the_rest_pose_of_a_t_pose_rig(name: str) -> None:
    rig_pose = retarget(rest_pose(), REFERENCE, load_rig(name))
    assert np.allclose(rig_pose.rotations_wxyz, rotation.identity(len(rig_pose.confidence)), atol=1e-12)
    assert np.allclose(rig_pose.root_m, REFERENCE.offsets_m[0])


def test_native_rig_repeats_the_native_rotations() -> None:
    pose = random_pose(np.random.default_rng(6))
    rig_pose = retarget(pose, REFERENCE, load_rig("native"))
    assert load_rig("native").names == REFERENCE.names
    assert rotation_angle_deg(rig_pose.rotations_wxyz, pose.rotations_wxyz).max() < 1e-5
    assert np.array_equal(rig_pose.root_m, pose.root_m)
    assert np.array_equal(rig_pose.confidence, pose.confidence)
    assert (rig_pose.person_id, rig_pose.time_s, rig_pose.rig) == (7, 1.5, "native")


@pytest.mark.parametrize("name", RIGS)
def test_mirrored_person_gives_the_mirrored_rig_pose(name: str) -> None:
    rig, pose = load_rig(name), random_pose(np.random.default_rng(7))
    mirrored = replace(
        pose,
        rotations_wxyz=_mirrored(pose.rotations_wxyz)[_swapped_sides(list(REFERENCE.names))],
        root_m=pose.root_m * [-1.0, 1.0, 1.0],
    )
    ours, other = retarget(pose, REFERENCE, rig), retarget(mirrored, REFERENCE, rig)
    order = _swapped_sides([bone.joint for bone in rig.bones])
    assert rotation_angle_deg(_mirrored(ours.rotations_wxyz)[order], other.rotations_wxyz).max() < 1e-5
    assert np.allclose(ours.root_m * [-1.0, 1.0, 1.0], other.root_m)


@pytest.mark.parametrize("joint", ["spine", "chest", "neck"])
@pytest.mark.parametrize("name", RIGS)
def test_shared_rotations_add_up_to_the_whole(name: str, joint: str) -> None:
    rig, pose = load_rig(name), random_pose(np.random.default_rng(8))
    rotations = world(rig.parents, retarget(pose, REFERENCE, rig).rotations_wxyz)
    last = max(b for b, bone in enumerate(rig.bones) if bone.joint == joint)
    native = REFERENCE.world_rotations(pose.rotations_wxyz)[REFERENCE.index(joint)]
    assert rotation_angle_deg(rotations[last], native) < 1e-5


@pytest.mark.parametrize(
    ("name", "missing", "last"),
    [
        ("mixamo", {"mixamorig:Spine2"}, "mixamorig:Spine1"),
        ("vrm", {"upperChest"}, "chest"),
        ("ue5_manny", {"spine_05"}, "spine_04"),
        ("ue5_manny", {"spine_05", "spine_04"}, "spine_03"),
        ("rigify", {"DEF-spine.003"}, "DEF-spine.002"),
    ],
)
def test_bones_that_are_left_share_the_whole_where_the_last_is_missing(name: str, missing: set[str], last: str) -> None:
    rig, pose = load_rig(name), random_pose(np.random.default_rng(8))
    body = without(character(rig), missing)
    retargeter = Retargeter(REFERENCE, rig.bind(body.names, body.parents), body.positions_m)
    rotations = world(body.parents, retargeter(pose).rotations_wxyz)
    native = REFERENCE.world_rotations(pose.rotations_wxyz)[REFERENCE.index("chest")]
    assert rotation_angle_deg(rotations[body.names.index(last)], native) < 1e-5


def test_shared_rotation_grows_evenly_along_the_chain() -> None:
    angles = np.zeros(len(REFERENCE.dofs))
    angles[REFERENCE.dof_names.index("chest_rotation")] = np.radians(30.0)
    pose = pose_of(REFERENCE, angles, rotation.identity(), np.zeros(3))
    rig = load_rig("ue5_manny")
    rotations = world(rig.parents, retarget(pose, REFERENCE, rig).rotations_wxyz)
    turned = [np.degrees(rotation.log(rotations[rig.names.index(f"spine_0{i}")])[1]) for i in range(1, 6)]
    assert turned == pytest.approx([0.0, 0.0, 24.0, 28.5, 30.0])


def test_unreal_forearm_hands_its_twist_to_the_twist_bones_and_the_hand() -> None:
    angles = np.zeros(len(REFERENCE.dofs))
    angles[REFERENCE.dof_names.index("left_elbow_pronation")] = np.radians(60.0)
    rig = load_rig("ue5_manny")
    body = character(rig, A_POSE)
    retargeter = Retargeter(REFERENCE, rig.bind(body.names, body.parents), body.positions_m)
    twisted = retargeter(pose_of(REFERENCE, angles, rotation.identity(), np.zeros(3))).rotations_wxyz
    straight = retargeter(rest_pose()).rotations_wxyz
    turned = dict(zip(rig.names, rotation_angle_deg(twisted, straight), strict=True))
    assert turned["lowerarm_l"] == pytest.approx(0.0, abs=1e-5)
    assert turned["lowerarm_twist_01_l"] == pytest.approx(30.0)
    assert turned["hand_l"] == pytest.approx(60.0)
    assert turned["hand_r"] == pytest.approx(0.0, abs=1e-5)


def test_unreal_upper_arm_twist_bone_takes_back_half_of_the_twist() -> None:
    angles = np.zeros(len(REFERENCE.dofs))
    angles[REFERENCE.dof_names.index("right_shoulder_rotation")] = np.radians(40.0)
    rig = load_rig("ue4_mannequin")
    pose = pose_of(REFERENCE, angles, rotation.identity(), np.zeros(3))
    rotations = dict(zip(rig.names, retarget(pose, REFERENCE, rig).rotations_wxyz, strict=True))
    assert rotation_angle_deg(rotations["upperarm_twist_01_r"], rotation.identity()) == pytest.approx(20.0)


def test_bones_that_the_rig_does_not_know_keep_their_rest_pose() -> None:
    rig = load_rig("ue4_mannequin")
    body = under_extra_root(character(rig, A_POSE), "Armature")
    bound = rig.bind(body.names, body.parents)
    rig_pose = Retargeter(REFERENCE, bound, body.positions_m)(random_pose(np.random.default_rng(9)))
    for name in ("Armature", "ball_l", "middle_01_r"):
        assert np.allclose(rig_pose.rotations_wxyz[body.names.index(name)], [1, 0, 0, 0], atol=1e-12)


@pytest.mark.parametrize("rest", REST_POSES)
def test_limbs_still_point_right_when_other_bones_are_missing(rest: str) -> None:
    rig, pose = load_rig("mixamo"), random_pose(np.random.default_rng(10))
    gone = {"mixamorig:" + bone for bone in ("Spine1", "Neck", "LeftShoulder", "LeftHandMiddle1", "RightToeBase")}
    body = without(character(rig, REST_POSES[rest], seed=11), gone)
    retargeter = Retargeter(REFERENCE, rig.bind(body.names, body.parents), body.positions_m)
    errors = direction_errors_deg(retargeter.rig, client_positions_m(body, retargeter, pose), pose)
    assert len(errors) == 10
    assert max(errors.values()) < 0.1


def test_hand_without_fingers_follows_the_forearm_out_of_an_a_pose() -> None:
    rig = load_rig("mixamo")
    body = without(character(rig, A_POSE), {"mixamorig:LeftHandMiddle1"})
    retargeter = Retargeter(REFERENCE, rig.bind(body.names, body.parents), body.positions_m)
    C = dict(zip(body.names, retargeter.alignments_wxyz, strict=True))
    assert rotation_angle_deg(C["mixamorig:LeftHand"], C["mixamorig:LeftForeArm"]) < 1e-6
    assert rotation_angle_deg(C["mixamorig:LeftHand"], rotation.identity()) > 40.0


def test_character_without_the_root_bone_is_refused() -> None:
    body = character(load_rig("mixamo"))
    with pytest.raises(PluginError, match="no root bone of rig 'vrm'"):
        load_rig("vrm").bind(renamed(body, [f"b{i}" for i in range(len(body.names))]).names, body.parents)


def test_character_with_a_child_before_its_parent_is_refused() -> None:
    with pytest.raises(PluginError, match="not in order"):
        load_rig("vrm").bind(["spine", "hips"], [1, -1])


def test_longer_legs_scale_the_way_of_the_root_and_the_soles_stay_on_the_ground() -> None:
    rig = load_rig("mixamo")
    tall = character(rig, T_POSE, skeleton=REFERENCE.scaled(1.3))
    retargeter = Retargeter(REFERENCE, rig.bind(tall.names, tall.parents), tall.positions_m)
    assert retargeter.scale == pytest.approx(1.3)
    positions = client_positions_m(tall, retargeter, rest_pose())
    assert np.allclose(positions, tall.positions_m, atol=1e-9)


def test_legs_alone_give_the_scale_when_the_origin_is_at_the_hips() -> None:
    rig = load_rig("cmu")
    body = character(rig, T_POSE, skeleton=REFERENCE.scaled(0.8))
    at_hips = body.positions_m - body.positions_m[0]
    assert Retargeter(REFERENCE, rig.bind(body.names, body.parents), at_hips).scale == pytest.approx(0.8)


def test_given_scale_wins_over_the_leg_length() -> None:
    rig = load_rig("vrm")
    body = character(rig)
    assert Retargeter(REFERENCE, rig.bind(body.names, body.parents), body.positions_m, scale=2.0).scale == 2.0
    pose = random_pose(np.random.default_rng(12))
    assert np.allclose(Retargeter(REFERENCE, rig, scale=0.5)(pose).root_m, 0.5 * pose.root_m)


@pytest.mark.parametrize("scale", [0.0, -1.0, np.nan, np.inf])
def test_useless_scale_is_refused(scale: float) -> None:
    with pytest.raises(SettingsError, match="scale"):
        Retargeter(REFERENCE, load_rig("vrm"), scale=scale)


def test_hips_meet_the_person_s_hips_when_the_root_bone_sits_above_them() -> None:
    rig, pose = load_rig("mixamo"), random_pose(np.random.default_rng(13))
    body = character(rig, T_POSE, seed=14)
    body.positions_m[0] += [0.0, 0.08, 0.02]
    retargeter = Retargeter(REFERENCE, rig.bind(body.names, body.parents), body.positions_m)
    positions = dict(zip(body.names, client_positions_m(body, retargeter, pose), strict=True))
    assert np.allclose(positions["mixamorig:LeftUpLeg"], pose.positions_m[REFERENCE.index("left_hip")], atol=1e-9)
    assert np.allclose(positions["mixamorig:RightLeg"], pose.positions_m[REFERENCE.index("right_knee")], atol=1e-9)


def test_unknown_rest_positions_leave_the_bones_as_the_native_ones() -> None:
    rig, pose = load_rig("mixamo"), random_pose(np.random.default_rng(15))
    nowhere = Retargeter(REFERENCE, rig, np.full((len(rig.bones), 3), np.nan))
    assert nowhere.scale == 1.0
    assert np.allclose(nowhere(pose).rotations_wxyz, retarget(pose, REFERENCE, rig).rotations_wxyz)
    assert np.array_equal(nowhere(pose).root_m, pose.root_m)


def test_client_rotation_turns_a_bone_as_its_parent_space_orientation_does() -> None:
    rng = np.random.default_rng(16)
    rig, pose = load_rig("vrm"), random_pose(rng)
    rest = random_rotations(rng, len(rig.bones))
    R = retarget(pose, REFERENCE, rig).rotations_wxyz
    above = np.concatenate([rest, rotation.identity(1)])[list(rig.parents)]
    rest_in_parent = rotation.multiply(rotation.inverse(above), rest)
    assert (
        rotation_angle_deg(
            rotation.multiply(rest_in_parent, client_rotations(R, rest)), client_parent_space(R, rest, rig.parents)
        ).max()
        < 1e-5
    )


def test_client_root_location_leads_to_the_root() -> None:
    rest = random_rotations(np.random.default_rng(17), 1)[0]
    root_m, rest_m = np.array([1.0, 2.0, 3.0]), np.array([0.5, 0.9, -0.2])
    assert np.allclose(rest_m + rotation.rotate(rest, client_root_location(root_m, rest_m, rest)), root_m)


def test_pose_that_holds_nan_stays_nan_below_the_joint_and_nowhere_else() -> None:
    pose = random_pose(np.random.default_rng(18))
    rotations = np.array(pose.rotations_wxyz)
    rotations[REFERENCE.index("left_knee")] = np.nan
    rig = load_rig("mixamo")
    result = retarget(replace(pose, rotations_wxyz=rotations), REFERENCE, rig).rotations_wxyz
    broken = {name for name, row in zip(rig.names, result, strict=True) if np.isnan(row).any()}
    assert broken == {f"mixamorig:Left{bone}" for bone in ("Leg", "Foot", "ToeBase")}


def test_person_without_a_forearm_is_retargeted_all_the_same() -> None:
    lengths = np.full(len(REFERENCE.names), np.nan)
    lengths[REFERENCE.index("left_wrist")] = 0.0
    short = REFERENCE.with_bone_lengths(lengths)
    for name in RIGS:
        assert np.isfinite(retarget(random_pose(np.random.default_rng(19)), short, load_rig(name)).rotations_wxyz).all()


def test_skeleton_that_lacks_a_joint_of_the_rig_is_refused() -> None:
    stick = Skeleton(("pelvis", "spine"), (-1, 0), np.array([[0.0, 0.9, 0.0], [0.0, 0.1, 0.0]]), ())
    with pytest.raises(PluginError, match="asks for joints that the skeleton lacks"):
        Retargeter(stick, load_rig("vrm"))


def _mirrored(rotations_wxyz: FloatArray) -> FloatArray:
    """Rotations seen in the mirror x -> -x."""
    return rotations_wxyz * [1.0, 1.0, -1.0, -1.0]


def _swapped_sides(joints: list[str | None]) -> list[int]:
    """Order of the rows with the left block and the right block exchanged; both are in the same order in every file."""
    centre = next(row for row, joint in enumerate(joints) if joint is not None and joint.startswith("left_"))
    side = (len(joints) - centre) // 2
    return [*range(centre), *range(centre + side, len(joints)), *range(centre, centre + side)]


def test_a_crowd_is_retargeted_as_one_by_one() -> None:
    bodies = [for_height(height_m) for height_m in (1.5, 1.7, 1.95)]
    rig = load_rig("ue5_manny")
    one_by_one = [Retargeter(body, rig, scale=scale) for body, scale in zip(bodies, (1.0, 0.9, 1.2), strict=True)]
    poses = [random_pose(np.random.default_rng(p), body) for p, body in enumerate(bodies)]
    roots_m, rotations = Crowd(one_by_one)(np.stack([p.root_m for p in poses]), np.stack([p.rotations_wxyz for p in poses]))
    for p, pose in enumerate(poses):
        want = one_by_one[p](pose)
        np.testing.assert_allclose(rotations[p], want.rotations_wxyz, atol=1e-12)
        np.testing.assert_allclose(roots_m[p], want.root_m, atol=1e-12)


def test_a_crowd_of_two_rigs_is_refused() -> None:
    with pytest.raises(ValueError, match="one rig"):
        Crowd([Retargeter(REFERENCE, load_rig(name)) for name in ("vrm", "mixamo")])
