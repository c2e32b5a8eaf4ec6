"""The BVH reader beside another one, and CMU's conversion packed from a folder and from an archive."""

from __future__ import annotations

import tarfile
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from posewire_data import bodies, cmu
from posewire_data.bvh import parse_bvh
from posewire_data.errors import DatasetError
from posewire_data.joints import JOINTS
from posewire_data.motion import load
from posewire_data.pack import main

_TREE: list[tuple[str, str | None, tuple[float, float, float]]] = [
    ("hip", None, (0, 0, 0)),
    ("abdomen", "hip", (0, 20, 0)),
    ("chest", "abdomen", (0, 12, 0)),
    ("neck", "chest", (0, 22, -2)),
    ("head", "neck", (0, 7, 1)),
    ("leftEye", "head", (4, 8, 8)),
    ("rightEye", "head", (-4, 8, 8)),
    *[
        row
        for side, x in (("l", 1), ("r", -1))
        for row in (
            (f"{side}Collar", "chest", (3 * x, 19, -5)),
            (f"{side}Shldr", f"{side}Collar", (9 * x, -2, 1)),
            (f"{side}ForeArm", f"{side}Shldr", (28 * x, -2, 0)),
            (f"{side}Hand", f"{side}ForeArm", (23 * x, 1, 7)),
            (f"{side}Buttock", "hip", (9 * x, 4, 1)),
            (f"{side}Thigh", f"{side}Buttock", (0, -2, -2)),
            (f"{side}Shin", f"{side}Thigh", (0, -37, 1)),
            (f"{side}Foot", f"{side}Shin", (-x, -45, -5)),
        )
    ],
]


def hierarchy(parent: str | None = None, depth: int = 0) -> str:
    """The Daz-like tree as BVH text."""
    text = ""
    for name, above, offset in _TREE:
        if above != parent:
            continue
        channels = "Zrotation Yrotation Xrotation" if above is None else "Zrotation Xrotation Yrotation"
        channels = f"6 Xposition Yposition Zposition {channels}" if above is None else f"3 {channels}"
        below = hierarchy(name, depth + 1) or "End Site { OFFSET 0 1 0 }\n"
        kind = "ROOT" if above is None else "JOINT"
        text += f"{kind} {name}\n{{\nOFFSET {offset[0]} {offset[1]} {offset[2]}\nCHANNELS {channels}\n{below}}}\n"
    return text


def bvh_text(rows: np.ndarray, frame_time: str = "0.00833333") -> str:
    lines = "\n".join(" ".join(f"{value:.6f}" for value in row) for row in rows)
    return f"HIERARCHY\n{hierarchy()}MOTION\nFrames: {len(rows)}\nFrame Time: {frame_time}\n{lines}\n"


def swaying(frames: int) -> np.ndarray:
    """Channel values of somebody who walks a little and swings about; the first frame is a T-pose elsewhere."""
    width = 6 + 3 * (len(_TREE) - 1)
    phase = np.linspace(0, 3, frames)[:, None]
    rows = 20 * np.sin(phase + np.arange(width))
    rows[:, :3] = np.concatenate([10 * phase, 90 + 0 * phase, 5 * phase], axis=1)
    rows[0] = 0.0
    return rows


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
    pose = cmu.universal(parse_bvh(bvh_text(np.zeros((1, 6 + 3 * (len(_TREE) - 1)))), "x.bvh"))[0]
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


def test_broken_files_say_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = bvh_text(swaying(30))
    for text, problem in (
        ("", "not a BVH"),
        (good[: len(good) // 2], "damaged"),
        (good.replace("Frames: 30", "Frames: many"), "does not read"),
        (good.replace("{", "", 1), "does not read"),
        (good.replace("Xrotation", "Wrotation", 1), "does not read"),
        (bvh_text(np.full((3, 6 + 3 * (len(_TREE) - 1)), np.nan)), "damaged"),
    ):
        with pytest.raises(DatasetError, match=problem):
            parse_bvh(text, "x.bvh")
    with pytest.raises(DatasetError, match="lShin"):
        cmu.universal(parse_bvh(good.replace("lShin", "leftKnee"), "x.bvh"))
    assert main(["--motion", str(tmp_path), "--out", str(tmp_path / "a.npz")]) == 2
    assert "no CMU BVH file" in capsys.readouterr().err
