"""Characters of other makers: names, rest poses, axes, sizes and Rigify's controls. Directions are asserted in the world."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from conftest import ROOT, Stage, angle_deg, connect, evaluated_heads, module, pump_until
from mathutils import Matrix, Vector

LIMBS = [
    (f"{side}_{start}", f"{side}_{end}")
    for side in ("left", "right")
    for start, end in (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"))
]
A_POSE = {"left_shoulder": -0.8, "right_shoulder": 0.8, "left_hip": 0.05, "right_hip": -0.05}
"""Turn about the forward axis, radians."""


def rig_file(name: str) -> Any:
    return module("presets").by_name(name)


def build(
    rig: Any, *, prefix: str = "", a_pose: bool = False, y_up: bool = False, size: float = 1.0, skeleton: Any = None
) -> Any:
    """An armature with a rig file's names on a person, in T- or A-pose, Z or Y up, of any size in its own units."""
    skeleton = skeleton or module("mannequin").usual_skeleton()
    rest = dict(zip(skeleton.names, skeleton.rest_m(), strict=True))
    turned = {name: _turned(name, skeleton, rest) if a_pose else place for name, place in rest.items()}
    data = bpy.data.armatures.new(rig.name)
    obj = bpy.data.objects.new(rig.name, data)
    bpy.context.collection.objects.link(obj)
    bpy.context.view_layer.objects.active = obj
    bpy.ops.object.mode_set(mode="EDIT")
    places: dict[str, np.ndarray] = {}
    for bone in rig.bones:
        place = bone.source.get("place")
        if place is not None:
            at = turned[place["from"]] + place["at"] * (turned[place["to"]] - turned[place["from"]])
        else:
            at = turned[bone.joint] if bone.joint else places[bone.parent]
        places[bone.name] = at
        edit = data.edit_bones.new(prefix + bone.name)
        edit.head = _axes(at, y_up) / size
        edit.tail = edit.head + Vector((0.02, 0.05, 0.03)).normalized() * 0.08 / size
        edit.roll = 0.4 * len(places)
        edit.parent = data.edit_bones[prefix + bone.parent] if bone.parent else None
    bpy.ops.object.mode_set(mode="OBJECT")
    obj.scale = (size, size, size)
    if y_up:
        obj.rotation_euler = (np.pi / 2, 0.0, 0.0)
    bpy.context.view_layer.update()
    return obj


def _turned(name: str, skeleton: Any, rest: dict[str, np.ndarray]) -> np.ndarray:
    place, joint = rest[name].copy(), name
    chain: list[str] = []
    while joint is not None:
        chain.append(joint)
        parent = skeleton.parents[skeleton.names.index(joint)]
        joint = skeleton.names[parent] if parent >= 0 else None
    for above in chain[1:]:
        if above in A_POSE:
            c, s = np.cos(A_POSE[above]), np.sin(A_POSE[above])
            place = rest[above] + np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ (place - rest[above])
    return place


def _axes(place: np.ndarray, y_up: bool) -> Vector:
    return Vector(place) if y_up else Vector((place[0], -place[2], place[1]))


def add(obj: Any) -> Any:
    bpy.ops.object.select_all(action="DESELECT")
    obj.select_set(True)
    bpy.context.view_layer.objects.active = obj
    assert bpy.ops.posewire.add_characters() == {"FINISHED"}
    return bpy.context.scene.posewire.active_character()


def bones_by_joint(character: Any) -> dict[str, str]:
    found = character.fit()
    joints: dict[str, str] = {}
    for bone in found.rig.bones:
        if bone.joint and bone.name in found.matched and not bone.placed:
            joints.setdefault(bone.joint, found.matched[bone.name])
    return joints


def assert_directions(stage: Stage, session: Any, obj: Any, joints: dict[str, str], tolerance_deg: float) -> float:
    heads, expected = evaluated_heads(obj), stage.expected(session.newest.pose.sequence)
    worst = 0.0
    for start, end in LIMBS:
        got = heads[joints[end]] - heads[joints[start]]
        worst = max(worst, angle_deg(got, expected[end] - expected[start]))
    assert worst < tolerance_deg, worst
    return worst


@pytest.mark.parametrize(
    ("name", "prefix", "options"),
    [
        ("mixamo", "mixamorig:", {}),
        ("mixamo", "mixamorig3:", {"a_pose": True}),
        ("mixamo", "mixamorig:", {"y_up": True, "size": 0.01}),
        ("ue5_manny", "", {"a_pose": True}),
        ("ue5_manny", "", {"a_pose": True, "size": 0.01}),
        ("ue4_mannequin", "", {"a_pose": True}),
        ("vrm", "", {}),
        ("cmu", "", {}),
        ("cmu_mb", "", {"y_up": True}),
    ],
)
def test_limbs_point_as_the_person_does_whatever_the_character(
    stage: Stage, name: str, prefix: str, options: dict[str, Any]
) -> None:
    stage.publish()
    obj = build(rig_file(name), prefix=prefix, **options)
    character = add(obj)
    found = character.fit()
    assert (found.rig.name, found.confidence) == (name, 1.0)
    session = connect(stage.address)
    for _ in range(3):
        before = session.newest
        pump_until(lambda before=before: session.newest is not before, "a pose")
        assert session.problem_of(character) == ""
        assert_directions(stage, session, obj, bones_by_joint(character), 0.1)
    expected = stage.expected(session.newest.pose.sequence)
    heads, joints = evaluated_heads(obj), bones_by_joint(character)
    for joint in ("left_hip", "right_hip", "left_ankle", "right_ankle"):  # equal proportions
        assert np.linalg.norm(heads[joints[joint]] - expected[joint]) < 0.02, joint
    for joint in ("left_wrist", "right_wrist"):  # this motion bends far more than people do, and five bones bend rounder than two
        assert np.linalg.norm(heads[joints[joint]] - expected[joint]) < 0.04, joint


@pytest.mark.parametrize(("name", "options"), [("mixamo", {}), ("ue5_manny", {"a_pose": True}), ("vrm", {})])
def test_the_demo_clip_on_characters_of_equal_proportions(demo_take: Path, name: str, options: dict[str, Any]) -> None:
    """The host's own clip: limbs within 2 degrees, hands and feet within 2 cm of Posewire's own skeleton."""
    bpy.context.scene.render.fps = 60
    motion = module("takes").read_take(demo_take).motions[0]
    assert bpy.ops.posewire.import_take(filepath=str(demo_take), frame=1) == {"FINISHED"}
    native = bpy.context.scene.posewire.characters[0].object
    obj = build(rig_file(name), skeleton=motion.skeleton, **options)
    add(obj)
    bpy.context.scene.posewire.characters.remove(0)
    assert bpy.ops.posewire.import_take(filepath=str(demo_take), frame=1) == {"FINISHED"}
    joints = bones_by_joint(bpy.context.scene.posewire.characters[0])
    for frame in range(1, 100, 9):
        bpy.context.scene.frame_set(frame)
        want, got = evaluated_heads(native), evaluated_heads(obj)
        for start, end in LIMBS:
            assert angle_deg(got[joints[end]] - got[joints[start]], want[end] - want[start]) < 2.0, (frame, start)
        for joint in ("left_wrist", "right_wrist", "left_ankle", "right_ankle"):
            assert np.linalg.norm(got[joints[joint]] - want[joint]) < 0.02, (frame, joint)


def test_a_character_with_other_proportions_keeps_the_directions(stage: Stage) -> None:
    stage.publish()
    obj = build(rig_file("mixamo"), prefix="mixamorig:")
    bpy.ops.object.mode_set(mode="EDIT")
    for bone in obj.data.edit_bones:
        bone.transform(Matrix.Diagonal((1.3, 1.3, 0.8 if "Leg" in bone.name else 1.0, 1.0)))
    bpy.ops.object.mode_set(mode="OBJECT")
    character = add(obj)
    session = connect(stage.address)
    pump_until(lambda: session.newest is not None, "a pose")
    assert_directions(stage, session, obj, bones_by_joint(character), 0.1)


def test_hands_and_feet_of_a_character_with_other_proportions_reach_the_persons(stage: Stage) -> None:
    stage.publish()
    obj = build(rig_file("mixamo"), prefix="mixamorig:", a_pose=True)
    bpy.ops.object.mode_set(mode="EDIT")
    for name, longer in (("Leg", 1.2), ("ForeArm", 1.3)):
        for side in ("Left", "Right"):
            bone = obj.data.edit_bones[f"mixamorig:{side}{name}"]
            way = (bone.head - bone.parent.head) * (longer - 1.0)
            for below in (bone, *bone.children_recursive):
                below.head, below.tail = below.head + way, below.tail + way
    bpy.ops.object.mode_set(mode="OBJECT")
    character = add(obj)
    character.auto_scale, character.scale, character.reach = False, 1.0, "ALL"
    session = connect(stage.address)
    for _ in range(5):
        before = session.newest
        pump_until(lambda before=before: session.newest is not before, "a pose")
        expected, heads, joints = stage.expected(session.newest.pose.sequence), evaluated_heads(obj), bones_by_joint(character)
        for joint in ("left_wrist", "right_wrist", "left_ankle", "right_ankle"):
            away = heads[joints[joint]] - expected[joint]
            away[2] = 0.0 if joint.endswith("ankle") else away[2]  # ankles of longer legs are no higher here
            assert np.linalg.norm(away) < 0.02, joint


def test_the_feet_of_rigify_reach_the_persons(stage: Stage, rigify: Path) -> None:
    stage.publish()
    bpy.ops.wm.open_mainfile(filepath=str(rigify))
    obj = bpy.data.objects["rig"]
    character = add(obj)
    character.reach = "ALL"
    session = connect(stage.address)
    pump_until(lambda: session.newest is not None, "a pose")
    expected, heads = stage.expected(session.newest.pose.sequence), evaluated_heads(obj)
    person = session.followers[obj.session_uid].binding._performers
    scale = next(iter(person.values()))[1]._retarget.scale
    for side, end in (("left", ".L"), ("right", ".R")):
        assert np.linalg.norm((heads[f"DEF-foot{end}"] - scale * expected[f"{side}_ankle"])[:2]) < 0.02
        shoulder, elbow, wrist = (heads[f"DEF-{bone}{end}"] for bone in ("upper_arm", "forearm", "hand"))
        length = np.linalg.norm(elbow - shoulder) + np.linalg.norm(wrist - elbow)
        way = scale * expected[f"{side}_wrist"] - shoulder
        nearest = shoulder + way * min(1.0, length / np.linalg.norm(way))  # its arms are short for its legs
        assert np.linalg.norm(wrist - nearest) < 0.02


@pytest.fixture(scope="module")
def rigify(installed: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a generated Rigify human and its metarig: generation takes seconds."""
    import addon_utils

    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    addon_utils.enable("rigify", default_set=True)
    bpy.ops.object.armature_human_metarig_add()
    bpy.context.object.name = "metarig"
    bpy.ops.pose.rigify_generate()
    path = tmp_path_factory.mktemp("rigify") / "rigify.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    return path


DEFORM = {"shoulder": "upper_arm", "elbow": "forearm", "wrist": "hand", "hip": "thigh", "knee": "shin", "ankle": "foot"}


def deform_joints(prefix: str) -> dict[str, str]:
    sides = (("left", ".L"), ("right", ".R"))
    return {f"{side}_{joint}": f"{prefix}{bone}{end}" for side, end in sides for joint, bone in DEFORM.items()}


def test_a_generated_rigify_rig_is_led_by_its_fk_controls(stage: Stage, rigify: Path) -> None:
    stage.publish()
    bpy.ops.wm.open_mainfile(filepath=str(rigify))
    obj = bpy.data.objects["rig"]
    character = add(obj)
    before = evaluated_heads(obj)
    switches = {bone.name: bone["IK_FK"] for bone in obj.pose.bones if "IK_FK" in bone}
    assert len(switches) == 4
    session = connect(stage.address)
    for _ in range(4):
        newest = session.newest
        pump_until(lambda newest=newest: session.newest is not newest, "a pose")
        assert session.problem_of(character) == ""
        assert_directions(stage, session, obj, deform_joints("DEF-"), 2.0)
    assert character.fit().confidence > 0.9
    bpy.ops.posewire.disconnect()
    after = evaluated_heads(obj)
    assert max(np.abs(after[name] - before[name]).max() for name in before) < 1e-5
    assert {bone.name: bone["IK_FK"] for bone in obj.pose.bones if "IK_FK" in bone} == switches


def test_a_recording_on_rigify_keeps_the_fk_switch_in_the_action(stage: Stage, rigify: Path) -> None:
    stage.publish()
    bpy.ops.wm.open_mainfile(filepath=str(rigify))
    obj = bpy.data.objects["rig"]
    add(obj)
    session = connect(stage.address)
    pump_until(lambda: session.newest is not None, "a pose")
    bpy.context.scene.render.fps = 60
    bpy.ops.posewire.record()
    first = session.newest.pose.sequence
    pump_until(lambda: session.newest.pose.sequence > first + 40, "motion")
    started = session.newest
    bpy.ops.posewire.stop()
    bpy.ops.posewire.disconnect()
    bpy.context.scene.frame_set(10)
    assert all(bone["IK_FK"] == 1.0 for bone in obj.pose.bones if "IK_FK" in bone)
    del started


def test_a_metarig_follows_as_it_is(stage: Stage, rigify: Path) -> None:
    stage.publish()
    bpy.ops.wm.open_mainfile(filepath=str(rigify))
    obj = bpy.data.objects["metarig"]
    obj.hide_set(False)
    character = add(obj)
    assert character.fit().rig.name == "rigify"
    session = connect(stage.address)
    pump_until(lambda: session.newest is not None, "a pose")
    assert_directions(stage, session, obj, deform_joints(""), 2.0)


def test_a_library_override_follows_and_a_bare_link_says_what_to_do(stage: Stage, tmp_path: Path) -> None:
    stage.publish()
    build(rig_file("mixamo"), prefix="mixamorig:")
    bpy.data.libraries.write(str(tmp_path / "library.blend"), {bpy.data.objects["mixamo"]})
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    with bpy.data.libraries.load(str(tmp_path / "library.blend"), link=True) as (_, wanted):
        wanted.objects = ["mixamo"]
    linked = wanted.objects[0]
    bpy.context.collection.objects.link(linked)
    character = add(linked)
    session = connect(stage.address)
    pump_until(lambda: session.newest is not None, "a pose")
    assert "Library Override" in session.problem_of(character)
    own = linked.override_create(remap_local_usages=True)
    bpy.context.view_layer.update()
    character.object = own
    newest = session.newest
    pump_until(lambda: session.newest is not newest, "a pose")
    assert session.problem_of(character) == ""
    assert_directions(stage, session, own, bones_by_joint(character), 0.1)


def test_a_mapping_is_edited_mirrored_saved_and_loaded(stage: Stage, tmp_path: Path) -> None:
    stage.publish()
    obj = build(rig_file("mixamo"), prefix="mixamorig:")
    for bone in obj.data.bones:
        bare = bone.name.removeprefix("mixamorig:")
        for side, end in (("Left", ".L"), ("Right", ".R")):
            bare = bare.removeprefix(side) + end if bare.startswith(side) else bare
        bone.name = "my_" + bare
    character = add(obj)
    character.preset = "mixamo"
    assert character.fit().confidence == 0.0
    assert bpy.ops.posewire.edit_mapping() == {"FINISHED"}
    rig = rig_file("mixamo")
    for bone in rig.bones:
        if bone.joint and not bone.name.startswith("Right"):
            side = bone.name.startswith("Left")
            slot = character.slots[bone.name]
            slot.bone, slot.picked = "my_" + (bone.name[4:] + ".L" if side else bone.name), True
    assert bpy.ops.posewire.mirror_mapping() == {"FINISHED"}
    assert character.slots["RightForeArm"].bone == "my_ForeArm.R"
    assert character.fit().confidence == 1.0
    path = tmp_path / "Mine.json"
    assert bpy.ops.posewire.save_mapping(filepath=str(path)) == {"FINISHED"}
    assert json.loads(path.read_text())["posewire_rig"] == 1
    assert bpy.ops.posewire.clear_mapping() == {"FINISHED"}
    assert bpy.ops.posewire.load_mapping(filepath=str(path)) == {"FINISHED"}
    assert character.fit().confidence == 1.0
    session = connect(stage.address)
    pump_until(lambda: session.newest is not None, "a pose")
    assert_directions(stage, session, obj, bones_by_joint(character), 0.1)
    path.write_text("{}")
    with pytest.raises(RuntimeError, match="rig file"):
        bpy.ops.posewire.load_mapping(filepath=str(path))


def test_a_saved_mapping_is_a_rig_file_that_the_engine_reads(tmp_path: Path) -> None:
    import os
    import subprocess

    from conftest import ENGINE

    obj = build(rig_file("ue5_manny"), a_pose=True)
    add(obj)
    path = tmp_path / "mine.json"
    assert bpy.ops.posewire.save_mapping(filepath=str(path)) == {"FINISHED"}
    code = f"from pathlib import Path; from posewire.rigs import read_rig; print(len(read_rig(Path({str(path)!r})).bones))"
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    done = subprocess.run([ENGINE, "-c", code], capture_output=True, text=True, check=False, env=environment, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 20
