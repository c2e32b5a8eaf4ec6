# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes a recorded motion as an action at once: layers and slots from Blender 4.4 on, plain curves before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
from mathutils import Quaternion

from .recorder import Baked

LAYERED = bpy.app.version >= (4, 4, 0)
_CONTACTS = ("left heel", "left toe", "right heel", "right toe")


@dataclass(frozen=True)
class Channels:
    """Which bones a motion moves, and how they are keyed."""

    names: tuple[str, ...]
    """(K,) whose rotation is keyed."""
    placed: tuple[str, ...]
    """(P,) whose location is keyed."""
    modes: tuple[str, ...]
    """(K,) rotation mode of each bone."""
    switches: tuple[tuple[str, str, float], ...] = ()
    """Bone, custom property and the value that the motion needs (Rigify's IK/FK)."""


def channels_of(
    obj: bpy.types.Object, names: Sequence[str], placed: Sequence[str], switches: Sequence[tuple[str, str]]
) -> Channels:
    """The channels of an armature as it is now."""
    bones = obj.pose.bones
    modes = tuple(bones[name].rotation_mode if name in bones else "QUATERNION" for name in names)
    values = tuple((name, key, float(bones[name][key])) for name, key in switches if name in bones and key in bones[name])
    return Channels(tuple(names), tuple(placed), modes, values)


def write_action(name: str, baked: Baked, channels: Channels, *, markers: bool) -> bpy.types.Action:
    """A new action, keyed at every frame of the motion."""
    action = bpy.data.actions.new(name)
    curves = _Curves(action, baked.frames)
    for p, bone in enumerate(channels.placed):
        for axis in range(3):
            path = f'pose.bones["{bpy.utils.escape_identifier(bone)}"].location'
            curves.add(path, axis, bone, baked.locations[:, p, axis])
    for k, (bone, mode) in enumerate(zip(channels.names, channels.modes, strict=True)):
        path, values = _rotation_curves(bone, mode, baked.rotations_wxyz[:, k])
        for index in range(values.shape[1]):
            curves.add(path, index, bone, values[:, index])
    for bone, key, value in channels.switches:
        curves.constant(f'pose.bones["{bpy.utils.escape_identifier(bone)}"]["{bpy.utils.escape_identifier(key)}"]', bone, value)
    if markers:
        _mark_contacts(action, baked)
    return action


def assign(obj: bpy.types.Object, action: bpy.types.Action, *, as_strip: bool) -> None:
    """Makes the action the object's own, or puts it on a new track of its non-linear animation.

    What was its own before stays in the file, also where nothing else uses it.
    """
    data = obj.animation_data or obj.animation_data_create()
    if data.use_tweak_mode:
        data.use_tweak_mode = False  # while a strip is being edited, Blender lets nobody exchange the action
    former = data.action
    _assign(data, action, as_strip=as_strip)
    if former is not None and former.users == 0 and former.library is None:
        former.use_fake_user = True


def _assign(data: bpy.types.AnimData, action: bpy.types.Action, *, as_strip: bool) -> None:
    if as_strip:
        strip = data.nla_tracks.new().strips.new(action.name, int(action.frame_range[0]), action)
        strip.name = action.name
        if LAYERED:
            strip.action_slot = action.slots[0]
        if data.action is not None:
            data.action = None  # the strip would lie hidden below it
        return
    data.action = action
    if LAYERED:
        data.action_slot = action.slots[0]


class _Curves:
    """Makes the curves of one action."""

    def __init__(self, action: bpy.types.Action, frames: np.ndarray) -> None:
        self._frames = frames
        kinds = bpy.types.Keyframe.bl_rna.properties["interpolation"].enum_items
        before_gap = np.append(np.diff(frames) > 1.5, False)  # nobody was seen: the pose holds
        self._kinds = np.where(before_gap, kinds["CONSTANT"].value, kinds["LINEAR"].value).astype(np.int32)
        if LAYERED:
            slot = action.slots.new(id_type="OBJECT", name="Armature")
            strip = action.layers.new("Layer").strips.new(type="KEYFRAME")
            self._bag: Any = strip.channelbag(slot, ensure=True)
        else:
            action.id_root = "OBJECT"
            self._bag = action
        self._groups: dict[str, Any] = {}

    def add(self, path: str, index: int, group: str, values: np.ndarray) -> None:
        curve = self._new(path, index, group)
        curve.keyframe_points.add(len(values))
        curve.keyframe_points.foreach_set("co", np.stack([self._frames, values], axis=1).astype(np.float32).reshape(-1))
        curve.keyframe_points.foreach_set("interpolation", self._kinds)
        curve.update()

    def constant(self, path: str, group: str, value: float) -> None:
        curve = self._new(path, 0, group)
        curve.keyframe_points.add(1)
        curve.keyframe_points[0].co = (self._frames[0], value)
        curve.update()

    def _new(self, path: str, index: int, group: str) -> Any:
        curve = self._bag.fcurves.new(path, index=index)
        if group not in self._groups:
            self._groups[group] = self._bag.groups.new(group)
        curve.group = self._groups[group]
        return curve


def _rotation_curves(bone: str, mode: str, q: np.ndarray) -> tuple[str, np.ndarray]:
    """Data path and values (F, 3 or 4) in a bone's own rotation mode."""
    start = f'pose.bones["{bpy.utils.escape_identifier(bone)}"].'
    if mode == "QUATERNION":
        return start + "rotation_quaternion", q
    if mode == "AXIS_ANGLE":
        pairs = [Quaternion(row).to_axis_angle() for row in q]
        return start + "rotation_axis_angle", np.array([(angle, *axis) for axis, angle in pairs])
    rows: list[Any] = []
    for row in q:
        rows.append(Quaternion(row).to_euler(mode, rows[-1]) if rows else Quaternion(row).to_euler(mode))
    return start + "rotation_euler", np.array([row[:] for row in rows])


def _mark_contacts(action: bpy.types.Action, baked: Baked) -> None:
    """A pose marker where a foot comes to the ground or leaves it."""
    touching = np.nan_to_num(baked.contacts) > 0.5
    for part, name in enumerate(_CONTACTS):
        for row in np.flatnonzero(np.diff(touching[:, part].astype(int))):
            marker = action.pose_markers.new(f"{name} {'down' if touching[row + 1, part] else 'up'}")
            marker.frame = int(baked.frames[row + 1])
