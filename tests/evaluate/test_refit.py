"""Recorded motion made noisy and found back: the noise is what it says, the truth scores as the truth, the tables are whole."""

import argparse
import json

import numpy as np
import pytest
from moving import walking_bvh
from test_bvh import TINY, written

from posewire import camera as cameras
from posewire.cli import evaluation
from posewire.cli.main import main
from posewire.data import FloatArray
from posewire.errors import SettingsError, TakeError
from posewire.evaluate import refit
from posewire.evaluate.motions import LIMB_JOINTS
from posewire.evaluate.refit.clips import CAMERA, FEET, JOINTS, LEG_M, Clip
from posewire.evaluate.refit.fitting import Fitted
from posewire.evaluate.refit.noise import CONFUSED, NETWORK, NOISES, WHITE, observed
from posewire.evaluate.refit.scoring import flips, score, score_raw
from posewire.skeleton import REFERENCE


@pytest.fixture(scope="module")
def walk(tmp_path_factory):
    return walking_bvh(tmp_path_factory.mktemp("walk"))[0]


@pytest.fixture(scope="module")
def clip(walk) -> Clip:
    (only,) = refit.read_clips([walk])
    return only


def still(points_m: FloatArray, frames: int = 600) -> Clip:
    """Somebody who does not move."""
    time_s = np.arange(frames) / 60.0
    return Clip("still", "standing", time_s, np.tile(points_m, (frames, 1, 1)), np.ones((frames, 4), dtype=bool), CAMERA)


def test_a_clip_stands_before_the_camera_with_a_leg_of_the_reference(clip):
    assert clip.posture == "standing"
    knee, hip, ankle = (clip.joints_m[:, JOINTS.index(f"left_{part}")] for part in ("knee", "hip", "ankle"))
    leg_m = np.linalg.norm(knee - hip, axis=1) + np.linalg.norm(ankle - knee, axis=1)
    np.testing.assert_allclose(leg_m, LEG_M, atol=1e-3)
    assert (clip.joints_m[..., 2] < -1.0).all()
    assert clip.contacts.shape == (len(clip.time_s), len(FEET))


def test_a_window_in_which_the_recording_jumps_is_no_clip(walk, tmp_path):
    head, motion = walk.read_text(encoding="utf-8").split("Frame Time:")
    rows = motion.splitlines()
    root, *others = rows[40].split(" ", 1)
    rows[40] = " ".join([str(float(root) + 100.0 * LEG_M), *others])  # a leg's length aside, whether the file is in metres or cm
    jumping = tmp_path / "jump.bvh"
    jumping.write_text("Frame Time:".join([head, "\n".join(rows)]), encoding="utf-8")
    assert refit.read_clips([jumping]) == []


def test_white_noise_has_the_deviation_that_it_says(clip):
    seen = observed(still(clip.joints_m[0]), WHITE, np.random.default_rng(0))
    said_m = np.array([track.keypoints_m for track in seen])
    deviation_m = np.nanstd(said_m, axis=0)
    np.testing.assert_allclose(deviation_m.mean(), 0.020, rtol=0.02)
    assert np.isnan(said_m).any(axis=2).mean() == pytest.approx(0.05, abs=0.01)


def test_a_networks_noise_is_slow_and_worst_along_the_line_of_sight(clip):
    seen = observed(still(clip.joints_m[0]), NETWORK, np.random.default_rng(0))
    said_m = np.array([track.keypoints_m for track in seen])[:, JOINTS.index("nose")]  # no swap moves the nose
    deviation_m = said_m.std(axis=0)
    assert deviation_m[2] > 1.8 * deviation_m[:2].max()
    steps_m = np.diff(said_m, axis=0).std(axis=0)
    assert (steps_m < 0.9 * deviation_m).all()  # of white noise a step is 1.4 deviations


def test_confused_sides_come_back_after_a_while(clip):
    seen = observed(still(clip.joints_m[0]), CONFUSED, np.random.default_rng(0))
    said_m = np.array([track.keypoints_m for track in seen])
    left, right = (JOINTS.index(f"{side}_wrist") for side in ("left", "right"))
    exchanged = (said_m[:, left, 0] - said_m[:, right, 0]) * np.median(said_m[:, left, 0] - said_m[:, right, 0]) < 0.0
    assert 0.02 < exchanged.mean() < 0.5


def test_the_same_seed_is_the_same_noise(clip):
    a, b = (observed(clip, NETWORK, np.random.default_rng(3))[7].keypoints_m for _ in range(2))
    np.testing.assert_array_equal(a, b)


def test_the_truth_scores_as_the_truth(clip):
    limbs = [JOINTS.index(name) for name in LIMB_JOINTS]
    found = score(clip, cameras.to_camera(clip.joints_m[:, limbs], clip.camera))
    assert found.error_mm == pytest.approx(0.0, abs=1e-9)
    assert found.pck150_percent == 100.0
    noisy = score_raw(clip, observed(clip, WHITE, np.random.default_rng(1)))
    assert 25.0 < noisy.error_mm < 45.0


def test_a_joint_that_turns_at_once_is_a_flip_and_a_quick_turn_is_none():
    clip = still(np.zeros((len(JOINTS), 3)), frames=60)
    rotations = np.tile([1.0, 0.0, 0.0, 0.0], (60, len(REFERENCE.names), 1))
    positions_m = np.tile(REFERENCE.positions_m(np.zeros(3), rotations[0]), (60, 1, 1))
    limbs = clip.joints_m.copy()
    for side, sign in (("left", 1.0), ("right", -1.0)):
        limbs[:, [JOINTS.index(f"{side}_hip"), JOINTS.index(f"{side}_shoulder")], 0] = sign
    clip = Clip("still", "standing", clip.time_s, limbs, clip.contacts, CAMERA)
    elbow = REFERENCE.index("left_elbow")
    for turn_rad, count in ((0.8, 0), (1.2, 1)):
        rotations[30:, elbow] = [np.cos(turn_rad / 2), np.sin(turn_rad / 2), 0.0, 0.0]
        assert flips(clip, Fitted(positions_m, rotations, np.zeros((60, 4)))) == count


def test_the_tables_hold_every_noise_posture_and_part(clip):
    rows = refit.refit_rows(list(refit.refit([clip])))
    assert [(row.noise, row.posture) for row in rows] == [(n, p) for n in NOISES for p in ("standing", "all")]
    assert all(row.live_mm is not None and row.raw_mm is not None and row.live_mm < row.raw_mm for row in rows)
    for row in rows:
        assert list(row.feet) == list(refit.FITS)
        free, locked = (row.feet[fit].slide_median_mm for fit in ("live", "live, locked"))
        assert free is not None and locked is not None and locked < 0.5 * free
    assert refit.feet_table(rows).row_count == len(NOISES) * len(refit.FITS)
    ablated = refit.ablation_rows(list(refit.ablate([clip])))
    assert [row.fit for row in ablated[:7]] == ["raw", *refit.ABLATIONS]
    whole, without_3d = (next(r for r in ablated if r.fit == fit and r.noise == WHITE) for fit in ("whole fit", "no 3D term"))
    assert without_3d.error_mm is not None and whole.error_mm is not None and without_3d.error_mm > whole.error_mm


def test_the_command_prints_the_table_as_json(walk, capsys):
    assert main(["eval", "--motion", str(walk), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["noise"] for row in rows} == set(NOISES)
    assert rows[0]["clips"] == 1
    assert set(rows[0]["feet"]["solve, locked"]) == {"error_mm", "contact_f1", "slide_median_mm", "slide_p95_mm"}


def test_every_nth_file_is_taken(walk, tmp_path):
    for name in "abcde":
        (tmp_path / f"{name}.bvh").write_bytes(walk.read_bytes())
    assert {clip.name[0] for clip in refit.read_clips([tmp_path], every=2)} == {"a", "c", "e"}
    with pytest.raises(SettingsError, match="--every"):
        flags = _flags(["--motion", str(tmp_path), "--every", "0"])
        flags.run(flags)


def _flags(arguments):
    parser = argparse.ArgumentParser()
    evaluation.add_commands(parser.add_subparsers())
    return parser.parse_args(["eval", *arguments])


def test_motion_with_other_joints_or_no_motion_is_refused(tmp_path):
    with pytest.raises(TakeError, match="other joints"):
        refit.read_clips([written(tmp_path, TINY)])
    with pytest.raises(TakeError, match="no motion"):
        (tmp_path / "empty").mkdir()
        refit.read_clips([tmp_path / "empty"])
