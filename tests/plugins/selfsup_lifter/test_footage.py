"""Two clips of one person become views: matched by time, freed of the lens, their cameras found, the scale said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the trainers need posewire[train]")

from walking_person import walking  # noqa: E402

from posewire import camera as cameras  # noqa: E402
from posewire.errors import SourceError  # noqa: E402
from posewire_data.joints import SELDOM_SEEN  # noqa: E402
from posewire_data.motion import MotionSet  # noqa: E402
from posewire_data.watch import Sighting  # noqa: E402
from posewire_selfsup_lifter import commands, footage, studio  # noqa: E402
from posewire_selfsup_lifter.extrinsics import triangulated  # noqa: E402
from posewire_selfsup_lifter.views import read_views  # noqa: E402

LENS = cameras.assumed(1280, 720)
MOTION: MotionSet = walking(150)
TRUTH = studio.studio_views(MOTION)
RATE_HZ = 30.0


def sighting(view, first=0, noise_px=0.5):
    """What BlazePose would say of one of the studio's cameras: 13 of the 17 joints, in pixels."""
    rays = TRUTH.rays[first:, view]
    points_px = rays * LENS.K[0, 0] + LENS.K[:2, 2] + np.random.default_rng(view).normal(0, noise_px, rays.shape)
    points_px[:, SELDOM_SEEN] = np.nan
    confidence = np.where(np.isfinite(points_px).all(axis=-1), 0.95, 0.0)
    return Sighting(np.arange(len(rays), dtype=np.float64), points_px, confidence, RATE_HZ)


@pytest.fixture
def clips(monkeypatch):
    """Three clips; the third starts half a second later."""
    shown = {"a.mp4": [sighting(0)], "b.mp4": [sighting(1)], "late.mp4": [sighting(2, first=15)], "empty.mp4": []}
    monkeypatch.setattr(footage, "watch", lambda path: shown[Path(path).name])
    return {name: Path(name) for name in shown}


def test_clips_become_views_and_cameras_in_metres(clips):
    views = footage.views_of([clips["a.mp4"], clips["b.mp4"]], [LENS, LENS])
    assert views.rays.shape == (150, 2, 17, 2)
    true = TRUTH.extrinsics
    distance_m = float(np.linalg.norm(true.centre_m[0, 1] - true.centre_m[0, 0]))
    found = footage.with_cameras(views, distance_m=distance_m, stature_m=None).extrinsics
    R = true.R_camera_world[0, 1] @ true.R_camera_world[0, 0].T
    assert np.degrees(np.arccos((np.trace(found.R_camera_world[0, 1] @ R.T) - 1) / 2)) < 1.0
    assert found.scale == "camera distance"


def test_the_person_s_height_gives_the_same_metre(clips):
    views = footage.views_of([clips["a.mp4"], clips["b.mp4"]], [LENS, LENS])
    scaled = footage.with_cameras(views, distance_m=None, stature_m=1.75)
    points = triangulated(scaled.rays.transpose(0, 2, 1, 3).reshape(-1, 2, 2), *_first(scaled.extrinsics)).reshape(150, 17, 3)
    leg_m = np.nanmedian(np.linalg.norm(points[:, 4] - points[:, 6], axis=-1))
    share = 0.87 / (0.42 + 0.45 + 0.504)  # the leg of the made-up body, of its shin, thigh and side
    assert leg_m == pytest.approx(share * 0.779 * 1.75, rel=0.03)
    assert scaled.extrinsics.scale == "person height"


def _first(extrinsics):
    return extrinsics.R_camera_world[0], extrinsics.centre_m[0]


def test_a_clip_that_starts_late_is_matched_by_time(clips):
    views = footage.views_of([clips["a.mp4"], clips["late.mp4"]], [LENS, LENS], offsets_s=[0.0, 0.5])
    assert views.instants == 135
    seen = np.isfinite(TRUTH.rays[15:, 2]).all(axis=-1) & np.isfinite(views.rays[:, 1]).all(axis=-1)
    np.testing.assert_allclose(views.rays[:, 1][seen], TRUTH.rays[15:, 2][seen], atol=0.01)


def test_the_pelvis_is_the_middle_of_the_hips(clips):
    views = footage.views_of([clips["a.mp4"], clips["b.mp4"]], [LENS, LENS])
    np.testing.assert_allclose(views.rays[:, :, 0], (views.rays[:, :, 1] + views.rays[:, :, 4]) / 2)
    assert (views.confidence[:, :, 0] > 0).all()


def test_an_empty_clip_and_clips_of_other_times_are_refused(clips):
    with pytest.raises(SourceError, match="Nobody"):
        footage.views_of([clips["a.mp4"], clips["empty.mp4"]], [LENS, LENS])
    with pytest.raises(SourceError, match="too little in common"):
        footage.views_of([clips["a.mp4"], clips["b.mp4"]], [LENS, LENS], offsets_s=[0.0, 60.0])


def test_from_clips_to_a_lifter_in_three_commands(clips, tmp_path, monkeypatch):
    monkeypatch.setattr(footage, "_assumed", lambda clip: LENS)
    views, run, model = str(tmp_path / "views.npz"), str(tmp_path / "run"), str(tmp_path / "lifter.onnx")
    assert commands.main(["footage", "a.mp4", "b.mp4", "--stature", "1.7", "--out", views]) == 0
    assert read_views(Path(views)).extrinsics.scale == "person height"
    small = ["--steps", "8", "--batch", "16", "--width", "16", "--blocks", "1", "--validate-every", "8", "--quiet"]
    assert commands.main(["train", "--views", views, "--out", run, *small]) == 0
    assert commands.main(["export", run, "--to", model]) == 0
    assert Path(model).stat().st_size > 0


def test_the_command_says_what_is_wrong_and_ends_with_2(tmp_path, capsys):
    (tmp_path / "views.npz").write_bytes(b"no")
    assert commands.main(["train", "--views", str(tmp_path / "views.npz"), "--out", str(tmp_path)]) == 2
    assert "does not hold views" in capsys.readouterr().err
    assert commands.main(["train", "--views", str(tmp_path / "views.npz"), "--out", str(tmp_path), "--real-share", "0.2"]) == 2
    assert "--real-share says how motion is seen" in capsys.readouterr().err
