"""`posewire eval` on single poses: known errors come out as those numbers; lifters and methods are shown the right things."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import layouts
import numpy as np
import pytest

from posewire.cli import main, pose_evaluation
from posewire.data import Camera, Detections, FloatArray, Frame
from posewire.evaluate import Motion, Reference, poses
from posewire.methods import MethodCard
from posewire_blazepose.names import KEYPOINT_NAMES
from posewire_data import bodies, mpi_inf_3dhp, mupots
from posewire_data.joints import COMMON_14, JOINTS, mirrored, root_relative
from posewire_data.motion import Clip, MotionSet, save

WRIST = JOINTS.index("left_wrist")


def samples(said_m: np.ndarray, true_m: np.ndarray, **changes: object) -> poses.PoseSamples:
    """World poses (F, 17, 3) at 30 Hz, all seen, all matched; the camera's axes are the world's."""
    frames = len(true_m)
    pixels = 100 * true_m[..., :2]
    plain = poses.PoseSamples(
        said_m=root_relative(said_m),
        true_m=root_relative(true_m),
        root_m=true_m[:, 0],
        R_world_camera=np.tile(np.eye(3), (frames, 1, 1)),
        time_s=np.arange(frames) / 30,
        stretches=np.zeros(frames, dtype=np.int64),
        sequences=np.full(frames, "a"),
        activities=np.where(np.arange(frames) < frames // 2, "wave", "turn"),
        seen=np.ones((frames, 17), dtype=np.bool_),
        matched=np.ones(frames, dtype=np.bool_),
        said_px=pixels,
        true_px=pixels,
    )
    return replace(plain, **changes)


def test_the_truth_scores_perfectly(waving_m: np.ndarray) -> None:
    row = poses.score("truth", samples(waving_m, waving_m)).rows[0]
    assert (row.group, row.samples, row.seen_percent) == ("all", 60, 100.0)
    for value in (row.mpjpe_mm, row.n_mpjpe_mm, row.pa_mpjpe_mm, row.depth_error_mm, row.acceleration_error_m_s2):
        assert value == pytest.approx(0.0, abs=1e-6)
    assert row.pck150_percent == row.auc_percent == row.pck_2d_percent == 100.0


def test_an_error_of_one_joint_shows_in_its_rows_only(waving_m: np.ndarray) -> None:
    said_m = waving_m.copy()
    said_m[:, WRIST, 2] += 0.170
    report = poses.score("x", samples(said_m, waving_m))
    assert report.row("wrist").mpjpe_mm == pytest.approx(85.0) and report.row("wrist").pck150_percent == 50.0
    assert report.row("elbow").mpjpe_mm == 0.0 and report.row("elbow").auc_percent == 100.0
    assert report.row("x").mpjpe_mm == pytest.approx(10.0) and report.row("x").depth_error_mm == pytest.approx(10.0)
    assert report.row("x").pck150_percent == pytest.approx(100 * 13 / 14)
    assert WRIST in COMMON_14


def test_a_pose_of_another_size_is_right_but_for_its_scale(waving_m: np.ndarray) -> None:
    row = poses.score("x", samples(1.1 * waving_m, waving_m)).rows[0]
    assert row.mpjpe_mm > 30 and row.n_mpjpe_mm == pytest.approx(0.0, abs=1e-6)


def test_who_is_not_found_counts_as_wrong_except_among_those_found(waving_m: np.ndarray) -> None:
    said_m, matched = waving_m.copy(), np.arange(60) % 3 != 0
    said_m[~matched] = np.nan
    report = poses.score("x", samples(said_m, waving_m, matched=matched))
    assert report.row("x").pck150_percent == pytest.approx(200 / 3) and report.row("matched only").pck150_percent == 100.0
    assert report.row("x").seen_percent == pytest.approx(200 / 3) and report.row("matched only").samples == 40


def test_hidden_and_visible_joints_are_counted_apart(waving_m: np.ndarray) -> None:
    said_m, seen = waving_m.copy(), np.ones((60, 17), dtype=np.bool_)
    seen[:, WRIST] = False
    said_m[:, WRIST, 0] += 0.1
    report = poses.score("x", samples(said_m, waving_m, seen=seen))
    assert report.row("occluded").mpjpe_mm == pytest.approx(100.0) and report.row("visible").mpjpe_mm == 0.0


def test_activities_are_counted_apart_and_an_error_belongs_to_its_own(waving_m: np.ndarray) -> None:
    said_m = waving_m.copy()
    said_m[:30, WRIST, 0] += 0.17
    report = poses.score("x", samples(said_m, waving_m))
    assert report.row("wave").mpjpe_mm == pytest.approx(10.0) and report.row("turn").mpjpe_mm == 0.0
    assert "a" not in {row.name for row in report.rows}  # one sequence alone is no group


def test_an_ankle_that_stands_but_is_said_to_move_slides(standing_m: np.ndarray) -> None:
    true_m = np.tile(standing_m, (30, 1, 1))
    said_m = true_m.copy()
    said_m[:, JOINTS.index("left_ankle"), 0] += np.arange(30) * 0.01  # 0.3 m/s; the other ankle stands
    row = poses.score("x", samples(said_m, true_m)).rows[0]
    assert row.foot_slide_m_s == pytest.approx(0.15)
    moving = poses.score("x", samples(said_m, said_m)).rows[0]
    assert moving.foot_slide_m_s == pytest.approx(0.0)  # an ankle that truly moves does not slide


def test_time_does_not_run_across_stretches(waving_m: np.ndarray) -> None:
    said_m = waving_m.copy()
    said_m[30:, 1:] += [0.0, 0.0, 0.1]
    apart = np.repeat([0, 1], 30)
    whole = poses.score("x", samples(said_m, waving_m)).rows[0]
    cut = poses.score("x", samples(said_m, waving_m, stretches=apart)).rows[0]
    assert whole.acceleration_error_m_s2 > 1.0 and cut.acceleration_error_m_s2 == pytest.approx(0.0, abs=1e-9)
    both = poses.joined([samples(said_m, waving_m), samples(said_m, waving_m)])
    assert len(both) == 120 and set(both.stretches.tolist()) == {0, 1}


def test_2d_is_scored_on_the_joints_that_the_method_has(waving_m: np.ndarray) -> None:
    said_px = 100 * waving_m[..., :2]
    said_px[:, JOINTS.index("head_top")] = np.nan
    said_px[:20, WRIST] = np.nan
    row = poses.score("x", samples(waving_m, waving_m, said_px=said_px)).rows[0]
    assert row.pck_2d_percent == pytest.approx(100 * (1 - 20 / (60 * 16)))


def test_a_take_is_grouped_as_a_dataset_is(waving_m: np.ndarray) -> None:
    time_s = np.arange(60) / 30
    names = tuple(name for name in JOINTS if name not in ("pelvis", "head_top"))
    columns = [JOINTS.index(name) for name in names]
    said_m = waving_m.copy()
    said_m[:, WRIST, 0] += 0.2
    late = Motion("raw", time_s + 0.010, names, said_m[:, columns])  # within half a frame
    reference = Reference("reference", "cam", Motion("reference", time_s, JOINTS, waving_m))
    report = poses.score("raw", poses.of_motion(late, reference))
    assert report.row("wrist").mpjpe_mm == pytest.approx(100.0) and report.row("knee").mpjpe_mm == pytest.approx(0.0, abs=1e-9)
    assert report.row("raw").seen_percent == pytest.approx(100 * 16 / 17)
    assert np.isnan(report.row("raw").foot_slide_m_s) and np.isnan(report.row("raw").pck_2d_percent)


class TellingLifter:
    """Knows the truth of what it is shown at z = 4 m, or nothing where everything is hidden."""

    receptive_field = 3

    def __init__(self) -> None:
        self.lengths: list[int] = []
        self.hidden = 0.0

    def lift(self, window_px: FloatArray, confidence: FloatArray, time_s: FloatArray, camera: Camera) -> FloatArray:
        assert window_px.shape[1:] == (17, 2) and (np.isnan(window_px).all(axis=-1) == (confidence == 0)).all()
        assert len(time_s) < 2 or np.allclose(np.diff(time_s), 1 / 30)
        self.lengths.append(len(window_px))
        self.hidden += float((confidence[-1] == 0).mean())
        pose = np.zeros((17, 3))
        pose[:, :2] = (window_px[-1] - camera.K[:2, 2]) / camera.K[0, 0] * 4.0
        return pose

    def close(self) -> None:
        self.lengths.clear()


CARD = MethodCard("telling", "lifter", JOINTS, True, "none", "knows", lambda _: TellingLifter())


@pytest.fixture
def motion(waving_m: np.ndarray) -> MotionSet:
    positions_m = np.concatenate([waving_m, waving_m[::-1]])
    clips = tuple(Clip(f"13_{i:02d}", "cmu", "13", f"act {i}", 60.0, positions_m) for i in (1, 2))
    return MotionSet("test", clips)


def test_a_lifter_sees_its_history_and_is_scored_on_about_as_many_poses_as_asked(motion: MotionSet) -> None:
    lifter = TellingLifter()
    found = poses.evaluate_lifter(lifter, CARD, motion, poses.Synthetic(samples=80, stretch_frames=10))
    assert set(lifter.lengths) == {3} and 60 <= len(found) <= 120
    assert set(found.activities.tolist()) == {"act 1", "act 2"} and found.seen.all()
    again = poses.evaluate_lifter(TellingLifter(), CARD, motion, poses.Synthetic(samples=80, stretch_frames=10))
    np.testing.assert_array_equal(found.said_m, again.said_m)


def test_the_truth_of_a_virtual_camera_is_in_its_own_axes(motion: MotionSet) -> None:
    found = poses.evaluate_lifter(TellingLifter(), CARD, motion, poses.Synthetic(samples=80, stretch_frames=10))
    world_m = np.einsum("fij,fnj->fni", found.R_world_camera, found.true_m)
    heights_m = world_m[:, JOINTS.index("head_top"), 1]
    np.testing.assert_allclose(heights_m, 0.8, atol=1e-6)  # head top above the pelvis, whatever the camera


def test_bodies_of_other_proportions_do_the_same(motion: MotionSet) -> None:
    found = poses.evaluate_lifter(TellingLifter(), CARD, motion, poses.Synthetic(samples=200, stretch_frames=10, bodies=0.1))
    shins_m = bodies.bone_lengths_m(found.true_m)[:, JOINTS.index("left_ankle")]
    assert len(np.unique(shins_m.round(6))) == len(np.unique(found.stretches)) and shins_m.std() > 0.01


def test_missing_joints_are_hidden_from_the_lifter_and_noise_moves_the_rest(motion: MotionSet) -> None:
    lifter = TellingLifter()
    found = poses.evaluate_lifter(lifter, CARD, motion, poses.Synthetic(samples=80, missing=0.3))
    assert lifter.hidden / len(lifter.lengths) == pytest.approx(0.3, abs=0.04) and found.seen.mean() == pytest.approx(
        0.7, abs=0.04
    )
    noisy = poses.evaluate_lifter(TellingLifter(), CARD, motion, poses.Synthetic(samples=80, noise=True))
    error_px = np.linalg.norm(noisy.said_px - noisy.true_px, axis=-1)
    assert np.isnan(error_px[:, JOINTS.index("neck")]).all() and np.nanmedian(error_px) > 0.5


def test_a_dataset_is_lifted_from_what_can_be_seen(tmp_path: Path, waving_m: np.ndarray) -> None:
    layouts.write_mupots(
        tmp_path / "TS1", [waving_m[:6], mirrored(waving_m[:6]) + np.array([1.0, 0, 0])], mpi_inf_3dhp.TEST_ORDER
    )
    lifter = TellingLifter()
    found = poses.evaluate_sequences(mupots.read_sequences(tmp_path, "test"), poses.by_lifter(lifter, CARD), 4)
    assert len(found) == 4 + 3  # one person of the first frame is not annotated
    assert not found.seen[:4, WRIST].any() and np.isnan(found.said_px[:4, WRIST]).all()
    assert poses.score("x", found).row("occluded").samples == 4


class SeeingEstimator:
    """Says what `layouts` draws: the true 2D of the first person, read from the picture's number; nobody else."""

    def __init__(self, points_px: np.ndarray) -> None:
        self._points_px = points_px

    def estimate(self, frame: Frame) -> Detections:
        points_px = np.full((1, len(KEYPOINT_NAMES), 2), np.nan)
        for j, name in enumerate(JOINTS):
            if name in KEYPOINT_NAMES:
                points_px[0, KEYPOINT_NAMES.index(name)] = self._points_px[int(frame.image[0, 0, 0]), j] + 2.0
        confidence = np.isfinite(points_px).all(axis=-1).astype(np.float64)
        return Detections(points_px, confidence, np.zeros((1, 4)), np.zeros((1, len(KEYPOINT_NAMES), 3)))

    def reset(self) -> None:
        pass

    def close(self) -> None:
        pass


def test_a_method_is_shown_the_pictures_and_its_people_are_matched(tmp_path: Path, waving_m: np.ndarray) -> None:
    first_m, second_m = waving_m[:6], mirrored(waving_m[:6]) + np.array([1.5, 0, 0])
    layouts.write_mupots(tmp_path / "TS1", [first_m, second_m], mpi_inf_3dhp.TEST_ORDER)
    for frame in range(6):
        cv2.imwrite(str(tmp_path / "TS1" / f"img_{frame:06d}.jpg"), np.full((64, 64, 3), frame, np.uint8))
    card = MethodCard("seeing", "estimator", KEYPOINT_NAMES, True, "none", "sees", lambda _: None)  # type: ignore[arg-type]
    say = poses.by_method(SeeingEstimator(layouts.pixels(layouts.camera_m(first_m))), card, None)
    found = poses.evaluate_sequences(mupots.read_sequences(tmp_path, "test"), say, 10)
    assert found.matched[:6].all() and not found.matched[6:].any()
    report = poses.score("x", found)
    assert report.row("matched only").pck_2d_percent == 100.0 and report.row("x").pck_2d_percent < 60.0


@pytest.fixture
def lifter_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pose_evaluation, "_lifter", lambda name, _: (replace(CARD, name=name), TellingLifter()))


@pytest.mark.usefixtures("lifter_command")
def test_the_command_compares_lifters_as_table_json_and_picture(
    tmp_path: Path, motion: MotionSet, capsys: pytest.CaptureFixture[str]
) -> None:
    save(tmp_path / "motion.npz", [motion])
    arguments = ["eval", "--motion", str(tmp_path / "motion.npz"), "--lifter", "a,b", "--samples", "60"]
    main([*arguments, "--by", "joint", "--plot", str(tmp_path / "plot.png")])
    table = capsys.readouterr().out
    assert "constant pose" in table and "a: wrist" in table and "MPJPE" in table
    assert cv2.imread(str(tmp_path / "plot.png")) is not None
    main([*arguments, "--json"])
    reports = json.loads(capsys.readouterr().out)
    assert [report["name"] for report in reports] == ["a", "b"] and reports[0]["rows"][0]["mpjpe_mm"] > 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--dataset", "mupots"], "no --data"),
        (["--dataset", "mupots", "--data", "nowhere", "--lifter", "a"], "MuPoTS-3D's first sequence is missing"),
        (["--motion", "nowhere.npz", "--lifter", "a"], "not a packed motion"),
        (["--motion", "a.npz", "b.npz", "--lifter", "a"], "takes one motion"),
        (["--motion", "a.npz", "--lifter", "a", "--missing", "1.5"], "--missing must be a share"),
        (["--motion", "a.npz", "--lifter", "a", "--bodies", "8"], "--bodies must be a deviation"),
        (["--motion", "a.npz", "--lifter", "a", "--samples", "0"], "--samples must be a number"),
    ],
)
@pytest.mark.usefixtures("lifter_command")
def test_bad_requests_end_with_a_sentence(
    arguments: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["eval", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_a_method_that_is_no_lifter_is_refused(tmp_path: Path, motion: MotionSet, capsys: pytest.CaptureFixture[str]) -> None:
    save(tmp_path / "motion.npz", [motion])
    assert main(["eval", "--motion", str(tmp_path / "motion.npz"), "--lifter", "blazepose"]) == 2
    assert "is no lifter" in capsys.readouterr().err
