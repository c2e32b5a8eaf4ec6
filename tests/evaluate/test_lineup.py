"""`posewire eval CLIP --methods A,B --lifters none,C`: methods side by side, in the picture and in space."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from posewire import camera as cameras
from posewire.bench.clip import bundled_frames
from posewire.cli import main
from posewire.data import Camera
from posewire.evaluate import EvalRow, Motion, Reference, lineup
from posewire.evaluate.motions import LIMB_JOINTS
from posewire.take import TakeArrays

FRAMES = 6
TIME_S = np.arange(FRAMES) / 30
K = np.array([[800.0, 0, 320], [0, 810.0, 240], [0, 0, 1]])
LIMBS_M = np.random.default_rng(0).normal((0, 0, 4.0), 0.4, (FRAMES, len(LIMB_JOINTS), 3))
REFERENCE = Reference("reference", "cam01", Motion("reference", TIME_S, LIMB_JOINTS, LIMBS_M))


@pytest.fixture
def short_clip(tmp_path: Path) -> Path:
    """A few real pictures as a folder named after a view."""
    folder = tmp_path / "cam01"
    folder.mkdir()
    for number, frame in enumerate(bundled_frames(FRAMES)):
        cv2.imwrite(str(folder / f"{number}.jpg"), frame.image[::3, ::3, ::-1])
    return folder


def write_reference(folder: Path, **more: np.ndarray) -> Path:
    path = folder / "reference.npz"
    names = np.array([name.title().replace("_", "").replace("Right", "R").replace("Left", "L") for name in LIMB_JOINTS])
    view = {"cam01_R_cam_world": np.eye(3), "cam01_t_cam_world_m": np.zeros(3)}
    np.savez(path, time_s=TIME_S, joint_names=names, joints_world_m=LIMBS_M, **view, **more)
    return path


def take(limbs_px: np.ndarray, limbs_m: np.ndarray = LIMBS_M) -> TakeArrays:
    """One person, seen where `limbs_px` is not NaN."""
    unseen = np.isnan(limbs_px).any(axis=-1, keepdims=True)
    keypoints_m = np.where(unseen, np.nan, limbs_m - limbs_m.mean(axis=1, keepdims=True))
    shape = (len(limbs_px), 1, 1)
    return TakeArrays(
        TIME_S[: len(limbs_px)],
        np.array([3]),
        ("pelvis",),
        np.full((*shape, 3), np.nan, np.float32),
        np.full((*shape, 4), np.nan, np.float32),
        np.full((len(limbs_px), 1, 3), np.nan, np.float32),
        np.broadcast_to(np.eye(4), (len(limbs_px), 4, 4)),
        np.zeros(shape, np.float32),
        LIMB_JOINTS,
        limbs_px[:, None].astype(np.float32),
        keypoints_m[:, None].astype(np.float32),
    )


def true_px() -> np.ndarray:
    return cameras.project(LIMBS_M, Camera(640, 480, K))


def test_the_reference_is_projected_with_its_cameras_lens(tmp_path: Path) -> None:
    distortion = np.array([-0.1, 0.02, 0.001, -0.002])
    path = write_reference(tmp_path, cam01_K=K, cam01_dist=distortion)
    expected = cameras.project(LIMBS_M, Camera(640, 480, K, np.append(distortion, 0.0)))
    np.testing.assert_allclose(lineup.projected_limbs(path, REFERENCE), expected, atol=1e-9)


def test_a_reference_without_intrinsics_has_no_2d(tmp_path: Path) -> None:
    assert lineup.projected_limbs(write_reference(tmp_path), REFERENCE) is None


def test_a_perfect_take_is_perfect() -> None:
    row, _ = lineup.row_of(take(true_px()), "clip", "oracle", "none", REFERENCE, true_px())
    assert (row.found_percent, row.pck_2d_percent) == (100.0, 100.0)
    assert row.raw is not None and row.raw.pa_mpjpe_mm == pytest.approx(0.0, abs=1e-3)
    assert row.fitted is None


def test_frames_without_the_person_are_not_found_and_wrong_in_the_picture() -> None:
    said = true_px()
    said[:2] = np.nan
    row, _ = lineup.row_of(take(said), "clip", "oracle", "none", REFERENCE, true_px())
    assert row.found_percent == row.pck_2d_percent == pytest.approx(100 * 4 / 6)


def test_a_limb_a_quarter_of_the_box_away_is_wrong() -> None:
    said = true_px()
    side_px = np.ptp(said, axis=1).max(axis=1)
    said[:, 0, 0] += 0.25 * side_px
    said[:, 1, 0] += 0.15 * side_px
    row, _ = lineup.row_of(take(said), "clip", "oracle", "none", REFERENCE, true_px())
    assert row.pck_2d_percent == pytest.approx(100 * 11 / 12)


def test_without_pixels_of_the_reference_the_2d_does_not_apply() -> None:
    row, report = lineup.row_of(take(true_px()), "clip", "oracle", "none", REFERENCE, None)
    assert np.isnan(row.pck_2d_percent)
    assert lineup.constant_row("clip", report).raw is report.row("constant pose")


def test_the_markdown_has_raw_and_fitted_side_by_side() -> None:
    raw, fitted = EvalRow("raw", 6, 100.0, pa_mpjpe_mm=80.04), EvalRow("fitted", 6, 100.0, pa_mpjpe_mm=70.0)
    text = lineup.to_markdown([lineup.LineupRow("clip", "m", "none", 99.0, float("nan"), raw, fitted)])
    heading, rule, line = text.splitlines()
    assert line.startswith("| clip | m | none | 99.0 | - | 80.0, 70.0 | -, - |")
    assert heading.count("|") == rule.count("|") == line.count("|")


def test_the_command_compares_methods_and_lifters_on_a_clip(
    tmp_path: Path, short_clip: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reference = write_reference(tmp_path, cam01_K=K)
    command = ["eval", str(short_clip), "--reference", str(reference), "--methods", "blazepose-lite", "--lifters", "none,vae"]
    assert main([*command, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["method"], row["lifter"]) for row in rows] == [
        ("blazepose-lite", "none"),
        ("blazepose-lite", "vae"),
        ("constant pose", ""),
    ]
    assert rows[0]["found_percent"] == 100.0
    assert rows[0]["raw"]["pa_mpjpe_mm"] != rows[1]["raw"]["pa_mpjpe_mm"]
    assert rows[1]["fitted"]["pa_mpjpe_mm"] > 0
    assert main([*command, "--markdown"]) == 0
    assert capsys.readouterr().out.startswith("| clip | method | lifter |")


def test_a_clip_that_cannot_be_read_does_not_cost_what_was_measured_before(
    tmp_path: Path, short_clip: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clips = [str(short_clip), str(tmp_path / "absent_cam01.mp4")]
    reference = ["--reference", str(write_reference(tmp_path, cam01_K=K))]
    assert main(["eval", *clips, *reference, "--methods", "blazepose-lite", "--json"]) == 2
    said = capsys.readouterr()
    assert [row["method"] for row in json.loads(said.out)] == ["blazepose-lite", "constant pose"]
    assert "cam01 blazepose-lite" in said.err
    assert "The source is not there." in said.err


def test_methods_without_a_clip_say_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["eval", "--methods", "blazepose"]) == 2
    assert "--reference" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--methods", "blazepose,nonsense"), "There is no method 'nonsense'"),
        (("--methods", "blazepose,vae"), "The method 'vae' is no estimator"),
        (("--methods", "blazepose", "--lifters", "none,vnect"), "The method 'vnect' is no lifter"),
        (("--methods", "blazepose", "--lifter", "vae"), "--lifters none,vae"),
        (("--lifters", "vae"), "--lifters goes with --methods"),
        (("--methods", " , "), "--methods names none"),
    ],
)
def test_wrong_names_are_said_before_anything_is_measured(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, flags: tuple[str, ...], said: str
) -> None:
    assert main(["eval", str(tmp_path / "is_not_there.mp4"), "--reference", str(tmp_path / "nor_this.npz"), *flags]) == 2
    assert said in capsys.readouterr().err
