"""The BVH reader beside another one, and CMU's conversion packed from a folder and from an archive."""

from __future__ import annotations

import tarfile
from pathlib import Path

import numpy as np
import pytest
from cmu_bvh import WIDTH, bvh_text, swaying
from scipy.spatial.transform import Rotation

from posewire_data import bodies, cmu
from posewire_data.bvh import parse_bvh
from posewire_data.errors import DatasetError
from posewire_data.joints import JOINTS
from posewire_data.motion import load
from posewire_data.pack import main


def test_forward_kinematics_multiplies_in_the_order_of_the_channels() -> None:
    rows = swaying(5)
    bvh = parse_bvh(bvh_text(rows), "x.bvh")
    positions, _ = bvh.transforms()
    order = list(bvh.names)
    R_hip = Rotation.from_euler("ZYX", rows[4, 3:6], degrees=True)
    column = 6 + 3 * (order.index("abdomen") - 1)
    R_abdomen = R_hip * Rotation.from_euler("ZXY", rows[4, column : column + 3], degrees=True)
    expected = rows[4, :3] + R_hip.apply([0, 20, 0]) + R_abdomen.apply([0, 12, 0])
    np.testing.assert_allclose(positions[4, order.index("chest")], expected, atol=1e-4)


def test_bones_keep_their_length_and_the_pelvis_is_between_the_hips() -> None:
    positions_m = cmu.universal(parse_bvh(bvh_text(swaying(50)), "x.bvh"))
    lengths = bodies.bone_lengths_m(positions_m)
    rigid = [JOINTS.index(name) for name in ("left_knee", "right_ankle", "left_elbow", "right_wrist", "head_top")]
    assert lengths[:, rigid].std(axis=0).max() < 1e-6
    assert np.median(lengths[:, JOINTS.index("left_knee")]) == pytest.approx(np.hypot(37, 1) / 100)
    np.testing.assert_allclose(positions_m[:, 0], positions_m[:, [1, 4]].mean(axis=1))


def test_in_the_t_pose_the_nose_is_in_front_and_left_is_left() -> None:
    pose = cmu.universal(parse_bvh(bvh_text(np.zeros((1, WIDTH))), "x.bvh"))[0]
    at = {name: pose[JOINTS.index(name)] for name in JOINTS}
    assert at["nose"][2] > at["neck"][2] + 0.1
    assert at["head_top"][1] > at["nose"][1] + 0.1
    assert at["left_wrist"][0] > at["left_elbow"][0] > at["left_shoulder"][0] > 0


def test_a_jump_splits_a_clip_and_the_frames_around_it_go(waving_m: np.ndarray) -> None:
    smooth = np.tile(waving_m[0], (300, 1, 1))
    smooth[150, 13] += 0.5
    stretches = cmu.good_stretches(smooth, 120.0)
    assert [(s.start, s.stop) for s in stretches] == [(12, 137), (164, 300)]


def test_a_folder_and_an_archive_give_the_same_pack(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = tmp_path / "files" / "05"
    files.mkdir(parents=True)
    (files / "05_02.bvh").write_text(bvh_text(swaying(240)))
    (files / "13_01.bvh").write_text(bvh_text(swaying(200)))
    (files / "CMU-INDEX.md").write_text("05_02  dance - expressive arms, pirouette\n\n13_01  laugh\n")
    archived = tmp_path / "archived"
    archived.mkdir()
    with tarfile.open(archived / "cmu_bvh.tar.xz", "w:xz") as archive:
        archive.add(files.parent, arcname="cmu")
    assert main(["--motion", str(tmp_path / "files"), "--out", str(tmp_path / "a.npz")]) == 0
    assert main(["--motion", str(archived), "--out", str(tmp_path / "b.npz"), "--rate", "30"]) == 0
    a, b = load(tmp_path / "a.npz", "train"), load(tmp_path / "b.npz", "train")
    assert [one.activity for one in a.clips] == ["dance - expressive arms"]
    assert load(tmp_path / "a.npz", "test").subjects == ("13",)
    assert a.clips[0].rate_hz == pytest.approx(60.0, rel=1e-4) and b.clips[0].rate_hz == pytest.approx(30.0, rel=1e-4)
    np.testing.assert_array_equal(a.every(2).frames_m(), b.frames_m())
    assert bodies.knee_to_neck_m(a.frames_m()) == pytest.approx(0.93, abs=1e-3)
    assert "train" in capsys.readouterr().out


@pytest.mark.parametrize("rate", ["0", "-5"])
def test_a_rate_that_is_none_is_refused(rate: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--motion", str(tmp_path), "--out", str(tmp_path / "a.npz"), "--rate", rate]) == 2
    assert "--rate is frames a second" in capsys.readouterr().err


def test_broken_files_say_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = bvh_text(swaying(30))
    for text, problem in (
        ("", "not a BVH"),
        (good[: good.rstrip().rindex("\n")], "damaged"),
        (good.replace("Frames: 30", "Frames: many"), "does not read"),
        (good.replace("{", "", 1), "does not read"),
        (good.replace("Xrotation", "Wrotation", 1), "does not read"),
        (bvh_text(np.full((3, WIDTH), np.nan)), "damaged"),
    ):
        with pytest.raises(DatasetError, match=problem):
            parse_bvh(text, "x.bvh")
    with pytest.raises(DatasetError, match="lShin"):
        cmu.universal(parse_bvh(good.replace("lShin", "leftKnee"), "x.bvh"))
    assert main(["--motion", str(tmp_path), "--out", str(tmp_path / "a.npz")]) == 2
    assert "no CMU BVH file" in capsys.readouterr().err
