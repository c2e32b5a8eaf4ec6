"""One person's fit, from what a method says to the pose."""

import signal
import threading
from collections.abc import Iterator

import actor
import numpy as np
import pytest

from posewire import camera as cameras
from posewire import rotation, skeleton
from posewire.data import Camera, Track
from posewire.errors import SettingsError
from posewire.filters import OneEuroSettings
from posewire.fit import FitSettings, Fitter, compiling, frame, warm_up
from posewire.fit.residuals import TERMS
from posewire.fit.weighing import make_weighing

FPS = 30.0
TIME_S = np.arange(90) / FPS
KEYPOINTS, JOINTS = actor.poses_m(TIME_S)


def test_the_pose_is_nearer_to_the_truth_than_the_input_and_steadier() -> None:
    rows = actor.tracks(KEYPOINTS, noise_m=0.04)
    joints = actor.fitted(rows, TIME_S)
    at = [actor.NAMES.index(name) for name in actor.LIMBS]
    raw = cameras.to_world(np.array([row.keypoints_m for row in rows]), actor.VIEW)[:, at]
    truth = (JOINTS - JOINTS[:, :1])[:, actor.limbs(skeleton.REFERENCE)]
    assert actor.error_m(joints, JOINTS)[10:].mean() < 0.6 * np.linalg.norm(raw - truth, axis=-1).mean()
    raw_acceleration = np.linalg.norm(np.diff(raw, 2, axis=0), axis=-1).mean() * FPS**2
    assert actor.acceleration(joints[10:], FPS) < 0.25 * raw_acceleration


def test_the_root_stands_where_the_person_stands() -> None:
    joints = actor.fitted(actor.tracks(KEYPOINTS), TIME_S)
    assert np.linalg.norm(joints[10:, 0] - JOINTS[10:, 0], axis=-1).max() < 0.2


@pytest.mark.parametrize("yaw_deg", [0, 90, 180, 270])
def test_a_cold_start_finds_every_heading(yaw_deg: float) -> None:
    keypoints, joints = actor.poses_m(TIME_S[:1], yaw_rad=np.radians(yaw_deg))
    assert actor.error_m(actor.fitted(actor.tracks(keypoints), TIME_S[:1]), joints)[0] < 0.06


def test_bone_lengths_are_those_of_the_skeleton_in_every_frame() -> None:
    fitter = Fitter(actor.NAMES, FitSettings())
    for track, t in zip(actor.tracks(KEYPOINTS, noise_m=0.05), TIME_S.tolist(), strict=True):
        pose = fitter.fit(track, t, actor.VIEW)
        assert pose is not None
        person = fitter.skeleton  # as it is told with this pose
        lengths = np.linalg.norm(pose.positions_m[1:] - pose.positions_m[list(person.parents[1:])], axis=1)
        np.testing.assert_allclose(lengths, person.bone_lengths_m[1:], atol=1e-9)


def test_positions_angles_and_rotations_of_a_pose_agree() -> None:
    fitter = Fitter(actor.NAMES, FitSettings())
    rows = actor.tracks(KEYPOINTS[:5])
    poses = [fitter.fit(row, t, actor.VIEW) for row, t in zip(rows, TIME_S.tolist(), strict=False)]
    pose, person = poses[-1], fitter.skeleton
    assert pose is not None
    local = person.joint_rotations(pose.angles_rad, pose.rotations_wxyz[0])
    np.testing.assert_allclose(rotation.to_matrix(pose.rotations_wxyz), rotation.to_matrix(local), atol=1e-9)
    np.testing.assert_allclose(person.positions_m(pose.root_m, pose.rotations_wxyz), pose.positions_m, atol=1e-9)


def test_a_pose_says_who_when_how_sure_and_with_which_energies() -> None:
    pose = Fitter(actor.NAMES, FitSettings()).fit(actor.tracks(KEYPOINTS[:1])[0], 1.5, actor.VIEW)
    assert pose is not None
    assert (pose.person_id, pose.time_s) == (7, 1.5)
    np.testing.assert_allclose(pose.confidence, 0.9)
    assert np.isnan(pose.contacts).all()
    assert set(pose.residuals) == set(TERMS)


def test_an_unseen_arm_leaves_the_rest_and_is_not_confident() -> None:
    arm = [actor.NAMES.index(f"left_{part}") for part in ("elbow", "wrist", "index")]
    fitter = Fitter(actor.NAMES, FitSettings())
    rows = [actor.replaced(row, arm) if k > 40 else row for k, row in enumerate(actor.tracks(KEYPOINTS))]
    joints = actor.fitted(rows, TIME_S, fitter)
    others = [skeleton.REFERENCE.index(name) for name in actor.LIMBS if name not in ("left_elbow", "left_wrist")]
    far = np.linalg.norm((joints - joints[:, :1])[41:, others] - (JOINTS - JOINTS[:, :1])[41:, others], axis=-1)
    assert far.mean() < 0.05
    pose = fitter.fit(rows[-1], TIME_S[-1] + 1 / FPS, actor.VIEW)
    assert pose is not None
    assert pose.confidence[skeleton.REFERENCE.index("left_wrist")] == 0.0


@pytest.mark.parametrize("seed", range(3))
def test_any_subset_may_be_unseen_without_a_nan_coming_out(seed: int) -> None:
    rng = np.random.default_rng(seed)
    fitter = Fitter(actor.NAMES, FitSettings())
    for track, t in zip(actor.tracks(KEYPOINTS), TIME_S.tolist(), strict=True):
        hidden = np.flatnonzero(rng.random(len(actor.NAMES)) < rng.random())
        pose = fitter.fit(actor.replaced(track, hidden), t, actor.VIEW)
        if pose is not None:
            assert np.isfinite(pose.positions_m).all()
            assert np.isfinite(pose.angles_rad).all()
            assert np.isfinite(pose.rotations_wxyz).all()


def test_nobody_seen_is_an_honest_gap() -> None:
    nothing = actor.replaced(actor.tracks(KEYPOINTS[:1])[0], list(range(len(actor.NAMES))))
    assert Fitter(actor.NAMES, FitSettings()).fit(nothing, 0.0, actor.VIEW) is None


def test_infinite_and_absurd_numbers_are_taken_as_unseen_or_outvoted() -> None:
    fitter = Fitter(actor.NAMES, FitSettings())
    rows = actor.tracks(KEYPOINTS)
    wrist = [actor.NAMES.index("left_wrist")]
    rows[30] = actor.replaced(rows[30], wrist, px=np.inf, m=np.inf, confidence=0.9)
    rows[31] = actor.replaced(rows[31], wrist, px=1e7, m=1e4, confidence=0.9)
    joints = actor.fitted(rows, TIME_S, fitter)
    assert np.isfinite(joints).all()
    assert actor.error_m(joints, JOINTS)[30:].max() < 0.15


def wrist_moved_m(away_m: float) -> float:
    """How far the wrist of the pose goes when the keypoint of one frame lies so far up."""
    row, wrist = 40, actor.NAMES.index("left_wrist")
    rows = actor.tracks(KEYPOINTS[: row + 1])
    before = actor.fitted(rows, TIME_S[: row + 1])[row]
    seen_m = np.array(rows[row].keypoints_m)[wrist] - [0.0, away_m, 0.0]
    seen_px = rows[row].keypoints_px[wrist] - [0.0, away_m / 3.5 * actor.VIEW.K[1, 1]]
    rows[row] = actor.replaced(rows[row], [wrist], px=seen_px, m=seen_m, confidence=0.9)
    joint = skeleton.REFERENCE.index("left_wrist")
    return float(np.linalg.norm(actor.fitted(rows, TIME_S[: row + 1])[row][joint] - before[joint]))


def test_a_keypoint_that_jumps_away_pulls_less_than_one_that_is_near() -> None:
    assert 0.0 < wrist_moved_m(1.0) < 0.5 * wrist_moved_m(0.2)


def test_2d_alone_gives_a_pose() -> None:
    rows = [Track(1, row.keypoints_px, row.confidence, row.box_px) for row in actor.tracks(KEYPOINTS)]
    joints = actor.fitted(rows, TIME_S)
    assert np.isfinite(joints).all()
    pixels = cameras.project(cameras.to_camera(joints[-1], actor.VIEW), actor.VIEW)
    truth = cameras.project(cameras.to_camera(JOINTS[-1], actor.VIEW), actor.VIEW)
    at = actor.limbs(skeleton.REFERENCE)
    assert np.linalg.norm(pixels - truth, axis=1)[at].mean() < 12.0


def test_exchanged_left_and_right_are_mended() -> None:
    rows = actor.tracks(KEYPOINTS)
    confused = [actor.mirrored_labels(row) if 30 <= k < 45 or k in (60, 62) else row for k, row in enumerate(rows)]
    assert actor.error_m(actor.fitted(confused, TIME_S), JOINTS)[30:].max() < 0.1


def test_a_lasting_exchange_is_believed_in_the_end() -> None:
    time_s = np.arange(150) / FPS
    keypoints, joints = actor.poses_m(time_s)
    rows = actor.tracks(keypoints)
    fixed = [actor.mirrored_labels(row) if k < 10 else row for k, row in enumerate(rows)]
    assert actor.error_m(actor.fitted(fixed, time_s), joints)[-20:].max() < 0.1


def test_a_cut_to_another_place_is_recovered_from_within_five_frames() -> None:
    other, other_joints = actor.poses_m(TIME_S, yaw_rad=2.8)
    shift = np.array([0.8, 0.1, -1.0])
    rows = actor.tracks(KEYPOINTS)[:40] + actor.tracks(other + shift)[40:]
    joints = actor.fitted(rows, TIME_S)
    assert actor.error_m(joints, other_joints)[45:].max() < 0.15
    assert np.linalg.norm(joints[45:, 0] - other_joints[45:, 0] - shift, axis=1).max() < 0.5


def test_a_person_who_returns_after_a_gap_starts_anew() -> None:
    rows, late = actor.tracks(KEYPOINTS), TIME_S + np.where(np.arange(len(TIME_S)) >= 40, 5.0, 0.0)
    joints = actor.fitted(rows, late)
    assert actor.error_m(joints, JOINTS)[40:].max() < 0.1


@pytest.mark.parametrize("fps", [1.0, 10.0, 60.0, 240.0])
def test_any_frame_rate_is_followed(fps: float) -> None:
    time_s = np.arange(int(min(3 * fps, 120)) + 5) / fps
    keypoints, joints = actor.poses_m(time_s)
    assert actor.error_m(actor.fitted(actor.tracks(keypoints), time_s), joints)[3:].mean() < 0.06


def test_time_that_goes_backwards_does_no_harm() -> None:
    time_s = TIME_S.copy()
    time_s[40:] -= 1.0
    time_s[60] = time_s[59]
    assert actor.error_m(actor.fitted(actor.tracks(KEYPOINTS), time_s), JOINTS).max() < 0.15


@pytest.mark.parametrize("fov_deg", [6.0, 120.0, 170.0])
def test_an_absurd_lens_gives_finite_poses(fov_deg: float) -> None:
    camera = cameras.assumed(1280, 720, fov_deg)
    assert np.isfinite(actor.fitted(actor.tracks(KEYPOINTS), TIME_S, camera=camera)).all()


def test_all_points_at_one_place_give_a_finite_pose_or_none() -> None:
    fitter = Fitter(actor.NAMES, FitSettings())
    everything = list(range(len(actor.NAMES)))
    for t in TIME_S[:10].tolist():
        pose = fitter.fit(
            actor.replaced(actor.tracks(KEYPOINTS[:1])[0], everything, px=300.0, m=0.0, confidence=1.0), t, actor.VIEW
        )
        assert pose is None or np.isfinite(pose.positions_m).all()


def test_a_turned_camera_turns_nothing_in_the_world() -> None:
    T = np.eye(4)
    T[:3, :3] = rotation.to_matrix(rotation.exp([0.3, 0.9, 0.0])) @ np.diag([1.0, -1.0, -1.0])
    T[:3, 3] = [1.0, 2.0, 3.0]
    turned = Camera(1280, 720, actor.VIEW.K, T_world_camera=T)
    rows = actor.tracks(KEYPOINTS)
    plain, other = actor.fitted(rows, TIME_S), actor.fitted(rows, TIME_S, camera=turned)
    np.testing.assert_allclose(other, cameras.to_world(cameras.to_camera(plain, actor.VIEW), turned), atol=2e-3)


def test_a_given_height_sets_the_distance() -> None:
    tall = skeleton.for_height(2.0)
    keypoints, joints = actor.poses_m(TIME_S, tall)
    fitted = actor.fitted(actor.tracks(keypoints), TIME_S, Fitter(actor.NAMES, FitSettings(height_m=2.0)))
    assert abs(fitted[-1, 0, 2] - joints[-1, 0, 2]) < 0.2


def test_a_height_nobody_has_is_refused() -> None:
    with pytest.raises(SettingsError, match="height"):
        FitSettings(height_m=3.0)


def test_more_iterations_and_convergence_agree() -> None:
    rows = actor.tracks(KEYPOINTS)
    quick = actor.fitted(rows, TIME_S, Fitter(actor.NAMES, FitSettings()))
    slow = actor.fitted(rows, TIME_S, Fitter(actor.NAMES, FitSettings(realtime=False)))
    np.testing.assert_allclose(quick, slow, atol=5e-3)


def test_reset_forgets_the_motion_and_keeps_the_skeleton() -> None:
    fitter = Fitter(actor.NAMES, FitSettings())
    rows = actor.tracks(KEYPOINTS)
    actor.fitted(rows[:30], TIME_S[:30], fitter)
    digest = fitter.skeleton.digest
    fitter.reset()
    assert fitter.skeleton.digest == digest
    assert actor.error_m(actor.fitted(rows[30:31], TIME_S[30:31], fitter), JOINTS[30:31])[0] < 0.08


def test_two_people_do_not_share_a_memory() -> None:
    rows = actor.tracks(KEYPOINTS)
    alone = actor.fitted(rows, TIME_S)
    one, two = Fitter(actor.NAMES, FitSettings()), Fitter(actor.NAMES, FitSettings())
    mixed = []
    for row, t in zip(rows, TIME_S.tolist(), strict=True):
        pose = one.fit(row, t, actor.VIEW)
        two.fit(actor.mirrored_labels(row), t, actor.VIEW)
        assert pose is not None
        mixed.append(pose.positions_m)
    np.testing.assert_array_equal(alone, np.array(mixed))


def test_unknown_keypoints_are_left_out() -> None:
    names = (*actor.NAMES, "tail")
    rows = [
        Track(
            0,
            np.vstack([r.keypoints_px, [9.0, 9.0]]),
            np.append(r.confidence, 1.0),
            r.box_px,
            np.vstack([r.keypoints_m, [9.0] * 3]),
        )
        for r in actor.tracks(KEYPOINTS[:5])
    ]
    assert np.isfinite(actor.fitted(rows, TIME_S[:5], Fitter(names, FitSettings()))).all()


def test_no_input_makes_the_kernels_compile_twice() -> None:
    row = actor.tracks(KEYPOINTS[:1])[0]
    other_order = Track(1, np.asfortranarray(row.keypoints_px), row.confidence, row.box_px, np.asfortranarray(row.keypoints_m))
    settings = FitSettings(height_m=2, position_sigma_m=1, filter_px=OneEuroSettings(6, 2), realtime=False)
    for fitter in (Fitter(actor.NAMES, FitSettings()), Fitter(actor.NAMES[3:], settings)):
        fitter.fit(other_order, 0, actor.VIEW)
        fitter.fit(row, np.float64(0.1), actor.VIEW)
    assert len(frame.run.signatures) == 1  # type: ignore[attr-defined]


def test_each_filter_has_its_own_cutoffs() -> None:
    settings = FitSettings(filter_px=OneEuroSettings(1, 2, speed_cutoff_hz=3), filter_m=OneEuroSettings(4, 5, speed_cutoff_hz=6))
    w = make_weighing(settings, 2.0)
    assert (w.px_cutoff_hz, w.px_slope, w.px_speed_cutoff_hz) == (2.0, 4.0, 3.0)
    assert (w.m_cutoff_hz, w.m_slope, w.m_speed_cutoff_hz) == (8.0, 10.0, 6.0)


def test_a_method_that_speaks_of_other_points_fits_nobody() -> None:
    fitter = Fitter(("top", "bottom"), FitSettings())
    track = Track(1, np.array([[300.0, 100.0], [300.0, 400.0]]), np.ones(2), np.array([250.0, 100.0, 350.0, 400.0]))
    fitter.learn([track] * 15, actor.VIEW)
    assert fitter.fit(track, 0.0, actor.VIEW) is None


def test_a_compilation_that_takes_more_than_a_moment_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "MOMENT_S", 0.01)
    said, was_said = list[str](), threading.Event()

    def report(message: str) -> None:
        said.append(message)
        was_said.set()

    with compiling.telling(report, "a thing"):
        assert was_said.wait(timeout=10)
    assert said == [compiling.MESSAGE.format("a thing")]


@pytest.fixture
def ctrl_c_counts() -> Iterator[None]:
    """Also where the tests themselves run in the background, which shells shield from Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_a_ctrl_c_while_compiling_is_neither_lost_nor_breaks_in(ctrl_c_counts: None) -> None:
    steps: list[str] = []
    with pytest.raises(KeyboardInterrupt), compiling.telling(None, "a thing"):
        signal.raise_signal(signal.SIGINT)  # inside LLVM it would be swallowed
        steps.append("compiled")
    assert steps == ["compiled"]
    with pytest.raises(KeyboardInterrupt), compiling.telling(None, "a thing"):
        for step in ("first", "second"):
            signal.raise_signal(signal.SIGINT)  # who insists does not wait
            steps.append(step)
    assert steps == ["compiled", "first"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_disk_that_takes_four_seconds_to_read_what_is_compiled_is_not_called_compiling(monkeypatch: pytest.MonkeyPatch) -> None:
    waits_s: list[float] = []

    class Timer(threading.Timer):
        def start(self) -> None:
            waits_s.append(self.interval)

    monkeypatch.setattr(threading, "Timer", Timer)
    with compiling.telling(print, "a thing"):
        pass
    assert waits_s[0] > 4.0


def test_warming_up_says_nothing_when_everything_is_compiled() -> None:
    warm_up()
    said: list[str] = []
    warm_up(said.append)
    assert not said
