# SPDX-License-Identifier: GPL-3.0-or-later
"""A person's native pose to the rotations of a character's bones, model axes (docs/RIGS.md, "The maths").

With L_j the streamed rotation of joint j and Q_j that in the world, C_b the rotation that takes bone b from the character's
rest pose to the native one, and P_b the part of L_j that b shares with others (s_b its share):

    W_b = Q_j P_b^(s_b - 1) C_b          R_b = W_parent(b)^-1 W_b          root = scale * pelvis + Q_pelvis k

Only bones with a joint are kept here: one without a joint turns with the nearest that has one above it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from . import rotation
from .errors import LiveError
from .mapping import Rig, RigBone, grown, share_growth
from .protocol import Skeleton

_UP = np.array([0.0, 1.0, 0.0])
_TINY_M = 1e-6
_HIGHEST_ANKLE = 0.25
"""An ankle higher above the origin than this share of the leg: the origin is not on the ground."""


@dataclass(frozen=True)
class Character:
    """A character's bones at rest, in model axes and metres; a parent before its children."""

    names: tuple[str, ...]
    parents: tuple[int, ...]
    """-1 = none."""
    positions_m: np.ndarray
    """(B, 3) heads; NaN = unknown."""


@dataclass(frozen=True)
class Driven:
    """The character's bones that a joint turns, parents first."""

    names: tuple[str, ...]
    """(K,)"""
    bones: tuple[RigBone, ...]
    """(K,) what the rig file says of each."""
    parents: tuple[int, ...]
    """(K,) nearest driven bone above, -1 = none."""
    positions_m: np.ndarray
    """(K, 3)"""
    aims_m: np.ndarray
    """(K, 3) from the head to where the bone points at rest; NaN = unknown."""
    root: int
    """Which of them carries the body's place."""


def drive(rig: Rig, matched: Mapping[str, str], character: Character, carriers: Mapping[str, str | None] | None = None) -> Driven:
    """What drives the character's bones.

    Args:
        matched: By rig bone: the character's bone.
        carriers: Measured answers to "which driven bone carries this one", where the armature's own tree does not say.

    Raises:
        LiveError: the bone for the pelvis is missing.
    """
    if rig.root.name not in matched:
        hint = "Choose another preset, or pick the bone."
        raise LiveError("No bone for the pelvis was found by the preset {preset}.", hint, preset=rig.name)
    growth = share_growth(rig, matched)
    place = {name: i for i, name in enumerate(character.names)}
    rows = {matched[b.name]: grown(b, growth) for b in rig.bones if b.joint is not None and matched.get(b.name) in place}
    names = tuple(name for name in character.names if name in rows)
    row_of = {name: row for row, name in enumerate(names)}
    parents = [_nearest_driven(character, place[name], row_of) for name in names]
    for name, carrier in (carriers or {}).items():
        if name in row_of:
            parents[row_of[name]] = -1 if carrier is None else row_of[carrier]
    aims = [_aim(rows[name], matched, place, character, place[name]) for name in names]
    positions = character.positions_m[[place[name] for name in names]]
    bones = tuple(rows[name] for name in names)
    return Driven(names, bones, tuple(parents), positions, np.array(aims), row_of[matched[rig.root.name]])


def _nearest_driven(character: Character, bone: int, row_of: Mapping[str, int]) -> int:
    parent = character.parents[bone]
    while parent >= 0 and character.names[parent] not in row_of:
        parent = character.parents[parent]
    return row_of[character.names[parent]] if parent >= 0 else -1


def _aim(bone: RigBone, matched: Mapping[str, str], place: Mapping[str, int], character: Character, at: int) -> np.ndarray:
    target = place.get(matched.get(bone.aim or "", ""))
    if target is None:
        return np.full(3, np.nan)
    aim = character.positions_m[target] - character.positions_m[at]
    return aim if np.linalg.norm(aim) > _TINY_M else np.full(3, np.nan)


class Retargeter:
    """What does not change from frame to frame about a person's skeleton and a character's bones.

    Args:
        scale: The character's size over the person's, for the place of the root; None = by the length of the legs.
    """

    def __init__(self, skeleton: Skeleton, driven: Driven, scale: float | None = None) -> None:
        missing = {b.joint for b in driven.bones if b.joint} - set(skeleton.names)
        if missing:
            raise LiveError("The stream has no joint {joint}.", "Update Posewire or this add-on.", joint=sorted(missing)[0])
        self.driven = driven
        self._native = dict(zip(skeleton.names, skeleton.rest_m(), strict=True))
        self.alignments_wxyz = self._alignments()
        """(K, 4) C of every driven bone."""
        known = self._joint_positions()
        self.scale = scale if scale is not None else self._leg_ratio(known)
        self._root_offset_m = self._offset_of_root(known, skeleton.names[0])
        self._joint = np.array([skeleton.names.index(bone.joint or "") for bone in driven.bones])
        self._parent = np.array(driven.parents)
        self._jumps = _ancestor_jumps(skeleton.parents)
        self._offsets_m = skeleton.offsets_m
        self._prepare_shares()

    def __call__(self, root_m: np.ndarray, rotations_wxyz: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pelvis (3,) and rotations (N, 4) to the root bone's place (3,) and R (K, 4), model axes."""
        native = self.native_world(rotations_wxyz)
        return self.root_m(root_m, native), self.local(self.world(native, rotations_wxyz))

    def native_world(self, rotations_wxyz: np.ndarray) -> np.ndarray:
        """(N + 1, 4) the joints' rotations in the world; the last row is the identity."""
        native = np.concatenate([rotations_wxyz, rotation.IDENTITY[None]])
        for ancestor in self._jumps:  # after round k a row holds the product over its 2^k nearest ancestors
            native = rotation.multiply(native[ancestor], native)
        return native

    def world(self, native: np.ndarray, rotations_wxyz: np.ndarray) -> np.ndarray:
        """W (K, 4)."""
        W = native[self._joint]
        if self._shared.size:
            part = rotations_wxyz[self._joint[self._shared]]
            twist = np.einsum("ki,ki->k", part[:, 1:], self._axis)[:, None] * self._axis
            part = np.where(self._only_twist[:, None], np.concatenate([part[:, :1], twist], axis=1), part)
            W[self._shared] = rotation.multiply(W[self._shared], rotation.power(part, self._exponent))
        return rotation.multiply(W, self.alignments_wxyz)

    def local(self, W: np.ndarray) -> np.ndarray:
        """R (K, 4)."""
        above = np.concatenate([W, rotation.IDENTITY[None]])[self._parent]
        return rotation.multiply(above * rotation.CONJUGATE, W)

    def root_m(self, root_m: np.ndarray, native: np.ndarray) -> np.ndarray:
        """Place of the root bone (3,)."""
        root = self.scale * root_m
        return root + rotation.rotate(native[0], self._root_offset_m) if self._root_offset_m.any() else root

    def joints_m(self, root_m: np.ndarray, native: np.ndarray) -> np.ndarray:
        """(N, 3) where the person's joints are in the world, before any scale."""
        ways = np.concatenate([rotation.rotate(native[self._jumps[0][:-1]], self._offsets_m), np.zeros((1, 3))])
        ways[0] = root_m
        for ancestor in self._jumps:
            ways = ways + ways[ancestor]
        return ways[:-1]

    def _alignments(self) -> np.ndarray:
        C = np.tile(rotation.IDENTITY, (len(self.driven.names), 1))
        for k, (bone, parent) in enumerate(zip(self.driven.bones, self.driven.parents, strict=True)):
            C[k] = self._alignment(bone, self.driven.aims_m[k], C[parent] if parent >= 0 else rotation.IDENTITY)
        return C

    def _alignment(self, bone: RigBone, target: np.ndarray, C_parent: np.ndarray) -> np.ndarray:
        native = self._native_direction(bone)
        known = bool(np.isfinite(target).all() and np.linalg.norm(native) > _TINY_M)
        if bone.align == "direction" and known:
            return rotation.multiply(rotation.between(rotation.rotate(C_parent, target), native), C_parent)
        if bone.align == "heading" and known:
            return _turn_about_up(target, native)
        return C_parent if bone.align in ("direction", "parent") else rotation.IDENTITY

    def _native_direction(self, bone: RigBone) -> np.ndarray:
        """(3,) where the bone points in the native rest pose; NaN = unknown, also where the stream lacks a joint."""
        start, end = self._native.get(bone.joint or ""), self._native.get(bone.aim_joint or "")
        return np.full(3, np.nan) if start is None or end is None else end - start

    def _joint_positions(self) -> dict[str, np.ndarray]:
        """Native joint to the rest position (3,) of the first bone that starts there."""
        found: dict[str, np.ndarray] = {}
        for bone, position in zip(self.driven.bones, self.driven.positions_m, strict=True):
            if bone.joint is not None and not bone.placed and np.isfinite(position).all():
                found.setdefault(bone.joint, position)
        return found

    def _leg_ratio(self, known: Mapping[str, np.ndarray]) -> float:
        leg = ("left_hip", "left_knee", "left_ankle")
        if any(joint not in known or joint not in self._native for joint in leg) or _leg(known) < _TINY_M:
            return 1.0
        ankle = float(known["left_ankle"][1])
        if 0.0 < ankle < _HIGHEST_ANKLE * _leg(known):
            return (_leg(known) + ankle) / (_leg(self._native) + float(self._native["left_ankle"][1]))
        return _leg(known) / _leg(self._native)

    def _offset_of_root(self, known: Mapping[str, np.ndarray], pelvis: str) -> np.ndarray:
        root_m = self.driven.positions_m[self.driven.root]
        if "left_hip" not in known or "right_hip" not in known or not np.isfinite(root_m).all():
            return np.zeros(3)
        native = self.scale * (_hips(self._native) - self._native[pelvis])
        return native - rotation.rotate(self.alignments_wxyz[self.driven.root], _hips(known) - root_m)

    def _prepare_shares(self) -> None:
        bones = self.driven.bones
        self._shared = np.array(
            [k for k, bone in enumerate(bones) if bone.share != 1.0 or bone.twist_share != 1.0], dtype=np.int64
        )
        shared = [bones[k] for k in self._shared]
        self._exponent = np.array([bone.share * bone.twist_share - 1.0 for bone in shared])
        self._only_twist = np.array([bone.twist_share != 1.0 for bone in shared], dtype=np.bool_)
        self._axis = np.zeros((len(shared), 3))
        for k, bone in enumerate(shared):
            if bone.twist_share != 1.0:
                axis = np.nan_to_num(self._native_direction(bone))
                self._axis[k] = axis / max(float(np.linalg.norm(axis)), 1e-9)


def _turn_about_up(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The turn about +y from the heading of a (3,) to that of b (3,)."""
    if min(np.hypot(a[0], a[2]), np.hypot(b[0], b[2])) < _TINY_M:
        return rotation.IDENTITY
    return rotation.about(_UP, float(np.arctan2(b[0], b[2]) - np.arctan2(a[0], a[2])))


def _leg(positions_m: Mapping[str, np.ndarray]) -> float:
    hip, knee, ankle = (positions_m[f"left_{joint}"] for joint in ("hip", "knee", "ankle"))
    return float(np.linalg.norm(hip - knee) + np.linalg.norm(knee - ankle))


def _hips(positions_m: Mapping[str, np.ndarray]) -> np.ndarray:
    return 0.5 * (positions_m["left_hip"] + positions_m["right_hip"])


def _ancestor_jumps(parents: Sequence[int]) -> list[np.ndarray]:
    """For each round of pointer jumping the row (N + 1,) to multiply from the left; row N stands above the root."""
    top = len(parents)
    jump = np.array([top if parent < 0 else parent for parent in (*parents, -1)])
    rounds: list[np.ndarray] = []
    while (jump != top).any():
        rounds.append(jump)
        jump = jump[jump]
    return rounds
