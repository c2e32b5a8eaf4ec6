"""Characters of other makers: names, rest poses, axes and sizes. Directions are asserted in the world."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from armatures import LIMBS, add, assert_directions, bones_by_joint, build, rig_file
from conftest import ROOT, Stage, angle_deg, connect, evaluated_heads, module, pump_until, refused
from mathutils import Matrix


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
    with refused("rig file"):
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
