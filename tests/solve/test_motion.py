"""The merge of two directions, poses of a motion, and where a motion is split."""

from dataclasses import replace

import actor
import numpy as np

from posewire import rotation
from posewire.data import Camera
from posewire.skeleton import REFERENCE
from posewire.solve.both_ways import merge
from posewire.solve.motion import Motion, poses
from posewire.solve.stretches import Sight, stretches

TIME_S = np.arange(40) / 30
KEYPOINTS, JOINTS = actor.poses_m(TIME_S)
TRACKS = actor.tracks(KEYPOINTS)
N = len(REFERENCE.names)


def sights(times_s, tracks=TRACKS, camera: Camera = actor.VIEW):
    return [Sight(k, t, track, camera) for k, (t, track) in enumerate(zip(times_s, tracks, strict=False))]


def motion(root_x: float, turn_rad: float, frames: int = 4) -> Motion:
    rotations = rotation.identity(frames, N)
    rotations[:, 3] = rotation.exp([turn_rad, 0, 0])
    root = np.full((frames, 3), [root_x, 1.0, 0.0])
    return Motion(np.arange(frames) / 30, root, rotations, np.full((frames, 4), np.nan), np.ones((frames, N)))


def test_what_a_joint_cannot_do_is_left_away_and_positions_follow_the_skeleton():
    knee = REFERENCE.index("left_knee")
    rotations = rotation.identity(2, N)
    rotations[:, knee] = rotation.exp([0.7, 0.0, 0.3])
    made = Motion(TIME_S[:2], np.zeros((2, 3)), rotations, np.full((2, 4), np.nan), np.ones((2, N)))
    pose = poses(1, made, REFERENCE)[0]
    assert pose is not None
    assert np.abs(rotation.log(pose.rotations_wxyz[knee])[1:]).max() < 1e-9
    np.testing.assert_allclose(pose.positions_m, REFERENCE.positions_m(pose.root_m, pose.rotations_wxyz), atol=1e-9)
    lengths = np.linalg.norm(pose.positions_m[1:] - pose.positions_m[list(REFERENCE.parents[1:])], axis=1)
    np.testing.assert_allclose(lengths, REFERENCE.bone_lengths_m[1:], atol=1e-9)


def test_equal_trust_meets_in_the_middle_by_turn():
    merged = merge(motion(0.0, -0.4), motion(2.0, 0.8), np.ones((2, 4)))
    np.testing.assert_allclose(merged.root_m[:, 0], 1.0)
    np.testing.assert_allclose(rotation.log(merged.rotations_wxyz[:, 3])[:, 0], 0.2, atol=1e-12)


def test_where_one_direction_has_no_pose_the_other_speaks_alone():
    nobody = replace(motion(0.0, 0.0), root_m=np.full((4, 3), np.nan), rotations_wxyz=np.full((4, N, 4), np.nan))
    merged = merge(nobody, motion(2.0, 0.8), np.array([[0.0] * 4, [1.0] * 4]))
    np.testing.assert_allclose(merged.root_m[:, 0], 2.0)
    np.testing.assert_allclose(rotation.log(merged.rotations_wxyz[:, 3])[:, 0], 0.8)
    assert not merge(nobody, nobody, np.zeros((2, 4))).known.any()


def test_a_contact_that_one_direction_knows_is_kept_and_one_that_both_know_is_their_mean():
    one, other = motion(0.0, 0.0), motion(0.0, 0.0)
    one = replace(one, contacts=np.tile([1.0, np.nan, 0.2, np.nan], (4, 1)))
    other = replace(other, contacts=np.tile([0.0, 0.7, np.nan, np.nan], (4, 1)))
    np.testing.assert_allclose(merge(one, other, np.ones((2, 4))).contacts, np.tile([0.5, 0.7, 0.2, np.nan], (4, 1)))


def test_a_motion_is_split_at_a_gap_a_step_back_and_another_camera_only():
    times = TIME_S.copy()
    times[10:] += 3.0
    times[20:] -= 2.0
    assert [len(part) for part in stretches(sights(times))] == [10, 10, 20]
    assert [len(part) for part in stretches(sights(TIME_S))] == [40]
    panned = replace(actor.VIEW)
    other = [replace(sight, camera=panned) if sight.frame >= 15 else sight for sight in sights(TIME_S)]
    assert [len(part) for part in stretches(other)] == [15, 25]


def test_a_cut_to_another_place_splits_and_missing_frames_do_not():
    moved, _ = actor.poses_m(TIME_S, yaw_rad=2.8)
    rows = TRACKS[:25] + actor.tracks(moved + np.array([1.5, 0.1, -1.0]))[25:]
    assert [len(part) for part in stretches(sights(TIME_S, rows))] == [25, 15]
    thinned = [sight for sight in sights(TIME_S) if not 10 <= sight.frame < 16]
    assert len(stretches(thinned)) == 1


def test_every_sight_is_in_exactly_one_stretch():
    assert stretches([]) == []
    times = np.random.default_rng(0).uniform(0, 3, 40)
    rows = sights(times)
    assert [sight for part in stretches(rows) for sight in part] == rows
