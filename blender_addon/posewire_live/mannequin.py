# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes a simple skinned stand-in with Posewire's own bones, so that motion is seen at once."""

from __future__ import annotations

import bpy
import numpy as np

from . import armature
from .conversion import BLENDER
from .protocol import Skeleton

_SIDES = 10
_RADII_M = {
    "pelvis": 0.13, "spine": 0.12, "chest": 0.14, "neck": 0.055, "head": 0.095,
    "clavicle": 0.05, "shoulder": 0.05, "elbow": 0.042, "wrist": 0.035, "hand": 0.03,
    "hip": 0.075, "knee": 0.055, "ankle": 0.04, "heel": 0.03, "toe": 0.03,
}  # fmt: skip
_NEXT = {"pelvis": "spine", "spine": "chest", "chest": "neck", "neck": "head"}
_NEXT_SIDED = {"clavicle": "shoulder", "shoulder": "elbow", "elbow": "wrist", "wrist": "hand", "hip": "knee", "knee": "ankle"}
_NEXT_SIDED |= {"ankle": "toe"}
_TAILS_M = {"head": (0.0, 0.20, 0.0), "hand": (0.09, 0.0, 0.0), "heel": (0.0, 0.0, -0.03), "toe": (0.0, 0.0, 0.06)}

# Rest positions of a 1.70 m person (metres; x left, y up, z forward): segment fractions of stature from
# Winter 2009, "Biomechanics and Motor Control of Human Movement", fig. 4.1. Used until a stream says who is there.
_CENTRE = {"pelvis": (0.0, 0.901, 0.0), "spine": (0.0, 1.01, 0.0), "chest": (0.0, 1.15, 0.0), "neck": (0.0, 1.4, 0.0)}
_CENTRE |= {"head": (0.0, 1.49, 0.015)}
_LEFT = {
    "clavicle": ("chest", (0.025, 1.375, 0.0)), "shoulder": ("clavicle", (0.175, 1.39, 0.0)),
    "elbow": ("shoulder", (0.491, 1.39, 0.0)), "wrist": ("elbow", (0.739, 1.39, 0.0)),
    "hand": ("wrist", (0.829, 1.39, 0.0)), "hip": ("pelvis", (0.09, 0.901, 0.0)), "knee": ("hip", (0.09, 0.485, 0.0)),
    "ankle": ("knee", (0.09, 0.066, 0.0)), "heel": ("ankle", (0.09, 0.0, -0.05)), "toe": ("ankle", (0.09, 0.0, 0.16)),
}  # fmt: skip


def usual_skeleton() -> Skeleton:
    """A 1.70 m person."""
    names, parents, places = list(_CENTRE), [i - 1 for i in range(len(_CENTRE))], list(_CENTRE.values())
    for side, sign in (("left_", 1.0), ("right_", -1.0)):
        for name, (parent, (x, y, z)) in _LEFT.items():
            parents.append(names.index(parent if parent in _CENTRE else side + parent))
            names.append(side + name)
            places.append((sign * x, y, z))
    rest = np.array(places)
    above = np.array([rest[parent] if parent >= 0 else np.zeros(3) for parent in parents])
    return Skeleton(tuple(names), tuple(parents), rest - above)


def create(context: bpy.types.Context, skeleton: Skeleton, name: str) -> bpy.types.Object:
    """An armature object with this skeleton's bones and proportions, and a mesh that it moves, in the present collection."""
    data = bpy.data.armatures.new(name)
    obj = bpy.data.objects.new(name, data)
    home = _home(context)
    home.objects.link(obj)
    unit_m = armature.unit_m(context.scene)
    heads, tails = (ends / unit_m for ends in _ends(skeleton))
    _make_bones(context, obj, skeleton, heads, tails)
    mesh = bpy.data.objects.new(f"{name} Body", _body(f"{name} Body", skeleton, heads, tails, unit_m))
    home.objects.link(mesh)
    _skin(mesh, obj, skeleton)
    return obj


def _home(context: bpy.types.Context) -> bpy.types.Collection:
    """The present collection; the scene's own where that one is another file's, into which Blender puts nothing."""
    present = context.collection
    return present if present.library is None and present.override_library is None else context.scene.collection


def _ends(skeleton: Skeleton) -> tuple[np.ndarray, np.ndarray]:
    """Heads and tails (N, 3), Blender's axes."""
    rest = skeleton.rest_m()
    size = float(rest[skeleton.names.index("head"), 1]) / _CENTRE["head"][1] if "head" in skeleton.names else 1.0
    tails = np.array([rest[i] + _to_tail(skeleton, rest, i) * (1.0 if _target(skeleton, i) else size) for i in range(len(rest))])
    return rest @ BLENDER.T, tails @ BLENDER.T


def _target(skeleton: Skeleton, joint: int) -> str | None:
    name = skeleton.names[joint]
    side, _, bare = name.rpartition("_")
    following = _NEXT_SIDED.get(bare) if side else _NEXT.get(name)
    wanted = f"{side}_{following}" if side else following
    return wanted if following and wanted in skeleton.names else None


def _to_tail(skeleton: Skeleton, rest: np.ndarray, joint: int) -> np.ndarray:
    target = _target(skeleton, joint)
    if target is not None:
        return rest[skeleton.names.index(target)] - rest[joint]
    x, y, z = _TAILS_M.get(skeleton.names[joint].rpartition("_")[2], (0.0, 0.08, 0.0))
    return np.array([-x if skeleton.names[joint].startswith("right_") else x, y, z])


def _make_bones(
    context: bpy.types.Context, obj: bpy.types.Object, skeleton: Skeleton, heads: np.ndarray, tails: np.ndarray
) -> None:
    """Bones can only be made in edit mode, which belongs to the active object."""
    if context.mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")
    for other in context.selected_objects:
        other.select_set(False)
    context.view_layer.objects.active = obj
    obj.select_set(True)
    bpy.ops.object.mode_set(mode="EDIT")
    for i, name in enumerate(skeleton.names):
        bone = obj.data.edit_bones.new(name)
        bone.head, bone.tail = heads[i], tails[i]
        bone.parent = obj.data.edit_bones[skeleton.names[skeleton.parents[i]]] if skeleton.parents[i] >= 0 else None
    bpy.ops.object.mode_set(mode="OBJECT")


def _body(name: str, skeleton: Skeleton, heads: np.ndarray, tails: np.ndarray, unit_m: float) -> bpy.types.Mesh:
    """One rounded prism a bone; the vertices stand bone by bone, in the bones' order."""
    vertices: list[np.ndarray] = []
    faces: list[tuple[int, ...]] = []
    for i, bone in enumerate(skeleton.names):
        start = sum(map(len, vertices))
        rings = _rings(heads[i], tails[i], _RADII_M.get(bone.rpartition("_")[2], 0.04) / unit_m)
        vertices.append(rings.reshape(-1, 3))
        faces += _faces(start, len(rings))
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(np.concatenate(vertices).tolist(), [], faces)
    mesh.shade_smooth()
    mesh.update()
    return mesh


_PROFILE = ((0.0, 0.55), (0.06, 0.85), (0.2, 1.0), (0.8, 0.9), (0.94, 0.75), (1.0, 0.45))
"""Share of the length and of the radius."""


def _rings(head: np.ndarray, tail: np.ndarray, radius: float) -> np.ndarray:
    """(rings, _SIDES, 3) round the bone."""
    way = tail - head
    along = way / max(float(np.linalg.norm(way)), 1e-9)
    across = np.cross(along, np.eye(3)[np.argmin(np.abs(along))])
    across /= np.linalg.norm(across)
    angles = np.linspace(0.0, 2 * np.pi, _SIDES, endpoint=False)[:, None]
    circle = np.cos(angles) * across + np.sin(angles) * np.cross(along, across)
    return np.array([head + at * way + width * radius * circle for at, width in _PROFILE])


def _faces(start: int, rings: int) -> list[tuple[int, ...]]:
    def vertex(ring: int, side: int) -> int:
        return start + ring * _SIDES + side % _SIDES

    walls = [
        (vertex(r, s), vertex(r, s + 1), vertex(r + 1, s + 1), vertex(r + 1, s)) for r in range(rings - 1) for s in range(_SIDES)
    ]
    bottom, top = tuple(vertex(0, s) for s in reversed(range(_SIDES))), tuple(vertex(rings - 1, s) for s in range(_SIDES))
    return [*walls, bottom, top]


def _skin(mesh: bpy.types.Object, obj: bpy.types.Object, skeleton: Skeleton) -> None:
    each = len(_PROFILE) * _SIDES
    for i, name in enumerate(skeleton.names):
        mesh.vertex_groups.new(name=name).add(range(i * each, (i + 1) * each), 1.0, "REPLACE")
    mesh.parent = obj
    modifier = mesh.modifiers.new("Armature", "ARMATURE")
    modifier.object = obj
