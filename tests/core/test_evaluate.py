"""`posewire eval`: what is read, which frames meet, and that a known error comes out as that number."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from rich.console import Console

from posewire import camera, rotation
from posewire.cli import main
from posewire.data import Track
from posewire.errors import TakeError
from posewire.evaluate import Motion, Prediction, Reference, evaluate, load_prediction, load_reference, plot
from posewire.evaluate.motions import LIMB_JOINTS
from posewire.evaluate.plot import round_top
from posewire.take import TakeFrame, TakeHeader, TakeWriter

FRAMES, FPS = 40, 60.0
TIME_S = np.arange(FRAMES) / FPS
PARTS = ("Shoulder", "Elbow", "Wrist", "Hip", "Knee", "Ankle")
REFERENCE_NAMES = [side + part for side in "LR" for part in PARTS] + ["Nose"]
NATIVE_NAMES = [f"{side}_{part.lower()}" for side in ("left", "right") for part in PARTS] + ["nose"]
R_CAMERA_WORLD = rotation.to_matrix(rotation.exp([0.4, -1.0, 2.0]))
T_CAMERA_WORLD_M = np.array([0.2, 0.5, 3.0])


def walking_m() -> np.ndarray:
    """A smooth motion (T, 13, 3), world."""
    rest = np.random.default_rng(1).normal(0, 0.4, (len(REFERENCE_NAMES), 3))
    phase = np.arange(3 * len(REFERENCE_NAMES)).reshape(-1, 3)
    return rest + 0.2 * np.sin(2 * np.pi * 1.3 * TIME_S[:, None, None] + phase)


def camera_m(world_m: np.ndarray) -> np.ndarray:
    return world_m @ R_CAMERA_WORLD.T + T_CAMERA_WORLD_M


def write_reference(folder: Path, **changes: Any) -> Path:
    """A reference file in the layout of docs/METRICS.md with two cameras; a change of None removes a key."""
    arrays: dict[str, Any] = {"joint_names": np.array(REFERENCE_NAMES), "joints_world_m": walking_m(), "time_s": TIME_S}
    arrays |= {"cam01_R_cam_world": R_CAMERA_WORLD, "cam01_t_cam_world_m": T_CAMERA_WORLD_M}
    arrays |= {"cam02_R_cam_world": np.eye(3), "cam02_t_cam_world_m": np.zeros(3)}
    path = folder / "reference.npz"
    np.savez(path, **{key: value for key, value in (arrays | changes).items() if value is not None})
    return path


def take_arrays(**changes: Any) -> Mapping[str, Any]:
    """The npz export of a perfect take: person 4 is there always, person 7 in half of the frames."""
    world = np.stack([walking_m(), walking_m() + 1.0], axis=1)
    world[::2, 1] = np.nan
    T_world_camera = np.eye(4)
    T_world_camera[:3, :3], T_world_camera[:3, 3] = R_CAMERA_WORLD.T, -R_CAMERA_WORLD.T @ T_CAMERA_WORLD_M
    return {
        "time_s": TIME_S,
        "person_ids": np.array([4, 7]),
        "joint_names": np.array(NATIVE_NAMES),
        "positions_m": world.astype(np.float32),
        "T_world_camera": np.broadcast_to(T_world_camera, (FRAMES, 4, 4)),
        "keypoint_names": np.array(NATIVE_NAMES),
        "keypoints_m": camera_m(world).astype(np.float32) - 0.5,
    } | changes


def write_take(folder: Path, **changes: Any) -> Path:
    path = folder / "take.npz"
    np.savez(path, **take_arrays(**changes))
    return path


@pytest.fixture
def reference(tmp_path: Path) -> Reference:
    return load_reference(write_reference(tmp_path), view="cam01")


def prediction(reference: Reference, positions_m: np.ndarray, time_s: np.ndarray = TIME_S) -> Prediction:
    return Prediction("a", 1, (1,), (Motion("raw", time_s, reference.motion.joint_names, positions_m),))


def test_a_perfect_take_scores_perfectly_from_both_axes(tmp_path: Path, reference: Reference) -> None:
    report = evaluate(load_prediction(write_take(tmp_path)), reference)
    for name in ("raw", "fitted"):
        row = report.row(name)
        assert (row.pa_mpjpe_mm, row.n_mpjpe_mm, row.mpjpe_mm) == pytest.approx((0, 0, 0), abs=1e-3)
        assert (row.pck150_percent, row.seen_percent, row.frames) == (100, 100, FRAMES)
        assert row.acceleration_m_s2 == pytest.approx(report.row("reference").acceleration_m_s2, rel=1e-2)
        assert row.delay_frames == pytest.approx(0, abs=0.05)


def test_the_constant_pose_and_the_reference_are_in_every_report(reference: Reference) -> None:
    report = evaluate(prediction(reference, reference.motion.positions_m), reference)
    assert [row.name for row in report.rows] == ["raw", "constant pose", "reference"]
    assert report.row("constant pose").pa_mpjpe_mm > 50
    assert report.row("constant pose").acceleration_m_s2 == pytest.approx(0, abs=1e-9)
    assert np.isnan(report.row("reference").pa_mpjpe_mm)


def test_a_scaled_and_turned_prediction_costs_mpjpe_only(reference: Reference) -> None:
    scaled = evaluate(prediction(reference, 1.2 * reference.motion.positions_m), reference).row("raw")
    assert scaled.mpjpe_mm > 50
    assert scaled.n_mpjpe_mm == pytest.approx(0, abs=1e-6)
    turned = evaluate(prediction(reference, reference.motion.positions_m @ R_CAMERA_WORLD), reference).row("raw")
    assert turned.n_mpjpe_mm > 50
    assert turned.pa_mpjpe_mm == pytest.approx(0, abs=1e-6)


def test_acceleration_is_of_the_joints_about_their_centroid(reference: Reference) -> None:
    shaken = reference.motion.positions_m + np.random.default_rng(2).normal(0, 0.02, (FRAMES, 1, 3))
    row, true = (evaluate(prediction(reference, m), reference).row("raw") for m in (shaken, reference.motion.positions_m))
    assert row.acceleration_m_s2 == pytest.approx(true.acceleration_m_s2)
    assert row.acceleration_as_given_m_s2 > 2 * true.acceleration_as_given_m_s2


def test_a_late_prediction_has_its_delay(reference: Reference) -> None:
    late = np.roll(reference.motion.positions_m, 2, axis=0)
    late[:2] = np.nan
    assert evaluate(prediction(reference, late), reference).row("raw").delay_frames == pytest.approx(2, abs=0.1)


def test_missing_joints_are_told_and_fail_the_pck(reference: Reference) -> None:
    positions = reference.motion.positions_m.copy()
    positions[:, reference.motion.joint_names.index("left_wrist")] = np.nan
    row = evaluate(prediction(reference, positions), reference).row("raw")
    assert row.seen_percent == pytest.approx(100 * 11 / 12)
    assert row.pck150_percent == pytest.approx(100 * 11 / 12)
    assert np.isnan(row.pa_mpjpe_mm_of_joint["left_wrist"])


def test_frames_meet_by_time_not_by_index(reference: Reference) -> None:
    every_second = prediction(reference, reference.motion.positions_m[4::2], TIME_S[4::2] + 0.002)
    row = evaluate(every_second, reference).row("raw")
    assert row.frames == (FRAMES - 4) // 2
    assert row.mpjpe_mm == pytest.approx(0, abs=1e-9)
    assert np.isfinite(row.acceleration_m_s2)  # at its own rate, though every other reference frame has no partner


def test_by_index_ignores_the_clock_and_the_surplus(reference: Reference) -> None:
    longer = np.concatenate([reference.motion.positions_m, reference.motion.positions_m])
    row = evaluate(prediction(reference, longer, np.arange(2 * FRAMES) + 100.0), reference, by_index=True).row("raw")
    assert (row.frames, row.mpjpe_mm) == (FRAMES, 0)


def test_no_common_instant_is_an_error_that_names_both_spans(reference: Reference) -> None:
    with pytest.raises(TakeError, match=r"10.000 to(.|\n)*0.000 to 0.650"):
        evaluate(prediction(reference, reference.motion.positions_m, TIME_S + 10), reference)


def test_several_takes_share_a_table(reference: Reference) -> None:
    one = prediction(reference, reference.motion.positions_m)
    report = evaluate([one, replace(one, name="b")], reference)
    assert [row.name for row in report.rows] == ["a: raw", "b: raw", "constant pose", "reference"]


# ---- the output


def test_json_is_complete_and_has_null_for_what_does_not_apply(reference: Reference) -> None:
    values = json.loads(evaluate(prediction(reference, reference.motion.positions_m), reference).to_json())
    assert values["view"] == "cam01"
    assert values["rows"][0]["pck_percent_at_mm"]["150"] == 100
    assert set(values["rows"][0]["pa_mpjpe_mm_of_joint"]) == set(LIMB_JOINTS)
    assert values["rows"][-1]["pa_mpjpe_mm"] is None


@pytest.mark.parametrize("per_joint", [False, True])
def test_the_table_shows_every_motion(reference: Reference, per_joint: bool) -> None:
    console = Console(width=160)
    with console.capture() as capture:
        console.print(evaluate(prediction(reference, reference.motion.positions_m), reference).to_table(per_joint=per_joint))
    text = capture.get()
    assert "raw" in text
    assert "constant pose" in text
    assert ("left_knee" in text) == per_joint


def test_the_plot_is_a_picture(reference: Reference, tmp_path: Path) -> None:
    plot(evaluate(prediction(reference, reference.motion.positions_m), reference), tmp_path / "plot.png")
    picture = cv2.imdecode(np.frombuffer((tmp_path / "plot.png").read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 4


def test_the_lines_of_a_plot_stand_for_round_numbers() -> None:
    assert [round_top(value) for value in (1.0, 7.2, 75.2, 81.0, 101.0, 139.0)] == [2.0, 8.0, 80.0, 100.0, 120.0, 160.0]


def test_a_plot_in_a_missing_folder_is_an_error(reference: Reference, tmp_path: Path) -> None:
    with pytest.raises(TakeError, match="existing folder"):
        plot(evaluate(prediction(reference, reference.motion.positions_m), reference), tmp_path / "no" / "plot.png")


# ---- the files


def test_the_view_is_found_in_the_name_of_the_clip(tmp_path: Path) -> None:
    path = write_reference(tmp_path)
    assert load_reference(path, source="/videos/balancing_cam02.mp4").view == "cam02"
    with pytest.raises(TakeError, match=r"cam01, cam02(.|\n)*--view"):
        load_reference(path, source="/videos/other.mp4")
    with pytest.raises(TakeError, match="cam09"):
        load_reference(path, view="cam09", source="/videos/balancing_cam02.mp4")


def test_the_only_view_needs_no_name(tmp_path: Path) -> None:
    assert load_reference(write_reference(tmp_path, cam02_R_cam_world=None, cam02_t_cam_world_m=None)).view == "cam01"


def test_the_person_in_most_frames_is_chosen_unless_told(tmp_path: Path) -> None:
    path = write_take(tmp_path)
    assert load_prediction(path).person_id == 4
    assert load_prediction(path, person_id=7).person_id == 7
    with pytest.raises(TakeError, match="4, 7"):
        load_prediction(path, person_id=1)


def test_a_take_without_fit_has_only_raw(tmp_path: Path) -> None:
    loaded = load_prediction(write_take(tmp_path, positions_m=np.full((FRAMES, 2, 13, 3), np.nan)))
    assert [motion.name for motion in loaded.motions] == ["raw"]


def test_a_real_take_is_read(tmp_path: Path, reference: Reference) -> None:
    view = replace(camera.assumed(640, 480), T_world_camera=take_arrays()["T_world_camera"][0])
    keypoints_m = camera_m(walking_m())
    pixels, confidence, box = np.zeros((13, 2)), np.ones(13), np.zeros(4)
    with TakeWriter(tmp_path / "real.pwt", TakeHeader("clip.mp4", "test", tuple(NATIVE_NAMES))) as writer:
        for index, time_s in enumerate(TIME_S):
            track = Track(1, pixels, confidence, box, keypoints_m[index])
            writer.add_frame(TakeFrame(float(time_s), index, 0, view, (track,)))
    loaded = load_prediction(tmp_path / "real.pwt")
    assert [motion.name for motion in loaded.motions] == ["raw"]
    assert evaluate(loaded, reference).row("raw").mpjpe_mm == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize(
    "changes",
    [
        {"time_s": None},
        {"joint_names": np.array(["RHip"] * 13)},
        {"joints_world_m": np.zeros((3, 13, 3))},
        {"cam01_t_cam_world_m": None},
        {"cam01_R_cam_world": np.eye(2)},
        {"time_s": np.zeros(FRAMES)},
        {"joint_names": np.array([None] * 13, dtype=object)},
    ],
    ids=["no times", "no limbs", "shapes", "no translation", "2x2", "still clock", "pickled"],
)
def test_a_wrong_reference_is_refused(tmp_path: Path, changes: Mapping[str, Any]) -> None:
    with pytest.raises(TakeError):
        load_reference(write_reference(tmp_path, **changes), view="cam01")


@pytest.mark.parametrize(
    "changes",
    [
        {"keypoints_m": np.zeros((3, 3))},
        {"T_world_camera": np.zeros((FRAMES, 3))},
        {"person_ids": np.array([], int)},
        {"keypoint_names": np.array(["tail"] * 13), "joint_names": np.array(["fin"] * 13)},
        {"keypoints_m": np.full((FRAMES, 2, 13, 3), np.nan), "positions_m": np.full((FRAMES, 2, 13, 3), np.nan)},
        {"keypoints_m": np.full((FRAMES, 2, 13, 3), "x")},
    ],
    ids=["shape", "camera", "nobody", "no limbs", "all NaN", "text"],
)
def test_a_wrong_take_is_refused(tmp_path: Path, changes: Mapping[str, Any]) -> None:
    with pytest.raises(TakeError):
        load_prediction(write_take(tmp_path, **changes))


@pytest.mark.parametrize("content", [None, b"", b"hello", b"PK\x03\x04broken"], ids=["missing", "empty", "text", "cut zip"])
def test_a_file_that_is_no_npz_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "file.npz"
    if content is not None:
        path.write_bytes(content)
    for load in (load_reference, load_prediction):
        with pytest.raises(TakeError, match=r"file\.npz"):
            load(path)


def test_the_command_says_which_table_is_of_which_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [tmp_path / "one.npz", tmp_path / "two.npz"]
    for file in files:
        np.savez(file, **take_arrays())
    command = ["eval", *map(str, files), "--reference", str(write_reference(tmp_path)), "--view", "cam01"]
    assert main([*command, "--per-joint"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    for file in files:
        assert f"{file.name} beside reference, cam01: 12 limb joints" in said
        assert f"{file.name} beside reference, cam01: PA-MPJPE of each joint" in said
    assert main([*command, "--json"]) == 0
    assert [report["file"] for report in json.loads(capsys.readouterr().out)] == list(map(str, files))
