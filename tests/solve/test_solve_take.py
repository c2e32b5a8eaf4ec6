"""Whole takes: what stays, what becomes better, what is refused. The made-up person of the fit's tests walks in them."""

import hashlib
from dataclasses import replace

import actor
import numpy as np
import pytest
import stepper

from posewire import camera as cameras
from posewire.data import Track
from posewire.errors import CalibrationError, SettingsError, TakeError
from posewire.fit import FitSettings, Fitter
from posewire.fit.contacts import FEET
from posewire.lift import LiftStage
from posewire.methods import MethodCard
from posewire.metrics import slide_speeds_m_s
from posewire.skeleton import REFERENCE
from posewire.solve import SolveSettings, solve_take
from posewire.solve.both_ways import RUNS
from posewire.take import Take, TakeFrame, TakeHeader, TakeWriter

NO_TORCH = "SKIPPED LOUDLY: torch is not installed (pip install 'posewire[train]'); the batched solve is untested here"
FPS = 30.0
STEPS_S = np.random.default_rng(5).choice([1 / 30, 1 / 15, 1 / 60], 150)
TIME_S = np.cumsum(STEPS_S)
KEYPOINTS, JOINTS = actor.poses_m(TIME_S)
TRACKS = actor.tracks(KEYPOINTS, noise_m=0.03, noise_px=4.0)
HEADER = TakeHeader("clip.mp4", "somebody's method", actor.NAMES, settings={"height_m": 1.7, "max_people": 2})


def live(tracks=TRACKS, time_s=TIME_S, camera=actor.VIEW, person_id=7):
    """What a recording holds: each frame fitted as it came."""
    fitter = Fitter(actor.NAMES, FitSettings(height_m=1.7))
    for number, (track, t) in enumerate(zip(tracks, time_s.tolist(), strict=True)):
        track = replace(track, person_id=person_id)
        pose = fitter.fit(track, t, camera)
        poses = () if pose is None else (pose,)
        yield TakeFrame(t, 3 * number, 10**18 + number, camera, (track,), poses, {person_id: fitter.skeleton})


def write(path, frames, header=HEADER):
    with TakeWriter(path, header) as writer:
        for frame in frames:
            writer.add_frame(frame)
    return Take.open(path)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    return write(tmp_path_factory.mktemp("takes") / "walk.pwt", live())


@pytest.fixture(scope="module")
def solved(recorded, tmp_path_factory):
    out = tmp_path_factory.mktemp("solved") / "new.pwt"
    solve_take(recorded, out)
    return Take.open(out)


def joints_m(take, person_id=7):
    """(T, N, 3) NaN where there is no pose."""
    return np.asarray(take.arrays(person_id).positions_m[:, 0], dtype=np.float64)


def error_m(take):
    return float(np.nanmean(actor.error_m(joints_m(take), JOINTS)))


def test_times_keypoints_camera_and_numbers_are_those_of_the_recording(recorded, solved):
    assert len(solved) == len(recorded)
    for old, new in zip(recorded, solved, strict=True):
        assert (new.time_s, new.index, new.capture_unix_ns) == (old.time_s, old.index, old.capture_unix_ns)
        assert new.camera is not None and old.camera is not None
        np.testing.assert_array_equal(new.camera.K, old.camera.K)
        np.testing.assert_array_equal(new.camera.T_world_camera, old.camera.T_world_camera)
        for mine, theirs in zip(new.tracks, old.tracks, strict=True):
            assert mine.person_id == theirs.person_id == 7
            for name in ("keypoints_px", "keypoints_m", "confidence", "box_px"):
                np.testing.assert_array_equal(getattr(mine, name), getattr(theirs, name))


def test_the_header_names_the_solve_and_what_it_was_made_from(recorded, solved):
    assert (solved.header.source, solved.header.method) == ("clip.mp4", "somebody's method")
    said = solved.header.settings["solve"]
    assert isinstance(said, dict)
    assert said["take"] == recorded.path.name
    assert said["take_created_unix_ns"] == recorded.header.created_unix_ns
    assert solved.header.settings["max_people"] == 2


def test_the_recording_stays_byte_for_byte(tmp_path):
    take = write(tmp_path / "a.pwt", live(TRACKS[:20], TIME_S[:20]))
    before = hashlib.sha256(take.path.read_bytes()).digest()
    solve_take(take, tmp_path / "b.pwt")
    assert hashlib.sha256(take.path.read_bytes()).digest() == before


def test_a_solve_is_nearer_to_the_truth_and_steadier_than_live(recorded, solved):
    assert error_m(solved) < 0.7 * error_m(recorded)
    assert jerk(joints_m(solved)) < jerk(joints_m(recorded))


def jerk(joints):
    """Mean third difference of the limbs: what jitter looks like at uneven times, as both takes have the same."""
    return float(np.linalg.norm(np.diff(joints[:, actor.limbs(REFERENCE)], 3, axis=0), axis=-1).mean())


def test_a_solve_comes_neither_late_nor_early(solved):
    """The shift of the motion that fits the truth best, by the slope of the error along the velocity."""
    at = actor.limbs(REFERENCE)
    truth, said = (j[:, at] - j[:, :1] for j in (JOINTS, joints_m(solved)))
    velocity = np.gradient(truth, TIME_S, axis=0)
    inner = slice(10, -10)
    late_s = -np.sum((said - truth)[inner] * velocity[inner]) / np.sum(velocity[inner] ** 2)
    assert abs(late_s) < 0.25 / FPS


def test_there_is_one_skeleton_and_every_pose_is_on_it(solved):
    assert len(solved.skeletons) == 1
    (skeleton,) = solved.skeletons.values()
    for frame in solved:
        (pose,) = frame.poses
        np.testing.assert_allclose(pose.positions_m, skeleton.positions_m(pose.root_m, pose.rotations_wxyz), atol=1e-5)
        local = skeleton.joint_rotations(pose.angles_rad, pose.rotations_wxyz[0])
        np.testing.assert_allclose(skeleton.positions_m(pose.root_m, local), pose.positions_m, atol=1e-5)


def test_people_who_come_and_go_keep_their_ids_and_their_gaps(tmp_path):
    other = actor.tracks(actor.poses_m(TIME_S, yaw_rad=-0.5)[0] + np.array([0.8, 0.0, 0.0]), seed=4)
    there = (TIME_S < 1.0) | (TIME_S > 2.5)
    frames = [
        replace(frame, tracks=(*frame.tracks, replace(track, person_id=9)) if here else frame.tracks)
        for frame, track, here in zip(live(), other, there.tolist(), strict=True)
    ]
    report = solve_take(write(tmp_path / "two.pwt", frames), tmp_path / "new.pwt")
    new = Take.open(report.path)
    assert report.stretches == {7: 1, 9: 2}
    assert list(new.people) == [7, 9]
    np.testing.assert_array_equal(np.isfinite(joints_m(new, 9)[:, 0, 0]), there)
    assert np.isfinite(joints_m(new, 7)).all()
    assert len({frame.skeletons[9].digest for frame in new if 9 in frame.skeletons}) == 1


def test_rows_in_which_a_person_was_missed_stay_and_get_no_pose(tmp_path):
    frames = list(live(TRACKS[:30], TIME_S[:30]))
    frames[10] = replace(frames[10], tracks=(replace(frames[9].tracks[0], missed_frames=1),), poses=())
    new = list(Take.open(solve_take(write(tmp_path / "a.pwt", frames), tmp_path / "b.pwt").path))
    assert new[10].tracks[0].missed_frames == 1
    assert not new[10].poses and new[9].poses and new[11].poses


def test_a_cut_leaves_no_blend_of_two_places(tmp_path):
    moved, moved_joints = actor.poses_m(TIME_S, yaw_rad=2.8)
    shift = np.array([1.5, 0.1, -1.0])
    tracks = TRACKS[:70] + actor.tracks(moved + shift, noise_m=0.03, noise_px=4.0)[70:]
    new = Take.open(solve_take(write(tmp_path / "cut.pwt", live(tracks)), tmp_path / "new.pwt").path)
    root_m = joints_m(new)[:, 0]
    assert np.linalg.norm(root_m[65:70] - JOINTS[65:70, 0], axis=1).max() < 0.5
    assert np.linalg.norm(root_m[70:75] - moved_joints[70:75, 0] - shift, axis=1).max() < 0.5


def test_time_that_goes_backwards_is_solved_in_two_stretches(tmp_path):
    time_s = TIME_S[:60].copy()
    time_s[30:] -= 1.0
    report = solve_take(write(tmp_path / "a.pwt", live(TRACKS[:60], time_s)), tmp_path / "b.pwt", SolveSettings(ground="auto"))
    assert report.stretches == {7: 2} and report.poses == {7: 60}
    assert report.ground is not None and not report.ground.applied


def test_a_new_height_scales_the_skeleton_and_none_keeps_the_recorded_one(recorded, solved, tmp_path):
    tall = Take.open(solve_take(recorded, tmp_path / "tall.pwt", SolveSettings(height_m=2.0)).path)
    (old,), (new,) = solved.skeletons.values(), tall.skeletons.values()
    assert new.bone_lengths_m.sum() / old.bone_lengths_m.sum() == pytest.approx(2.0 / 1.7, rel=0.01)
    assert tall.header.settings["height_m"] == 2.0
    assert solved.header.settings["height_m"] == 1.7


def test_a_new_field_of_view_moves_the_person_to_the_distance_that_it_says(recorded, tmp_path):
    wide = Take.open(solve_take(recorded, tmp_path / "wide.pwt", SolveSettings(vertical_fov_deg=90.0)).path)
    assert wide.camera is not None and wide.camera.K[1, 1] == pytest.approx(360.0)
    ratio = np.median(joints_m(wide)[:, 0, 2]) / np.median(JOINTS[:, 0, 2])
    assert ratio == pytest.approx(360.0 / actor.VIEW.K[1, 1], rel=0.1)


def test_a_camera_of_another_picture_is_refused(recorded, tmp_path):
    with pytest.raises(CalibrationError):
        solve_take(recorded, tmp_path / "x.pwt", SolveSettings(camera=cameras.assumed(480, 640)))
    assert not (tmp_path / "x.pwt").exists()


class Flattening:
    """A lifter that says the joints lie in a plane: easily told from what was recorded."""

    receptive_field = 3

    def lift(self, window_px, confidence, time_s, camera):
        centred = window_px[-1] - np.nanmean(window_px[-1], axis=0)
        return np.concatenate([centred / 200.0, np.zeros((len(centred), 1))], axis=1)

    def close(self):
        pass


def test_another_lifter_replaces_the_3d_and_is_named(recorded, tmp_path):
    card = MethodCard("flat", "lifter", actor.NAMES, False, "none", "flat", lambda options: Flattening())
    stage = LiftStage(Flattening(), card, actor.NAMES)
    new = Take.open(solve_take(recorded, tmp_path / "flat.pwt", lift=stage, lifter="flat").path)
    assert new.header.lifter == "flat"
    track = next(iter(new)).tracks[0]
    assert track.keypoints_m is not None and np.abs(track.keypoints_m[:, 2]).max() == 0.0
    np.testing.assert_array_equal(track.keypoints_px, next(iter(recorded)).tracks[0].keypoints_px)


def test_2d_alone_is_solved(tmp_path):
    tracks = [Track(7, t.keypoints_px, t.confidence, t.box_px) for t in TRACKS[:60]]
    report = solve_take(write(tmp_path / "a.pwt", live(tracks, TIME_S[:60])), tmp_path / "b.pwt")
    assert report.poses == {7: 60}


def test_a_solved_take_can_be_solved_again(solved, tmp_path):
    again = Take.open(solve_take(solved, tmp_path / "again.pwt").path)
    np.testing.assert_allclose(joints_m(again), joints_m(solved), atol=1e-6)


def test_a_person_seen_in_one_frame_or_never_well_does_no_harm(tmp_path):
    frames = list(live(TRACKS[:20], TIME_S[:20]))
    nothing = actor.replaced(TRACKS[0], list(range(len(actor.NAMES))))
    once, never = replace(TRACKS[5], person_id=8), replace(nothing, person_id=9)
    frames[5] = replace(frames[5], tracks=(*frames[5].tracks, once, never))
    report = solve_take(write(tmp_path / "a.pwt", frames), tmp_path / "b.pwt")
    assert report.poses == {7: 20, 8: 1, 9: 0}


def test_progress_ends_at_its_total(recorded, tmp_path):
    told = []
    solve_take(recorded, tmp_path / "a.pwt", progress=lambda done, total: told.append((done, total)))
    total = (RUNS + 1) * len(TRACKS)  # each run, and the last solve
    assert told[-1] == (total, total)
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def slides_m_s(take):
    """Speeds of the feet while they touch the ground."""
    contacts = np.array([frame.poses[0].contacts for frame in take])
    return slide_speeds_m_s(joints_m(take)[:, FEET], contacts, take.time_s)


def test_feet_on_the_ground_slide_far_less_than_live_and_the_body_stays_where_it_is(tmp_path):
    tracks = actor.tracks(stepper.keypoints_m(TIME_S), noise_m=0.03, noise_px=4.0)  # TRACKS' feet are hardly ever at rest
    recorded = write(tmp_path / "steps.pwt", live(tracks))
    free, solved = (
        Take.open(solve_take(recorded, tmp_path / f"{lock_feet}.pwt", SolveSettings(lock_feet=lock_feet)).path)
        for lock_feet in (False, True)
    )
    assert np.median(slides_m_s(solved)) < 0.3 * np.median(slides_m_s(recorded))
    assert np.percentile(slides_m_s(solved), 95) < 0.5 * np.percentile(slides_m_s(free), 95)
    assert np.median(np.linalg.norm(joints_m(solved)[:, 0] - joints_m(free)[:, 0], axis=-1)) < 0.03
    assert free.header.settings["solve"]["lock_feet"] is False
    assert solved.header.settings["solve"]["lock_feet"] is True


def test_torch_on_the_cpu_writes_the_same_take_as_numba(recorded, solved, tmp_path):
    pytest.importorskip("torch", reason=NO_TORCH)
    new = Take.open(solve_take(recorded, tmp_path / "torch.pwt", SolveSettings(device="torch")).path)
    np.testing.assert_allclose(joints_m(new), joints_m(solved), atol=1e-4)
    for mine, theirs in zip(new, solved, strict=True):
        np.testing.assert_array_equal(mine.poses[0].contacts, theirs.poses[0].contacts)


def test_the_take_itself_and_an_existing_file_are_refused(recorded, tmp_path):
    with pytest.raises(TakeError, match="does not replace its own take"):
        solve_take(recorded, recorded.path, overwrite=True)
    there = tmp_path / "there.pwt"
    there.write_bytes(b"mine")
    with pytest.raises(TakeError, match="exists"):
        solve_take(recorded, there)
    assert there.read_bytes() == b"mine"
    solve_take(recorded, there, overwrite=True)
    assert len(Take.open(there)) == len(recorded)


def test_a_take_without_keypoints_is_refused(tmp_path):
    empty = write(tmp_path / "empty.pwt", [replace(frame, tracks=(), poses=()) for frame in live(TRACKS[:3], TIME_S[:3])])
    with pytest.raises(TakeError, match="no recorded keypoints"):
        solve_take(empty, tmp_path / "x.pwt")
    strange = write(tmp_path / "strange.pwt", [], TakeHeader("clip.mp4", "hands", ("palm_3", "palm_4")))
    with pytest.raises(TakeError, match="no keypoint that lies on the skeleton"):
        solve_take(strange, tmp_path / "x.pwt")
    assert not (tmp_path / "x.pwt").exists()


@pytest.mark.parametrize("values", [{"smooth_s": -1.0}, {"smooth_s": float("nan")}, {"height_m": 9.0}])
def test_absurd_settings_are_refused(values):
    with pytest.raises(SettingsError):
        SolveSettings(**values)
