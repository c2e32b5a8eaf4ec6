"""glTF and USD files hold the same motion: read back by this file's own reader, by pygltflib and by Pixar's library."""

from __future__ import annotations

import base64
import importlib.util
import json
import struct

import numpy as np
import pytest
from take_samples import dance, instant, write

from posewire import rotation
from posewire.errors import TakeError
from posewire.skeleton import REFERENCE
from posewire.take import export, read_take
from posewire.take.export import to_usd

FRAMES = 30
DTYPES, WIDTHS = {5126: "<f4", 5123: "<u2"}, {"SCALAR": 1, "VEC3": 3, "VEC4": 4, "MAT4": 16}
no_usd = pytest.mark.skipif(
    importlib.util.find_spec("pxr") is None, reason="SKIPPED LOUDLY: usd-core is not installed (pip install 'posewire[export]')"
)


@pytest.fixture
def take(tmp_path):
    return read_take(write(tmp_path / "two.pwt", [instant(number, [1, 2]) for number in range(FRAMES)]))


def read_glb(path):
    """The JSON and the binary chunk, by the specification's section 4.4."""
    data = path.read_bytes()
    magic, version, length = struct.unpack_from("<4sII", data)
    assert (magic, version, length) == (b"glTF", 2, len(data))
    json_length, kind = struct.unpack_from("<I4s", data, 12)
    assert kind == b"JSON" and json_length % 4 == 0
    binary_length, kind = struct.unpack_from("<I4s", data, 20 + json_length)
    assert kind == b"BIN\0" and 28 + json_length + binary_length == len(data)
    return json.loads(data[20 : 20 + json_length]), data[28 + json_length :]


def accessor(root, data, number):
    about = root["accessors"][number]
    view, width = root["bufferViews"][about["bufferView"]], WIDTHS[about["type"]]
    values = np.frombuffer(data, DTYPES[about["componentType"]], about["count"] * width, view["byteOffset"])
    return values.reshape(about["count"], width)


def played(root, data):
    """World positions (F, N, 3) of every skin's joints, by skin, from the nodes, the animation and nothing else."""
    moving = {}
    for channel in root["animations"][0]["channels"]:
        output = root["animations"][0]["samplers"][channel["sampler"]]["output"]
        moving[channel["target"]["node"], channel["target"]["path"]] = accessor(root, data, output).astype(float)
    parent_of = {child: parent for parent, node in enumerate(root["nodes"]) for child in node.get("children", [])}
    world = {}
    for number, node in enumerate(root["nodes"]):
        shift = moving.get((number, "translation"), np.array([node.get("translation", [0.0, 0.0, 0.0])]))
        turn = np.roll(moving.get((number, "rotation"), np.array([[0.0, 0.0, 0.0, 1.0]])), 1, axis=-1)
        if number in parent_of:
            above_m, above = world[parent_of[number]]
            shift, turn = above_m + rotation.rotate(above, shift), rotation.multiply(above, turn)
        world[number] = shift, turn
    return {skin["name"]: np.stack([world[joint][0] for joint in skin["joints"]], axis=1) for skin in root["skins"]}


def test_glb_read_back_gives_every_joint_within_a_tenth_of_a_millimetre(take, tmp_path):
    (path,) = export(take, tmp_path / "a.glb")
    root, data = read_glb(path)
    arrays, motion = take.arrays(), played(root, data)
    assert list(motion) == ["person1_skeleton", "person2_skeleton"]
    for k, joints_m in enumerate(motion.values()):
        np.testing.assert_allclose(joints_m, arrays.positions_m[:, k], atol=1e-4)
    sampler = root["animations"][0]["samplers"][0]
    np.testing.assert_allclose(accessor(root, data, sampler["input"])[:, 0], np.arange(FRAMES) / 30.0, atol=1e-6)


def test_glb_joints_are_named_and_its_body_is_bound_to_them_at_rest(take, tmp_path):
    root, data = read_glb(export(take, tmp_path / "a.glb", person=2)[0])
    (skin,) = root["skins"]
    assert [root["nodes"][joint]["name"] for joint in skin["joints"]] == list(REFERENCE.names)
    unbind = accessor(root, data, skin["inverseBindMatrices"]).reshape(-1, 4, 4).transpose(0, 2, 1)
    rest_m = REFERENCE.positions_m(REFERENCE.offsets_m[0], rotation.identity(len(REFERENCE.names)))
    np.testing.assert_allclose(unbind[:, :3, 3], -rest_m, atol=1e-6)
    attributes = root["meshes"][0]["primitives"][0]["attributes"]
    points_m, carriers = (accessor(root, data, attributes[name]) for name in ("POSITION", "JOINTS_0"))
    away_m = np.linalg.norm(points_m - rest_m[carriers[:, 0]], axis=1)
    longest_m = max(np.linalg.norm(REFERENCE.offsets_m, axis=1))
    assert (away_m <= longest_m + 1e-6).all()
    assert points_m[:, 1].min() > -0.01
    corners_m = points_m[accessor(root, data, root["meshes"][0]["primitives"][0]["indices"])[:, 0].reshape(-1, 8, 3)]
    a, b, c = np.moveaxis(corners_m, 2, 0)
    assert (np.einsum("stc,stc->s", a, np.cross(b, c)) > 0.0).all()  # each spindle's volume: its triangles face outwards


def test_gltf_is_the_same_with_the_data_within(take, tmp_path):
    root, data = read_glb(export(take, tmp_path / "a.glb")[0])
    text = json.loads(export(take, tmp_path / "a.gltf")[0].read_text(encoding="utf-8"))
    head, _, encoded = text["buffers"][0].pop("uri").partition(",")
    assert head == "data:application/octet-stream;base64"
    assert base64.b64decode(encoded) == data
    assert text == root


def test_quaternions_of_neighbouring_frames_lie_on_one_side(tmp_path):
    root, data = read_glb(
        export(
            read_take(
                write(
                    tmp_path / "a.pwt",
                    dance(),
                )
            ),
            tmp_path / "a.glb",
        )[0]
    )
    for channel in root["animations"][0]["channels"]:
        if channel["target"]["path"] == "rotation":
            turns = accessor(root, data, root["animations"][0]["samplers"][channel["sampler"]]["output"])
            assert (np.sum(turns[1:] * turns[:-1], axis=1) > 0.0).all()
            np.testing.assert_allclose(np.linalg.norm(turns, axis=1), 1.0, atol=1e-6)


def test_pygltflib_reads_the_same_file(take, tmp_path):
    reason = "SKIPPED LOUDLY: pygltflib is not installed (pip install pygltflib)"
    pygltflib = pytest.importorskip("pygltflib", reason=reason)
    path = export(take, tmp_path / "a.glb")[0]
    root, data = read_glb(path)
    theirs = pygltflib.GLTF2().load(str(path))
    assert [node.name for node in theirs.nodes] == [node["name"] for node in root["nodes"]]
    assert bytes(theirs.binary_blob()) == data
    assert [skin.joints for skin in theirs.skins] == [skin["joints"] for skin in root["skins"]]


@no_usd
@pytest.mark.parametrize("suffix", [".usda", ".usdc"])
def test_usd_read_back_gives_every_joint_within_a_tenth_of_a_millimetre(take, tmp_path, suffix):
    from pxr import Usd, UsdGeom, UsdSkel

    (path,) = export(take, tmp_path / f"a{suffix}")
    stage = Usd.Stage.Open(path.as_posix())
    assert UsdGeom.GetStageUpAxis(stage) == "Y"
    assert UsdGeom.GetStageMetersPerUnit(stage) == 1.0
    assert (stage.GetStartTimeCode(), stage.GetEndTimeCode(), stage.GetTimeCodesPerSecond()) == (0, FRAMES - 1, 30)
    arrays, cache = take.arrays(), UsdSkel.Cache()
    for k, person in enumerate((1, 2)):
        skeleton = UsdSkel.Skeleton(stage.GetPrimAtPath(f"/take/person{person}/skeleton"))
        names = [joint.rpartition("/")[2] for joint in skeleton.GetJointsAttr().Get()]
        assert names == list(REFERENCE.names)
        query = cache.GetSkelQuery(skeleton)
        assert query.HasBindPose() and query.HasRestPose()
        for number in (0, 7, FRAMES - 1):
            matrices = np.array(query.ComputeJointSkelTransforms(float(number)))
            np.testing.assert_allclose(matrices[:, 3, :3], arrays.positions_m[number, k], atol=1e-4)


@no_usd
def test_somebody_who_is_absent_is_invisible_in_usd(tmp_path):
    from pxr import Usd, UsdGeom

    path = export(read_take(write(tmp_path / "a.pwt", dance())), tmp_path / "a.usda")[0]
    stage = Usd.Stage.Open(path.as_posix())
    person = UsdGeom.Imageable(stage.GetPrimAtPath("/take/person1"))
    hidden = [number for number in range(60) if person.ComputeVisibility(float(number)) == "invisible"]
    assert hidden == [*range(20, 30), *range(45, 50)]


def test_without_pixars_library_the_error_says_what_to_install_and_no_file_is_left(take, tmp_path, monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(to_usd.importlib, "import_module", missing)
    with pytest.raises(TakeError, match="usd-core") as error:
        export(take, tmp_path / "a.usdc")
    assert "pip install 'posewire[export]'" in str(error.value)
    assert {path.name for path in tmp_path.iterdir()} == {"two.pwt"}
