"""Other programs' files hold the same motion."""

from __future__ import annotations

import csv
import importlib.util
import json

import numpy as np
import pytest
from bvh_reader import Bvh
from take_samples import CAMERA, HEADER, dance, floor_found_at, frame, instant, on_a_floor, pose, track, write

from posewire import rotation
from posewire.data import Frame
from posewire.errors import TakeError
from posewire.skeleton import REFERENCE
from posewire.take import EXPORTS, export, read_take
from posewire.take.export.euler import to_zxy
from posewire.take.export.resample import constant_rate

HEAD = REFERENCE.index("head")
HERE = [suffix for suffix in EXPORTS if not suffix.startswith(".usd") or importlib.util.find_spec("pxr") is not None]
"""The formats whose libraries are installed: the USD files' is an extra."""
MOVING = (".bvh", ".trc", ".glb", ".gltf", ".usda", ".usdc")
"""The formats that are nothing without a pose."""
NO_IMAGE = np.zeros((1, 1, 3), np.uint8)


def take_of(tmp_path, instants):
    return read_take(write(tmp_path / "a.pwt", instants))


def at(time_s, index, people=(1,), swing=1.0):
    """People seen at any time."""
    poses = [pose(person, time_s, swing=swing) for person in people]
    return Frame(NO_IMAGE, time_s, index, CAMERA), [], poses, dict.fromkeys(people, REFERENCE)


def test_bvh_read_back_gives_every_joint_within_a_millimetre(tmp_path):
    take = take_of(tmp_path, [instant(number, [1]) for number in range(90)])
    (path,) = export(take, tmp_path / "a.bvh")
    bvh, arrays = Bvh(path), take.arrays()
    assert bvh.frames == 90
    for number in range(90):
        positions_cm = bvh.positions_cm(number)
        error_m = [
            np.linalg.norm(positions_cm[name] / 100 - arrays.positions_m[number, 0, j]) for j, name in enumerate(REFERENCE.names)
        ]
        assert max(error_m) < 1e-3
        assert max(error_m) < 2e-5  # what the decimals of the file allow


def test_bvh_has_the_rest_pose_in_its_offsets_and_an_end_site_at_every_leaf(tmp_path):
    (path,) = export(take_of(tmp_path, [instant(0, [1])]), tmp_path / "a.bvh")
    nodes = Bvh(path).nodes
    joints = {node.name: node for node in nodes if node.name != "Site"}
    assert set(joints) == set(REFERENCE.names)
    for name, node in joints.items():
        j = REFERENCE.index(name)
        parent = REFERENCE.parents[j]
        assert node.parent < 0 if parent < 0 else nodes[node.parent].name == REFERENCE.names[parent]
        np.testing.assert_allclose(node.offset, REFERENCE.offsets_m[j] * 100 if parent >= 0 else 0, atol=1e-4)
    leaves = {name for j, name in enumerate(REFERENCE.names) if j not in REFERENCE.parents}
    assert {nodes[node.parent].name for node in nodes if node.name == "Site"} == leaves
    assert len(joints["pelvis"].channels) == 6


def test_bvh_of_several_people_is_one_file_each(tmp_path):
    paths = export(take_of(tmp_path, dance()), tmp_path / "a.bvh")
    assert [path.name for path in paths] == ["a_person1.bvh", "a_person2.bvh"]
    assert [path.name for path in export(read_take(tmp_path / "a.pwt"), tmp_path / "b.bvh", person=2)] == ["b.bvh"]
    assert (tmp_path / "b.bvh").read_bytes() == (tmp_path / "a_person2.bvh").read_bytes()


def test_an_absent_person_holds_the_last_pose(tmp_path):
    take = take_of(tmp_path, dance())
    bvh = Bvh(export(take, tmp_path / "a.bvh")[0])
    assert bvh.frames == 60
    for number in range(20, 30):
        np.testing.assert_array_equal(bvh.values[number], bvh.values[19])
    assert np.abs(bvh.values[30] - bvh.values[29]).max() > 1
    np.testing.assert_allclose(
        bvh.positions_cm(30)["head"] / 100, take.arrays().positions_m[30, 0, REFERENCE.index("head")], atol=1e-4
    )


def test_before_the_first_appearance_stands_the_first_pose(tmp_path):
    bvh = Bvh(export(take_of(tmp_path, dance()), tmp_path / "a.bvh")[1])
    for number in range(10):
        np.testing.assert_array_equal(bvh.values[number], bvh.values[10])


def test_a_person_whose_bones_changed_moves_on_the_last_skeleton(tmp_path):
    take = take_of(tmp_path, dance())
    motion = constant_rate(take, 2)
    assert motion.skeleton.digest == REFERENCE.scaled(1.1).digest
    np.testing.assert_allclose(motion.rotations_wxyz[12], take.arrays().rotations_wxyz[12, 1], atol=1e-6)
    lengths_m = np.linalg.norm(
        np.diff(motion.positions_m()[:, [REFERENCE.index("left_hip"), REFERENCE.index("left_knee")]], axis=1), axis=-1
    )
    np.testing.assert_allclose(lengths_m, 1.1 * 0.416, atol=1e-6)


def test_nobody_jumps_where_the_run_found_the_floor(tmp_path):
    T = np.eye(4)
    T[:3, :3], T[1, 3] = rotation.to_matrix(rotation.exp([-0.32, 0.0, 0.0])), 2.93
    motion = constant_rate(take_of(tmp_path, floor_found_at(17, "estimated", T)), 1)
    wanted = np.array([on_a_floor(pose(1, i / 30), T).positions_m for i in range(40)])
    np.testing.assert_allclose(motion.positions_m(), wanted, atol=1e-5)


def test_a_camera_that_somebody_calibrated_anew_moves_nobody(tmp_path):
    T = np.eye(4)
    T[1, 3] = 1.0
    motion = constant_rate(take_of(tmp_path, floor_found_at(17, "calibrated", T)), 1)
    np.testing.assert_allclose(motion.positions_m()[16], pose(1, 16 / 30).positions_m, atol=1e-5)


def test_variable_frame_rate_is_resampled_without_drift(tmp_path):
    """Frames at 20 to 40 ms, 50 s long: each resampled pose is the one of its own time, also at the end."""
    rng = np.random.default_rng(3)
    times_s = 5.0 + np.cumsum(rng.uniform(0.02, 0.04, 1650))
    motion = constant_rate(take_of(tmp_path, [at(time_s, i, swing=0.2) for i, time_s in enumerate(times_s)]), 1)
    assert abs(motion.time_s[-1] - (times_s[-1] - times_s[0])) <= 0.5 * motion.interval_s
    assert motion.present.all()
    for number in (0, 1, 1000, len(motion.root_m) - 2):
        want = pose(1, times_s[0] + motion.time_s[number], swing=0.2)
        np.testing.assert_allclose(motion.positions_m()[number], want.positions_m, atol=2e-3)


def test_a_film_in_millisecond_ticks_comes_out_at_its_real_rate(tmp_path):
    for rate_hz in (24000 / 1001, 25, 30000 / 1001, 30, 60):
        instants = [at(round(i / rate_hz, 3), i) for i in range(200)]
        assert constant_rate(take_of(tmp_path, instants), 1).interval_s == pytest.approx(1 / rate_hz, rel=1e-9)
        (tmp_path / "a.pwt").unlink()


def test_dropped_frames_do_not_change_the_rate_and_are_interpolated(tmp_path):
    instants = [at(i / 30, i) for i in range(60) if i not in (20, 21, 40)]
    motion = constant_rate(take_of(tmp_path, instants), 1)
    assert len(motion.root_m) == 60
    assert motion.interval_s == 1 / 30
    np.testing.assert_allclose(motion.root_m[20], pose(1, 20 / 30).root_m, atol=2e-3)


def test_frames_out_of_order_and_twice_are_sorted_out(tmp_path):
    motion = constant_rate(take_of(tmp_path, [at(i / 30, i) for i in (0, 1, 3, 2, 2, 4)]), 1)
    np.testing.assert_allclose(motion.root_m, [pose(1, i / 30).root_m for i in range(5)], atol=1e-6)


def test_impossible_times_are_an_error_not_a_huge_file(tmp_path):
    with pytest.raises(TakeError, match="impossible"):
        constant_rate(take_of(tmp_path, [at(0.0, 0), at(0.01, 1), at(1e12, 2)]), 1)


def test_a_single_frame_exports(tmp_path):
    assert Bvh(export(take_of(tmp_path, [instant(0, [1])]), tmp_path / "a.bvh")[0]).frames == 1


def matrices(angles_rad):
    """R = Rz Rx Ry of angles (..., 3) z x y, from single turns."""
    z, x, y = (
        rotation.exp(angles_rad[..., i : i + 1] * np.array(axis)) for i, axis in enumerate(([0, 0, 1], [1, 0, 0], [0, 1, 0]))
    )
    return rotation.to_matrix(rotation.multiply(rotation.multiply(z, x), y))


def test_euler_angles_give_back_any_rotation():
    q = rotation.normalise(np.random.default_rng(0).normal(size=(200, 5, 4)))
    np.testing.assert_allclose(matrices(to_zxy(q)), rotation.to_matrix(q), atol=1e-9)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("off_rad", [0.0, 1e-12, 1e-9, 1e-7, 1e-5])
def test_euler_angles_are_right_in_and_near_gimbal_lock(sign, off_rad):
    rng = np.random.default_rng(1)
    angles = np.stack(
        [rng.uniform(-3, 3, (50, 4)), np.full((50, 4), sign * (np.pi / 2 - off_rad)), rng.uniform(-3, 3, (50, 4))], axis=-1
    )
    R = matrices(angles)
    np.testing.assert_allclose(matrices(to_zxy(rotation.from_matrix(R))), R, atol=3e-6)


def test_euler_angles_stay_continuous_through_gimbal_lock_and_whole_turns():
    t = np.linspace(0, 1, 400)[:, None]
    angles = np.stack([0.4 * t, 3.0 * t, 14.0 * t], axis=-1)  # x passes 90 degrees, y turns twice
    out = to_zxy(rotation.from_matrix(matrices(angles)))
    assert np.abs(np.diff(out, axis=0)).max() < 0.1
    np.testing.assert_allclose(out, angles, atol=1e-4)


def test_euler_angles_do_not_spin_while_gimbal_locked():
    q = rotation.from_matrix(
        matrices(np.stack([np.full((50, 1), 0.3), np.full((50, 1), np.pi / 2), np.full((50, 1), 0.2)], axis=-1))
    )
    q = rotation.normalise(q + np.random.default_rng(2).normal(0, 1e-8, q.shape))
    assert np.abs(np.diff(to_zxy(q), axis=0)).max() < 0.1


def test_npz_has_the_documented_keys_and_no_pickles(tmp_path):
    take = take_of(tmp_path, dance())
    export(take, tmp_path / "a.npz")
    arrays = take.arrays()
    with np.load(tmp_path / "a.npz", allow_pickle=False) as file:
        assert set(file) == {
            *("time_s", "person_ids", "joint_names", "positions_m", "rotations_wxyz", "root_m", "T_world_camera"),
            *("confidence", "keypoint_names", "keypoints_px", "keypoints_m"),
        }
        for name in file:
            np.testing.assert_array_equal(file[name], np.asarray(getattr(arrays, name)))


def test_csv_has_a_row_per_person_and_one_for_an_empty_frame(tmp_path):
    take = take_of(tmp_path, dance())
    export(take, tmp_path / "a.csv")
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(int(row["index"]), row["person_id"]) for row in rows if 8 <= int(row["index"]) < 12] == [
        *((8, "1"), (9, "1"), (10, "1"), (10, "2"), (11, "1"), (11, "2")),
    ]
    assert [row["person_id"] for row in rows if int(row["index"]) == 46] == [""]
    arrays = take.arrays()
    for row in rows[:3]:
        j, number = REFERENCE.index("left_wrist"), int(row["index"])
        have = [float(row[f"left_wrist_{axis}_m"]) for axis in "xyz"]
        np.testing.assert_allclose(have, arrays.positions_m[number, 0, j], atol=1e-6)
        assert float(row["left_knee_flexion_rad"]) == pytest.approx(
            pose(1, float(row["time_s"])).angles_rad[REFERENCE.dof_names.index("left_knee_flexion")], abs=1e-5
        )
        assert (row["keypoint_right_wrist_x_px"] == "") == (number % 3 == 0)
        assert row["contact_right_toe"] == ""
    assert all(None not in row and None not in row.values() for row in rows)


def test_jsonl_has_an_object_per_frame_with_names_and_null(tmp_path):
    take = take_of(tmp_path, dance())
    export(take, tmp_path / "a.jsonl")
    frames = [
        json.loads(line, parse_constant=pytest.fail) for line in (tmp_path / "a.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    assert [one["index"] for one in frames] == list(range(60))
    assert frames[46]["people"] == []
    assert [person["person_id"] for person in frames[15]["people"]] == [1, 2]
    person = frames[15]["people"][1]
    np.testing.assert_allclose(person["positions_m"]["head"], take.arrays().positions_m[15, 1, HEAD], atol=1e-6)
    assert person["keypoints_px"]["right_wrist"] is None
    assert person["contacts"]["right_toe"] is None
    assert person["residuals"] == {"keypoints_3d": 0.25, "limits": 0.5}


def test_trc_has_the_markers_in_metres_and_is_empty_where_the_person_is_absent(tmp_path):
    take = take_of(tmp_path, dance())
    (path, _) = export(take, tmp_path / "a.trc")
    lines = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
    facts = dict(zip(lines[1], lines[2], strict=True))
    assert (facts["NumFrames"], facts["NumMarkers"], facts["Units"], float(facts["DataRate"])) == ("60", "25", "m", 30.0)
    assert tuple(name for name in lines[3][2:] if name) == REFERENCE.names
    assert lines[4][2:5] == ["X1", "Y1", "Z1"]
    rows = lines[6:]
    assert [row[0] for row in rows] == [str(number + 1) for number in range(60)]
    assert {len(row) for row in rows} == {2 + 3 * 25}
    positions_m = np.array([float(value or "nan") for value in rows[7][2:]]).reshape(-1, 3)
    np.testing.assert_allclose(positions_m, take.arrays().positions_m[7, 0], atol=2e-6)
    assert [not any(row[2:]) for row in rows] == [20 <= number < 30 or 45 <= number < 50 for number in range(60)]


def test_an_unknown_format_lists_those_there_are(tmp_path):
    take = take_of(tmp_path, dance(3))
    for name, kind in (("a.fbx", None), ("a", None), ("a.bvh", "dae")):
        with pytest.raises(TakeError, match=r"\.bvh, \.glb, .*\.trc, \.npz, \.csv, \.jsonl"):
            export(take, tmp_path / name, kind)


def test_the_kind_wins_over_the_suffix(tmp_path):
    export(take_of(tmp_path, dance(3)), tmp_path / "a.txt", "csv")
    assert (tmp_path / "a.txt").read_text(encoding="utf-8").startswith("time_s,index")


@pytest.mark.parametrize("suffix", HERE)
def test_existing_files_and_missing_folders_are_refused(tmp_path, suffix):
    take = take_of(tmp_path, [instant(0, [1])])
    path = tmp_path / f"b{suffix}"
    path.write_text("precious")
    with pytest.raises(TakeError, match="--overwrite"):
        export(take, path)
    assert path.read_text() == "precious"
    with pytest.raises(TakeError, match="mkdir"):
        export(take, tmp_path / "no" / f"b{suffix}")
    export(take, path, overwrite=True)
    assert path.read_bytes() != b"precious"
    assert {one.name for one in tmp_path.iterdir()} == {"a.pwt", path.name}


@pytest.mark.parametrize("suffix", HERE)
def test_a_take_without_people_exports_empty_or_says_why_not(tmp_path, suffix):
    take = take_of(tmp_path, [(frame(0), [], [], {})])
    if suffix in MOVING:
        with pytest.raises(TakeError, match="nobody to export"):
            export(take, tmp_path / f"b{suffix}")
    else:
        assert export(take, tmp_path / f"b{suffix}")[0].stat().st_size > 0


def test_a_person_with_keypoints_only_is_refused_by_bvh(tmp_path):
    take = take_of(tmp_path, [(frame(0), [track(1, 0)], [], {})])
    with pytest.raises(TakeError, match="no pose of this person"):
        export(take, tmp_path / "a.bvh", person=1)
    with pytest.raises(TakeError, match="no such person"):
        export(take, tmp_path / "a.bvh", person=2)


def test_a_damaged_take_exports_what_is_left(tmp_path):
    path = write(tmp_path / "a.pwt", dance(), HEADER)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    take = read_take(path)
    for suffix in HERE:
        assert export(take, tmp_path / f"b{suffix}")
