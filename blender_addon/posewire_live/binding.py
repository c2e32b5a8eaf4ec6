# SPDX-License-Identifier: GPL-3.0-or-later
"""One character that follows one person: everything between a pose of the stream and the values of the pose bones."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import bpy
import numpy as np

from . import armature, controls, guess, rotation
from .controls import FK, IK
from .conversion import bone_conversions
from .errors import LiveError
from .mapping import Rig, best_name_set
from .performer import Performer
from .protocol import Skeleton
from .retarget import Driven, drive
from .shaping import Shape

_LEGS = ("left_hip", "right_hip")
_TRUNK = ("spine", "chest")


@dataclass(frozen=True)
class Choices:
    """What the artist chose for a character; equal choices need no new binding."""

    rig: Rig
    picked: tuple[tuple[str, str], ...] = ()
    """Pairs of rig bone and the character's bone ("" = none), instead of what the names say."""
    weights: tuple[tuple[str, float], ...] = ()
    """Pairs of the character's bone and its share of the motion, where not 1."""
    scale: float | None = None
    shape: Shape = field(default_factory=Shape)
    controls: str = FK
    """Of a generated Rigify rig: FK, IK or BOTH lead the limbs."""


class Binding:
    """Made once for a character and its choices; makes a Retargeter for each skeleton that it sees.

    Raises:
        LiveError: the character cannot follow anybody; the text says why and what to do.
    """

    def __init__(self, obj: bpy.types.Object, choices: Choices, view_layer: bpy.types.ViewLayer) -> None:
        if obj.type != "ARMATURE" or not obj.data.bones:
            raise LiveError("{name} is no armature with bones.", "Choose an armature.", name=obj.name)
        if obj.library is not None:
            hint = "Object > Library Override > Make makes it movable."
            raise LiveError("{name} is linked from another file.", hint, name=obj.name)
        rig = choices.rig
        found = fit(obj, rig, choices.picked)
        self.choices, self.matched = choices, found.matched
        if rig.root.name not in self.matched:
            hint = "Choose another preset, or pick the hips bone."
            raise LiveError("The preset {preset} does not fit {name}.", hint, preset=rig.name, name=obj.name)
        rest = armature.read_rest(obj, self.matched, rig)
        self.switched = armature.turn_switches(obj, armature.SWITCHES[choices.controls]) if found.has_ik else {}
        self.driven = self._driven(obj, rest, view_layer)
        self._ik = controls.find(rig, self.matched, rest.character.names) if found.has_ik and choices.controls != FK else ()
        self._name_bones(obj)
        self._read(obj, rest)
        self._weights = np.array([dict(choices.weights).get(name, 1.0) for name in self.turned])
        self._performers: dict[int, tuple[Skeleton, Performer]] = {}

    def _name_bones(self, obj: bpy.types.Object) -> None:
        names, silent = self.driven.names, {n for one in self._ik for n in one.replaces} if self.choices.controls == IK else ()
        heard = [row for row, name in enumerate(names) if name not in silent]
        self._told = np.array([*heard, *range(len(names), len(names) + len(self._ik))])
        """Rows of what a performer gives that the armature is told."""
        self.turned = tuple(n for n in names if n not in silent) + tuple(one.control for one in self._ik)
        """Bones whose rotation is set."""
        root = armature.carrier(obj, names[self.driven.root])
        self.placed = (root, *(name for one in self._ik for name in (one.control, one.pole)))
        """Bones whose location is set; the first carries the root bone, which it may be itself."""

    def _read(self, obj: bpy.types.Object, rest: armature.Rest) -> None:
        row_of = {name: row for row, name in enumerate(rest.character.names)}
        turned, placed = [row_of[name] for name in self.turned], [row_of[name] for name in self.placed]
        moved = [row_of[self.driven.names[self.driven.root]], *placed[1:]]
        self._frame, self._convert = rest.frame, bone_conversions(rest.frame, rest.axes[turned])
        self._heads = rest.heads[moved]
        self._axes = np.array([_location_axes(obj, name, rest.axes[row_of[name]]) for name in self.placed])
        self._rest_m = {name: rest.character.positions_m[row] for name, row in zip(self.placed, placed, strict=True)}

    def values(
        self, skeleton: Skeleton, time_s: float, root_m: np.ndarray, rotations_wxyz: np.ndarray, contacts: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Locations (P, 3) of `placed` and quaternions (K, 4) of `turned`, own axes, for a person's native pose."""
        person = self._on(skeleton)
        places_m, R = person(time_s, root_m, rotations_wxyz, contacts)
        q = (self._convert @ R[self._told, :, None])[:, :, 0]
        if (self._weights != 1.0).any():
            q = rotation.nlerp(np.tile(rotation.IDENTITY, (len(q), 1)), q, self._weights[:, None])
        away = self._frame.to_armature(places_m) - self._heads
        return (away[:, None, :] @ self._axes)[:, 0], q

    def apply(self, obj: bpy.types.Object, locations: np.ndarray, rotations_wxyz: np.ndarray) -> list[str]:
        """Sets the pose bones; the names of bones that are no longer there."""
        return armature.set_pose(obj, self.turned, rotations_wxyz, self.placed, locations)

    def _on(self, skeleton: Skeleton) -> Performer:
        """Skeletons of a subject message are new objects each second: equal ones share what was made."""
        known = self._performers.get(id(skeleton))
        if known is None or known[0] is not skeleton:
            twin = next((made for other, made in self._performers.values() if _same(other, skeleton)), None)
            if len(self._performers) > 8:
                self._performers.clear()
            choices = self.choices
            made = twin or Performer(skeleton, self.driven, choices.scale, choices.shape, self._ik, self._rest_m)
            known = self._performers[id(skeleton)] = (skeleton, made)
        return known[1]

    def _driven(self, obj: bpy.types.Object, rest: armature.Rest, view_layer: bpy.types.ViewLayer) -> Driven:
        driven = drive(self.choices.rig, self.matched, rest.character)
        if not armature.needs_measuring(obj, driven.names):
            return driven
        ancestors = armature.measure_ancestors(obj, driven.names, view_layer)
        legs = [name for name, bone in zip(driven.names, driven.bones, strict=True) if bone.joint in _LEGS]
        carrying = set[str]().union(*(ancestors[leg] for leg in legs))
        bent = {n for n, b in zip(driven.names, driven.bones, strict=True) if b.joint in _TRUNK and n in carrying}
        if bent:  # Rigify's lower spine hangs upside down on the torso: turned, it would swing the hips
            self.matched = {rig: name for rig, name in self.matched.items() if name not in bent}
            ancestors = {name: above - bent for name, above in ancestors.items() if name not in bent}
        return drive(self.choices.rig, self.matched, rest.character, armature.carriers_of(ancestors))


@dataclass(frozen=True)
class Fit:
    """How a rig file fits an armature."""

    rig: Rig
    matched: dict[str, str]
    """By rig bone: the armature's bone."""
    confidence: float
    """0..1: share of the preset's main bones that were found."""
    name_set: str = "standard"

    @property
    def has_ik(self) -> bool:
        """It is a generated Rigify rig, led by its controls."""
        return self.name_set == "fk"


def fit(obj: bpy.types.Object, rig: Rig, picked: tuple[tuple[str, str], ...] = ()) -> Fit:
    """Finds the bones; of several sets of names the one that constraints leave free."""
    names = [bone.name for bone in obj.data.bones]
    free = armature.free_bones(obj) if len(rig.name_sets) > 1 else names
    name_set = best_name_set(rig, free)
    matched = rig.match(names, name_set)
    known, there = {bone.name for bone in rig.bones}, set(names)
    for slot, name in picked:
        if slot in known:
            matched.pop(slot, None)
            if name in there:
                matched[slot] = name
    return Fit(rig, matched, min(1.0, rig.main_found(matched) / max(rig.size(name_set), 1)), name_set)


def detect(obj: bpy.types.Object, rigs: Iterable[Rig]) -> Fit:
    """The rig that fits best; among equals the one with more bones. Where that is little, what the names say counts."""
    rigs = tuple(rigs)
    best = max((fit(obj, rig) for rig in rigs), key=lambda one: (one.confidence, len(one.matched)))
    if best.confidence >= _SURE or best.has_ik:
        return best
    bones = armature.parents_first(obj.data.bones)
    rows = {bone.name: row for row, bone in enumerate(bones)}
    parents = [rows[bone.parent.name] if bone.parent else -1 for bone in bones]
    native = next(rig for rig in rigs if rig.name == "native")
    understood = guess.rig_of(native, list(rows), parents, rows.keys() - set(armature.free_bones(obj)))
    other = fit(obj, understood) if understood else best
    return other if _joints(other) > _joints(best) else best


_SURE = 0.9
"""A preset that finds so much of itself is meant."""


def _joints(one: Fit) -> int:
    """How many joints of a body are found."""
    return len({bone.joint for bone in one.rig.bones if bone.name in one.matched} & set(guess.JOINTS))


def _location_axes(obj: bpy.types.Object, root: str, axes: np.ndarray) -> np.ndarray:
    """(3, 3) in which the root bone's location counts."""
    bone = obj.data.bones[root]
    return axes if bone.use_local_location or bone.parent is None else np.eye(3)


def _same(a: Skeleton, b: Skeleton) -> bool:
    return a.names == b.names and a.parents == b.parents and np.array_equal(a.offsets_m, b.offsets_m)
