"""Characters made by hand: names of their own, bones drawn out of one another, scenes in centimetres."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from armatures import add, assert_directions, bones_by_joint, build, rig_file, stand_in
from conftest import Stage, connect, evaluated_heads, pump_until, run_engine

PARTS = {
    "clavicle": "Shoulder", "shoulder": "UpperArm", "elbow": "LowerArm", "wrist": "Hand",
    "hip": "UpperLeg", "knee": "LowerLeg", "ankle": "Foot", "toe": "Toes", "hand": "Fingers", "heel": "Sole",
}  # fmt: skip


def by_hand(name: str) -> str:
    """left_hip is UpperLeg.L"""
    side, _, part = name.rpartition("_")
    return f"{PARTS[part]}.{side[0].upper()}" if side else {"pelvis": "Hips"}.get(name, name.title())


def made_by_hand(**options: Any) -> Any:
    """An armature with the names that many draw by, on a person's joints."""
    obj = build(rig_file("native"), **options)
    for bone in obj.data.bones:
        bone.name = by_hand(bone.name)
    return obj


@pytest.mark.parametrize("options", [{}, {"a_pose": True}, {"y_up": True, "size": 0.01}])
def test_names_that_no_preset_knows_are_understood(stage: Stage, tmp_path: Path, options: dict[str, Any]) -> None:
    """Before, a metarig was seen in them, and the legs stayed behind."""
    stage.publish()
    obj = made_by_hand(**options)
    character = add(obj)
    found = character.fit()
    assert (found.rig.name, found.confidence) == ("similar names", 1.0)
    assert found.matched["pelvis"] == "Hips"
    session = connect(stage.address)
    pump_until(lambda: session.newest is not None, "a pose")
    assert session.problem_of(character) == ""
    assert_directions(stage, session, obj, bones_by_joint(character), 0.1)
    heads, expected = evaluated_heads(obj), stage.expected(session.newest.pose.sequence)
    assert np.linalg.norm(heads["Hips"] - expected["pelvis"]) < 0.005
    path = tmp_path / "mine.json"
    assert bpy.ops.posewire.save_mapping(filepath=str(path)) == {"FINISHED"}
    assert "Hips" in run_engine("-c", f"import posewire.rigs as r, pathlib; print(r.read_rig(pathlib.Path({str(path)!r})).bones)")


def test_a_part_that_was_not_understood_is_picked_by_hand() -> None:
    obj = made_by_hand()
    obj.data.bones["Toes.L"].name = "tip of the left one"
    character = add(obj)
    assert character.fit().confidence < 1.0
    assert bpy.ops.posewire.edit_mapping() == {"FINISHED"}
    slot = character.slots["left_toe"]
    assert slot.bone == ""
    slot.bone, slot.picked = "tip of the left one", True
    found = character.fit()
    assert (found.rig.name, found.confidence) == ("similar names", 1.0)
    assert found.matched["left_toe"] == "tip of the left one"


def test_hips_drawn_out_of_a_root_bone_walk_all_the_same(stage: Stage) -> None:
    """Blender heeds no location of a connected bone; before, such a character turned on the spot without a word."""
    stage.publish()
    obj = build(rig_file("native"))
    bpy.ops.object.mode_set(mode="EDIT")
    hips = obj.data.edit_bones["pelvis"]
    root = obj.data.edit_bones.new("Root")
    root.head, root.tail, root.roll = (0.3, 0.1, 0.0), hips.head, 0.7
    hips.parent, hips.use_connect = root, True
    bpy.ops.object.mode_set(mode="OBJECT")
    character = add(obj)
    session = connect(stage.address)
    pump_until(lambda: session.newest is not None, "a pose")
    assert_directions(stage, session, obj, bones_by_joint(character), 0.1)
    heads, expected = evaluated_heads(obj), stage.expected(session.newest.pose.sequence)
    assert np.linalg.norm(heads["pelvis"] - expected["pelvis"]) < 0.005
    assert bpy.ops.posewire.disconnect() == {"FINISHED"}
    assert obj.pose.bones["Root"].location.length == 0.0


def centimetres() -> float:
    units = bpy.context.scene.unit_settings
    units.system, units.scale_length = "METRIC", 0.01
    return 100.0


def test_a_stand_in_has_a_persons_size_in_a_scene_in_centimetres(stage: Stage) -> None:
    stage.publish()
    of_a_metre = centimetres()
    obj = stand_in()
    assert evaluated_heads(obj)["head"][2] == pytest.approx(1.49 * of_a_metre, abs=1.0)
    session = connect(stage.address)
    pump_until(lambda: session.newest is not None, "a pose")
    heads, expected = evaluated_heads(obj), stage.expected(session.newest.pose.sequence)
    assert np.linalg.norm(heads["pelvis"] - of_a_metre * expected["pelvis"]) < 0.05 * of_a_metre


@pytest.mark.parametrize("size", [1.0, 0.01])
def test_a_character_in_centimetres_is_as_large_as_the_person(stage: Stage, size: float) -> None:
    """Its armature in centimetres, or in metres and the object scaled: the same for the scene; a length is what it says."""
    stage.publish()
    of_a_metre = centimetres()
    obj = build(rig_file("native"), size=size)
    obj.scale = (size * of_a_metre,) * 3
    bpy.context.view_layer.update()
    character = add(obj)
    character.auto_scale, character.scale = False, 1.0
    character.ground_offset = 10.0  # centimetres
    session = connect(stage.address)
    pump_until(lambda: session.newest is not None, "a pose")
    heads, expected = evaluated_heads(obj), stage.expected(session.newest.pose.sequence)
    assert np.allclose(heads["pelvis"], of_a_metre * expected["pelvis"] + (0.0, 0.0, 10.0), atol=0.2)
    assert bpy.ops.posewire.to_ground() == {"FINISHED"}
    lowest = min(place[2] for place in expected.values()) * of_a_metre
    assert character.ground_offset == pytest.approx(-lowest, abs=0.2)


@pytest.mark.parametrize("overridden", [False, True])
def test_a_stand_in_beside_a_linked_set(tmp_path: Path, overridden: bool) -> None:
    """The collection that is active in the outliner belongs to another file."""
    library = str(tmp_path / "set.blend")
    bpy.data.libraries.write(library, {bpy.data.collections.new("Set")}, fake_user=True)
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    with bpy.data.libraries.load(library, link=True) as (_, wanted):
        wanted.collections = ["Set"]
    scene, layer = bpy.context.scene, bpy.context.view_layer
    scene.collection.children.link(bpy.data.collections["Set"])
    if overridden:
        bpy.data.collections["Set"].override_hierarchy_create(scene, layer)
    theirs = layer.layer_collection.children
    layer.active_layer_collection = next(one for one in theirs if (one.collection.library is None) == overridden)
    assert bpy.context.collection.name == "Set"
    assert stand_in().name in scene.collection.objects
