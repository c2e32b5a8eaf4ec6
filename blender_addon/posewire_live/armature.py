# SPDX-License-Identifier: GPL-3.0-or-later
"""An armature object's rest pose read, its pose set, kept and given back. Nothing here holds a reference into Blender's data.

Blender moves its data at undo, reload and rename; so bones are looked up by name at every use (0.3 us each).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import bpy
import numpy as np
from mathutils import Quaternion

from . import rotation
from .controls import BOTH, FK, IK
from .conversion import ModelFrame, model_frame
from .mapping import Rig
from .retarget import Character

_AXES = ("XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX")


@dataclass(frozen=True)
class Rest:
    """An armature at rest."""

    character: Character
    frame: ModelFrame
    axes: np.ndarray
    """(B, 3, 3) bone axes to armature axes."""
    heads: np.ndarray
    """(B, 3) armature units."""
    free: tuple[str, ...]
    """Names of the bones that no constraint moves."""


def read_rest(obj: bpy.types.Object, matched: Mapping[str, str], rig: Rig) -> Rest:
    """The rest pose; the model's axes are found from the bones that `matched` names for hips, pelvis and head."""
    bones = parents_first(obj.data.bones)
    index = {bone.name: i for i, bone in enumerate(bones)}
    heads = np.array([bone.head_local[:] for bone in bones])
    axes = np.array([[row[:3] for row in bone.matrix_local][:3] for bone in bones])
    by_joint = {b.joint: heads[index[matched[b.name]]] for b in reversed(rig.bones) if matched.get(b.name) in index}
    frame = model_frame(_way(by_joint, "right_hip", "left_hip"), _body_up(by_joint), _metres(obj))
    character = Character(
        tuple(bone.name for bone in bones),
        tuple(index[bone.parent.name] if bone.parent else -1 for bone in bones),
        frame.to_model_m(heads),
    )
    return Rest(character, frame, axes, heads, free_bones(obj))


def free_bones(obj: bpy.types.Object) -> tuple[str, ...]:
    """Names of the bones that no constraint moves; limits only hold back."""
    if obj.pose is None:  # a new object that Blender has not evaluated yet
        return tuple(bone.name for bone in obj.data.bones)
    return tuple(bone.name for bone in obj.pose.bones if not _is_constrained(bone))


def carrier(obj: bpy.types.Object, name: str) -> str:
    """The bone whose location moves this one: itself, or the nearest above that hangs on no other's tail.

    Blender heeds no location of a connected bone.
    """
    bone = obj.data.bones[name]
    while bone.use_connect and bone.parent is not None:
        bone = bone.parent
    return bone.name


def _is_constrained(bone: bpy.types.PoseBone) -> bool:
    return any(not c.mute and c.influence > 0.0 and not c.type.startswith("LIMIT") for c in bone.constraints)


def parents_first(bones: Sequence[bpy.types.Bone]) -> list[bpy.types.Bone]:
    """Every bone after the one that carries it."""
    ordered: list[bpy.types.Bone] = []
    level = [bone for bone in bones if bone.parent is None]
    while level:
        ordered += level
        level = [child for bone in level for child in bone.children]
    return ordered


def _metres(obj: bpy.types.Object) -> float:
    """Length of an armature unit in the scene, which may count in centimetres; an object scaled unevenly counts by its mean."""
    size = float(np.mean(np.abs(obj.matrix_world.to_scale())))
    return max(size * min((unit_m(scene) for scene in obj.users_scene[:1]), default=1.0), 1e-9)


def unit_m(scene: bpy.types.Scene) -> float:
    """Length of one of Blender's units in this scene, in metres."""
    return scene.unit_settings.scale_length if scene.unit_settings.system != "NONE" else 1.0


def _way(by_joint: Mapping[str | None, np.ndarray], start: str, end: str) -> np.ndarray | None:
    return by_joint[end] - by_joint[start] if start in by_joint and end in by_joint else None


def _body_up(by_joint: Mapping[str | None, np.ndarray]) -> np.ndarray | None:
    for top in ("head", "neck", "chest"):
        for bottom in ("pelvis", "left_hip"):
            if top in by_joint and bottom in by_joint:
                return by_joint[top] - by_joint[bottom]
    return None


def set_pose(
    obj: bpy.types.Object, turned: Sequence[str], rotations_wxyz: np.ndarray, placed: Sequence[str], locations: np.ndarray
) -> list[str]:
    """Sets rotations (K, 4) and locations (P, 3) of bones, own axes; the names of bones that are not there."""
    bones = obj.pose.bones
    missing: list[str] = []
    for name, q in zip(turned, rotations_wxyz.tolist(), strict=True):
        bone = bones.get(name)
        if bone is None:
            missing.append(name)
        elif bone.rotation_mode == "QUATERNION":
            bone.rotation_quaternion = q
        else:
            _set_other_mode(bone, Quaternion(q))
    for name, location in zip(placed, locations.tolist(), strict=True):
        bone = bones.get(name)
        if bone is not None:
            bone.location = location
    return missing


def _set_other_mode(bone: bpy.types.PoseBone, q: Quaternion) -> None:
    """Euler angles stay near those of the frame before."""
    if bone.rotation_mode in _AXES:
        bone.rotation_euler = q.to_euler(bone.rotation_mode, bone.rotation_euler)
    else:
        axis, angle = q.to_axis_angle()
        bone.rotation_axis_angle = (angle, *axis)


@dataclass(frozen=True)
class Kept:
    """A pose from before, to be given back."""

    bones: dict[str, tuple[tuple[float, ...], ...]]
    """By bone: location, quaternion, Euler angles, axis and angle."""
    switches: dict[tuple[str, str], object]
    """By bone and custom property: its value."""
    animation: tuple[int | str, ...]
    """What animated the object then, and at which frame."""


def keep(obj: bpy.types.Object, names: Sequence[str]) -> Kept:
    """The present pose of these bones."""
    there = (obj.pose.bones.get(name) for name in names)
    return Kept({b.name: _values(b) for b in there if b is not None}, {}, animation_of(obj))


def animation_of(obj: bpy.types.Object) -> tuple[int | str, ...]:
    """The frame of its scene, and the names of the object's action and of its tracks; empty where nothing animates it."""
    data = obj.animation_data
    if data is None:
        return ()
    frames = (scene.frame_current for scene in obj.users_scene[:1])
    return (*frames, data.action.name if data.action else "", *(track.name for track in data.nla_tracks))


def _values(bone: bpy.types.PoseBone) -> tuple[tuple[float, ...], ...]:
    channels = (bone.location, bone.rotation_quaternion, bone.rotation_euler, bone.rotation_axis_angle)
    return tuple(tuple(channel) for channel in channels)


def give_back(obj: bpy.types.Object, kept: Kept) -> None:
    """Sets a pose from before; bones that are gone are left out."""
    for name, (location, quaternion, euler, axis_angle) in kept.bones.items():
        bone = obj.pose.bones.get(name)
        if bone is not None:
            bone.location, bone.rotation_quaternion = location, quaternion
            bone.rotation_euler, bone.rotation_axis_angle = euler, axis_angle
    for (name, key), value in kept.switches.items():
        bone = obj.pose.bones.get(name)
        if bone is not None and key in bone:
            bone[key] = value
    obj.update_tag(refresh={"DATA"})


_BY_PARENT = {"neck_follow": 1.0, "head_follow": 1.0, "FK_limb_follow": 0.0}
"""Every FK control turns with the one above it."""
_FREE_ENDS = {"pole_vector": 1.0, "IK_parent": 1.0, "pole_parent": 1.0, "torso_parent": 1.0}
"""Hands, feet and poles hang on the rig's root and on nothing else."""
SWITCHES = {
    FK: {"IK_FK": 1.0, **_BY_PARENT},
    IK: {"IK_FK": 0.0, **_BY_PARENT, **_FREE_ENDS},
    BOTH: {**_BY_PARENT, **_FREE_ENDS},
}
"""Rigify's custom properties, and what they must be for these controls to lead; with both the artist switches."""


def turn_switches(obj: bpy.types.Object, wanted: Mapping[str, float]) -> dict[tuple[str, str], object]:
    """Sets custom properties of a Rigify rig's bones; gives what was set before."""
    before: dict[tuple[str, str], object] = {}
    for bone in obj.pose.bones:
        for key, value in wanted.items():
            if key in bone and isinstance(bone[key], int | float):
                before[bone.name, key] = bone[key]
                bone[key] = type(bone[key])(value)
    if before:
        obj.update_tag(refresh={"DATA"})
    return before


_PROBE = rotation.about(np.array([0.48, 0.6, 0.64]), 0.7)
_FOLLOWS = np.cos(np.radians(1.0))


def needs_measuring(obj: bpy.types.Object, names: Sequence[str]) -> bool:
    """True when a constrained bone lies between two of these: then the tree does not say who carries whom."""
    driven = set(names)
    for name in names:
        bone = obj.pose.bones[name]
        if not bone.bone.use_inherit_rotation:
            return True
        above = bone.parent
        while above is not None and above.name not in driven:
            if _is_constrained(above):
                return True
            above = above.parent
    return False


def measure_ancestors(obj: bpy.types.Object, names: Sequence[str], view_layer: bpy.types.ViewLayer) -> dict[str, set[str]]:
    """By bone: which of the others turn it, seen by turning each in turn. The armature's pose is as before afterwards."""
    kept = keep(obj, names)
    unit, root, origin = np.tile(rotation.IDENTITY, (len(names), 1)), names[:1], np.zeros((1, 3))
    try:
        set_pose(obj, names, unit, root, origin)
        rest = _orientations(obj, names, view_layer)
        ancestors: dict[str, set[str]] = {name: set() for name in names}
        for k, name in enumerate(names):
            turned = unit.copy()
            turned[k] = _PROBE
            set_pose(obj, names, turned, root, origin)
            ways = rotation.multiply(_orientations(obj, names, view_layer), rotation.inverse(rest))
            for other, way in zip(names, ways, strict=True):
                if other != name and abs(float(way @ ways[k])) > _FOLLOWS:
                    ancestors[other].add(name)
        return ancestors
    finally:
        give_back(obj, kept)


def carriers_of(ancestors: Mapping[str, set[str]]) -> dict[str, str | None]:
    """By bone: the nearest of those that turn it, which is the one that most others turn in their turn."""
    return {name: max(above, key=lambda a: len(ancestors[a]), default=None) for name, above in ancestors.items()}


def _orientations(obj: bpy.types.Object, names: Sequence[str], view_layer: bpy.types.ViewLayer) -> np.ndarray:
    """(K, 4) in armature axes, evaluated."""
    obj.update_tag(refresh={"DATA"})
    view_layer.update()
    bones = obj.evaluated_get(view_layer.depsgraph).pose.bones
    return np.array([bones[name].matrix.to_quaternion()[:] for name in names])
