"""Armatures for the tests: a rig file's names on a person's joints, and what is asserted of all of them."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
from conftest import Stage, angle_deg, evaluated_heads, module
from mathutils import Vector

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


def stand_in(person: int = -1) -> Any:
    assert bpy.ops.posewire.stand_in(person=person) == {"FINISHED"}
    return bpy.context.scene.posewire.active_character().object
