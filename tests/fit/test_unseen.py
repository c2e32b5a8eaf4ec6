"""Somebody before a webcam: what the picture does not show stands still and upright."""

from __future__ import annotations

from itertools import pairwise

import actor
import numpy as np
import pytest

from posewire import rotation, skeleton
from posewire.data import FloatArray, SkeletonPose, Track
from posewire.fit import FitSettings, Fitter

FPS = 30.0
TIME_S = np.arange(90) / FPS
KEYPOINTS, _ = actor.poses_m(TIME_S)
ROWS = actor.tracks(KEYPOINTS)
BUST = ("nose", "left_ear", "right_ear", "left_shoulder", "right_shoulder")
PERSON = skeleton.REFERENCE


def places(*parts: str) -> list[int]:
    """Rows of the keypoints whose name ends so."""
    return [k for k, name in enumerate(actor.NAMES) if name.endswith(parts)]


BELOW = [k for k, name in enumerate(actor.NAMES) if name not in BUST]
LEGS = places("knee", "ankle", "heel", "foot_index")


def followed(rows: list[Track]) -> list[SkeletonPose]:
    fitter = Fitter(actor.NAMES, FitSettings())
    poses = [fitter.fit(row, t, actor.VIEW) for row, t in zip(rows, TIME_S.tolist(), strict=True)]
    assert all(poses)
    return [pose for pose in poses if pose is not None]


def direction(pose: SkeletonPose, of: str, to: str) -> FloatArray:
    """(3,) unit."""
    way = pose.positions_m[PERSON.index(to)] - pose.positions_m[PERSON.index(of)]
    return way / np.linalg.norm(way)


def off_deg(way: FloatArray, wanted: tuple[float, float, float]) -> float:
    return float(np.degrees(np.arccos(np.clip(way @ wanted, -1.0, 1.0))))


def leaning(row: Track, angle_deg: float) -> Track:
    """What a method says that takes the hips, which it does not see, to be elsewhere: all of the 3D is turned about them."""
    assert row.keypoints_m is not None
    turned = rotation.rotate(rotation.exp([np.radians(angle_deg), 0.0, 0.0]), row.keypoints_m)
    return Track(row.person_id, row.keypoints_px, row.confidence, row.box_px, turned)


@pytest.mark.parametrize("lean_deg", [-40, 0, 40])
def test_head_and_shoulders_are_somebody_who_stands(lean_deg: float) -> None:
    rows = [actor.replaced(leaning(row, lean_deg), BELOW) for row in ROWS]
    for pose in followed(rows)[15:]:
        assert off_deg(direction(pose, "pelvis", "neck"), (0.0, 1.0, 0.0)) < 15
        for side in ("left", "right"):
            assert off_deg(direction(pose, f"{side}_hip", f"{side}_ankle"), (0.0, -1.0, 0.0)) < 14
            assert off_deg(direction(pose, f"{side}_shoulder", f"{side}_wrist"), (0.0, -1.0, 0.0)) < 30
        assert pose.confidence[PERSON.index("left_knee")] == 0.0
    feet = np.array([pose.positions_m[PERSON.index("left_ankle")] - pose.root_m for pose in followed(rows)[15:]])
    assert np.linalg.norm(np.diff(feet, 2, axis=0), axis=1).mean() * FPS**2 < 6.0


def test_two_shoulders_without_a_face_are_nobody() -> None:
    rows = [actor.replaced(row, [*BELOW, *places("nose")]) for row in ROWS[:3]]
    fitter = Fitter(actor.NAMES, FitSettings())
    assert [fitter.fit(row, t, actor.VIEW) for row, t in zip(rows, TIME_S.tolist(), strict=False)] == [None] * 3


def test_an_arm_that_leaves_the_picture_comes_to_hang() -> None:
    raised = [actor.replaced(row, LEGS) for row in ROWS]
    arm = places("left_elbow", "left_wrist", "left_index")
    rows = [row if k < 20 else actor.replaced(row, arm) for k, row in enumerate(raised)]
    poses = followed(rows)
    assert off_deg(direction(poses[-1], "left_shoulder", "left_elbow"), (0.0, -1.0, 0.0)) < 20
    steps_m = [np.linalg.norm(b.positions_m - a.positions_m, axis=1).max() for a, b in pairwise(poses[15:])]
    assert max(steps_m) < 0.12, "it moves there, it does not jump"


def test_unseen_legs_hang_under_a_pelvis_that_leans() -> None:
    bowed = rotation.exp([np.radians(30), 0.0, 0.0])
    hips = KEYPOINTS[:, places("hip")].mean(axis=1, keepdims=True)
    rows = actor.tracks(hips + rotation.rotate(bowed, KEYPOINTS - hips))
    pose = followed([actor.replaced(row, LEGS) for row in rows])[-1]
    assert off_deg(direction(pose, "pelvis", "neck"), (0.0, 1.0, 0.0)) > 15
    for side in ("left", "right"):
        assert off_deg(direction(pose, f"{side}_hip", f"{side}_ankle"), (0.0, -1.0, 0.0)) < 12


def test_legs_of_somebody_who_lies_go_on_from_the_trunk() -> None:
    lying = rotation.exp([0.0, 0.0, np.radians(85)])
    hips = KEYPOINTS[:, places("hip")].mean(axis=1, keepdims=True)
    rows = actor.tracks(hips + rotation.rotate(lying, KEYPOINTS - hips))
    pose = followed([actor.replaced(row, LEGS) for row in rows])[-1]
    trunk = direction(pose, "pelvis", "neck")
    for side in ("left", "right"):
        assert off_deg(direction(pose, f"{side}_hip", f"{side}_ankle"), tuple((-trunk).tolist())) < 35


def test_what_is_seen_is_not_moved_by_where_it_would_rest() -> None:
    """The pull of rest on angles that are seen stays below what anybody sees."""
    poses, free = followed(ROWS), Fitter(actor.NAMES, FitSettings(rest_sigma_rad=1e3))
    for row, t, pose in zip(ROWS, TIME_S.tolist(), poses, strict=True):
        other = free.fit(row, t, actor.VIEW)
        assert other is not None
        limbs = actor.limbs(PERSON)
        assert np.linalg.norm(other.positions_m[limbs] - pose.positions_m[limbs], axis=1).max() < 0.02


def test_a_handstand_whose_hips_leave_the_picture_stays_one() -> None:
    upside_down = rotation.exp([0.0, 0.0, np.pi])
    hips = KEYPOINTS[:, places("hip")].mean(axis=1, keepdims=True)
    rows = actor.tracks(hips + rotation.rotate(upside_down, KEYPOINTS - hips))
    gone = [*LEGS, *places("hip")]
    poses = followed([row if k < 30 else actor.replaced(row, gone) for k, row in enumerate(rows)])
    assert off_deg(direction(poses[-1], "pelvis", "neck"), (0.0, -1.0, 0.0)) < 15
    assert max(np.linalg.norm(b.positions_m - a.positions_m, axis=1).max() for a, b in pairwise(poses[5:])) < 0.2


def test_shins_hang_under_thighs_that_are_seen() -> None:
    """Somebody sits, the feet outside the picture."""
    angles = actor.angles_at(TIME_S)
    for side in ("left", "right"):
        angles[:, PERSON.dof_names.index(f"{side}_hip_flexion")] = np.radians(-85)
        angles[:, PERSON.dof_names.index(f"{side}_knee_flexion")] = np.radians(85)
    local = PERSON.joint_rotations(angles, np.broadcast_to(rotation.identity(), (len(TIME_S), 4)))
    joints = PERSON.positions_m(np.broadcast_to([0.0, 0.0, -3.0], (len(TIME_S), 3)), local)
    turned = PERSON.world_rotations(local)
    markers = [skeleton.MARKERS[name] for name in actor.NAMES]
    at, offsets = [PERSON.index(marker.joint) for marker in markers], np.array([marker.offset_m for marker in markers])
    rows = actor.tracks(joints[:, at] + rotation.rotate(turned[:, at], offsets))
    feet = places("ankle", "heel", "foot_index")
    for first_hidden in (0, 30):
        pose = followed([row if k < first_hidden else actor.replaced(row, feet) for k, row in enumerate(rows)])[-1]
        for side in ("left", "right"):
            assert off_deg(direction(pose, f"{side}_knee", f"{side}_ankle"), (0.0, -1.0, 0.0)) < 12


def test_nobody_is_measured_by_head_and_shoulders() -> None:
    fitter = Fitter(actor.NAMES, FitSettings())
    for k in range(300):
        fitter.fit(actor.replaced(ROWS[k % 90], BELOW), k / FPS, actor.VIEW)
    assert not fitter.measured
    for k in range(300, 320):
        fitter.fit(ROWS[k % 90], k / FPS, actor.VIEW)
    assert fitter.measured


def test_a_shoulder_that_comes_and_goes_moves_no_trunk() -> None:
    right = places("right_shoulder")
    rows = [actor.replaced(leaning(row, 40), [*BELOW, *(right if k % 7 in (3, 4) else [])]) for k, row in enumerate(ROWS)]
    fitter = Fitter(actor.NAMES, FitSettings())
    poses = [fitter.fit(row, t, actor.VIEW) for row, t in zip(rows, TIME_S.tolist(), strict=True)]
    assert max(off_deg(direction(pose, "pelvis", "neck"), (0.0, 1.0, 0.0)) for pose in poses[15:] if pose is not None) < 15
