"""What is written is what is read."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from take_samples import CAMERA, HEADER, dance, frame, instant, moved, pose, track, write

from posewire.data import Camera
from posewire.errors import TakeError
from posewire.skeleton import REFERENCE
from posewire.take import Take, TakeWriter, read_take


def assert_same(have, want, names):
    """Equal to float32, NaN at the same places."""
    for name in names:
        np.testing.assert_array_equal(np.float32(getattr(have, name)), np.float32(getattr(want, name)), err_msg=name)


def test_every_value_of_every_frame_comes_back(tmp_path):
    written = list(dance())
    take = read_take(write(tmp_path / "a.pwt", written))
    assert take.damage == ()
    assert take.complete
    for have, (taken, tracks, poses, skeletons) in zip(take, written, strict=True):
        assert (have.time_s, have.index, have.capture_unix_ns) == (taken.time_s, taken.index, taken.capture_unix_ns)
        for a, b in zip(have.tracks, tracks, strict=True):
            assert (a.person_id, a.missed_frames) == (b.person_id, b.missed_frames)
            assert_same(a, b, ("keypoints_px", "keypoints_m", "confidence", "box_px"))
        for a, b in zip(have.poses, poses, strict=True):
            assert (a.person_id, a.time_s, a.residuals) == (b.person_id, b.time_s, b.residuals)
            assert_same(a, b, ("root_m", "angles_rad", "rotations_wxyz", "positions_m", "confidence", "contacts"))
            assert have.skeletons[a.person_id].digest == skeletons[b.person_id].digest


def test_the_header_comes_back(tmp_path):
    header = replace(HEADER, lifter="posewire17", source="Küche.mp4")
    assert read_take(write(tmp_path / "a.pwt", [], header)).header == header


def test_the_skeleton_comes_back_with_its_limits_and_digest(tmp_path):
    take = Take.open(write(tmp_path / "a.pwt", [instant(0, [1])]))
    skeleton = take.skeleton_of(1)
    assert (skeleton.names, skeleton.parents, skeleton.dofs) == (REFERENCE.names, REFERENCE.parents, REFERENCE.dofs)
    np.testing.assert_array_equal(skeleton.offsets_m, REFERENCE.offsets_m)
    assert take.people[1].skeleton == REFERENCE.digest == skeleton.digest


def test_each_frame_has_the_camera_that_took_it(tmp_path):
    first = Camera(640, 480, CAMERA.K, np.arange(5) / 10, CAMERA.T_world_camera, "calibrated")
    cameras = [first, first, moved(first, 1.0), moved(first, 1.0), moved(first, 2.0), first]
    take = read_take(write(tmp_path / "a.pwt", [(frame(i, camera=c), [], [], {}) for i, c in enumerate(cameras)]))
    for have, want in zip(take, cameras, strict=True):
        for name in ("K", "distortion", "T_world_camera"):
            np.testing.assert_array_equal(getattr(have.camera, name), getattr(want, name))
        assert (have.camera.origin, have.camera.width_px, have.camera.height_px) == ("calibrated", 640, 480)
    assert len(take.cameras) == 4
    np.testing.assert_array_equal(take.arrays().T_world_camera[:, 0, 3], [0, 0, 1, 1, 2, 0])


def test_not_computed_is_not_the_same_as_unseen(tmp_path):
    nothing_seen = replace(track(1, 1), keypoints_m=np.full((3, 3), np.nan))
    values = [(frame(0), [track(1, 0, with_3d=False)], [], {}), (frame(1), [nothing_seen], [], {})]
    two_d, unseen = read_take(write(tmp_path / "a.pwt", values))
    assert two_d.tracks[0].keypoints_m is None
    assert np.isnan(unseen.tracks[0].keypoints_m).all()


def test_frames_with_nobody_are_kept(tmp_path):
    take = read_take(write(tmp_path / "a.pwt", [(frame(i), [], [], {}) for i in range(7)]))
    assert [one.index for one in take] == list(range(7))
    assert take.people == {}
    assert take.arrays().positions_m.shape == (7, 0, 0, 3)


def test_a_pose_without_a_track_and_a_track_without_a_pose_are_kept(tmp_path):
    values = [(frame(0), [track(1, 0)], [pose(2, 2.0)], {2: REFERENCE})]
    (only,) = read_take(write(tmp_path / "a.pwt", values))
    assert [one.person_id for one in only.tracks] == [1]
    assert [one.person_id for one in only.poses] == [2]


def test_the_arrays_have_the_documented_shapes_and_nan_where_absent(tmp_path):
    arrays = read_take(write(tmp_path / "a.pwt", dance(60))).arrays()
    shapes = {name: getattr(arrays, name).shape for name in ("time_s", "root_m", "T_world_camera", "confidence", "keypoints_m")}
    assert shapes == {
        "time_s": (60,),
        "root_m": (60, 2, 3),
        "T_world_camera": (60, 4, 4),
        "confidence": (60, 2, 25),
        "keypoints_m": (60, 2, 3, 3),
    }
    assert (arrays.positions_m.shape, arrays.rotations_wxyz.shape) == ((60, 2, 25, 3), (60, 2, 25, 4))
    assert arrays.keypoints_px.shape == (60, 2, 3, 2)
    assert (arrays.person_ids.tolist(), arrays.joint_names, arrays.keypoint_names) == (
        [1, 2],
        REFERENCE.names,
        HEADER.keypoint_names,
    )
    here = np.isfinite(arrays.positions_m).all((-2, -1))
    numbers = np.arange(60)
    expected_1 = ~((numbers >= 20) & (numbers < 30)) & ~((numbers >= 45) & (numbers < 50))
    np.testing.assert_array_equal(here, np.stack([expected_1, (numbers >= 10) & (numbers < 40)], axis=1))
    np.testing.assert_array_equal(np.isfinite(arrays.root_m).all(-1), here)
    np.testing.assert_array_equal(np.isnan(arrays.keypoints_px[here][:, 2, 0]), np.nonzero(here)[0] % 3 == 0)


def test_the_arrays_leave_out_the_old_keypoints_of_a_missed_person(tmp_path):
    values = [(frame(1), [track(1, 1)], [], {}), (frame(2), [track(1, 1, missed=1)], [], {})]
    take = read_take(write(tmp_path / "a.pwt", values))
    assert [one.tracks[0].missed_frames for one in take] == [0, 1]
    np.testing.assert_array_equal(np.isfinite(take.arrays().keypoints_px).all((1, 2, 3)), [True, False])


def test_one_persons_arrays_and_an_unknown_person(tmp_path):
    take = read_take(write(tmp_path / "a.pwt", dance()))
    np.testing.assert_array_equal(take.arrays(2).root_m[:, 0], take.arrays().root_m[:, 1])
    with pytest.raises(TakeError, match=r"no such person(.|\n)*7(.|\n)*1, 2"):
        take.arrays(7)


def test_a_take_can_be_copied_frame_by_frame(tmp_path):
    take = read_take(write(tmp_path / "a.pwt", dance()))
    with TakeWriter(tmp_path / "b.pwt", take.header) as writer:
        for one in take:
            writer.add_frame(one)
    a, b = take.arrays(), read_take(tmp_path / "b.pwt").arrays()
    assert_same(a, b, ("time_s", "positions_m", "rotations_wxyz", "keypoints_px", "keypoints_m", "T_world_camera"))


def test_the_summary_counts_people_frames_and_rate(tmp_path):
    path = write(tmp_path / "a.pwt", dance())
    summary = read_take(path).summary().as_json()
    assert (summary["frames"], summary["size_bytes"], summary["method"]) == (60, path.stat().st_size, "blazepose")
    assert summary["median_fps"] == pytest.approx(30.0)
    assert summary["duration_s"] == pytest.approx(59 / 30)
    assert [(one["person_id"], one["frames"]) for one in summary["people"]] == [(1, 45), (2, 30)]
    assert summary["camera"]["vertical_fov_deg"] == pytest.approx(54.0)
    assert summary["camera"]["origin"] == "assumed"
