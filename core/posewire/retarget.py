"""Native pose to the pose of a target rig: SkeletonPose -> RigPose.

With, all in model axes (x left, y up, z forward of the character):

    L_j   parent-relative rotation of native joint j from the native rest pose (SkeletonPose.rotations_wxyz)
    Q_j   its rotation in the world: Q_j = Q_parent(j) L_j
    C_b   rotation that takes target bone b from the target's rest pose to the native rest pose (rigs.rest.alignments)
    P_b   the part of L_j that b shares with others: L_j itself, or its twist about the bone
    s_b   b's share of it

the target bone's rotation in the world from its own rest pose, and its parent-relative one, are

    W_b = Q_j P_b^(s_b - 1) C_b          R_b = W_parent(b)^-1 W_b

so a bone that takes all (s = 1) has W = Q C and points where the native bone points; s = 0 leaves the rotation to others.
Bones without a joint keep R = 1. A client whose bone has rest orientation B sets inv(B) R B (client_rotations).
The root bone stands where the hips come to lie: root = scale * pelvis + Q_pelvis k (rigs.rest.root_offset_m).
docs/RIGS.md says the same for who writes it in another language; tests/retarget/golden holds the cases to replay.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from posewire import rotation
from posewire.data import FloatArray, RigPose, SkeletonPose, read_only
from posewire.errors import PluginError, SettingsError
from posewire.rigs import Rig, alignments, bundled_rigs, leg_length_ratio, load_rig, read_rig, resolve_rig, rig_skeleton
from posewire.rigs.rest import native_rest_m, root_offset_m
from posewire.skeleton import Skeleton

__all__ = [
    "Crowd",
    "Retargeter",
    "Rig",
    "bundled_rigs",
    "client_parent_space",
    "client_root_location",
    "client_rotations",
    "load_rig",
    "read_rig",
    "resolve_rig",
    "retarget",
    "rig_skeleton",
]

IndexArray = NDArray[np.int64]


def retarget(pose: SkeletonPose, skeleton: Skeleton, rig: Rig) -> RigPose:
    """One pose on a rig in its own rest pose; for a stream keep a Retargeter."""
    return _retargeter(skeleton, rig)(pose)


@lru_cache(maxsize=32)
def _retargeter(skeleton: Skeleton, rig: Rig) -> Retargeter:
    return Retargeter(skeleton, rig)


class Body(NamedTuple):
    """What of a retargeting belongs to one body; the arrays of a Crowd have one row more in front, a person each."""

    C: FloatArray
    """(K + 1, 4) of the driven bones, then the identity."""
    twist_axis: FloatArray
    """(S, 3) of the bones that share their joint's rotation."""
    scale: FloatArray
    """(1,)"""
    root_offset_m: FloatArray
    """(3,)"""


class Retargeter:
    """Everything about a pair of skeleton and rig that does not change from frame to frame. Any thread may call it.

    Args:
        skeleton: The native skeleton that the poses are on.
        rig: The target; `rig.bind(names, parents)` for a character's own bones.
        rest_positions_m: (B, 3) the character's rest positions, model axes; NaN = unknown; None = the file's hints.
        scale: Target size over native size, for the place of the root; None = by the leg lengths, 1 without positions.

    Raises:
        PluginError: the rig asks for a joint that the skeleton does not have.
        SettingsError: the scale is not above zero.
        ValueError: the rest positions are of another shape.
    """

    def __init__(
        self, skeleton: Skeleton, rig: Rig, rest_positions_m: ArrayLike | None = None, scale: float | None = None
    ) -> None:
        _check_joints(skeleton, rig)
        _check_scale(scale)
        if rest_positions_m is not None:
            rest_positions_m = read_only(rest_positions_m, len(rig.bones), 3)
        self.rig = rig
        self.alignments_wxyz = alignments(skeleton, rig, rest_positions_m)
        """(B, 4) C of every bone."""
        self.scale = scale if scale is not None else _scale(skeleton, rig, rest_positions_m)
        self.tree = skeleton.names, skeleton.parents
        """What a native pose's rows mean."""
        self._jumps = _ancestor_jumps(skeleton.parents)
        root_offset_m = self._offset_of_root(skeleton, rest_positions_m)
        self.body = Body(self._prepare_bones(skeleton), self._prepare_shares(skeleton), np.array([self.scale]), root_offset_m)

    def __call__(self, pose: SkeletonPose) -> RigPose:
        """The pose on the rig."""
        root_m, rotations_wxyz = self.apply(self.body, pose.root_m, pose.rotations_wxyz)
        confidence = pose.confidence[self.confidence_joints]
        return RigPose(pose.person_id, pose.time_s, self.rig.name, root_m, rotations_wxyz, confidence)

    def apply(self, body: Body, root_m: FloatArray, local: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Root (..., 3) and rotations (..., B, 4) on the rig, from those (..., 3) and (..., N, 4) of the native skeleton."""
        native = self._world_rotations(local)
        world = self._bone_rotations(body, native, local)
        offset_m = rotation.rotate(native[..., 0, :], body.root_offset_m) if body.root_offset_m.any() else 0.0
        rotations = _product(world[..., self._parent, :] * _CONJUGATE, world[..., self._source, :])
        return body.scale * root_m + offset_m, rotations

    def _prepare_bones(self, skeleton: Skeleton) -> FloatArray:
        """A bone without a joint takes the rotation of its nearest ancestor that has one; above all stands the identity."""
        bones = self.rig.bones
        driven = [b for b, bone in enumerate(bones) if bone.joint is not None]
        row = {b: r for r, b in enumerate(driven)}
        source: list[int] = []
        for b, bone in enumerate(bones):
            source.append(row[b] if b in row else source[bone.parent] if bone.parent >= 0 else len(driven))
        self._joint = _indices([skeleton.index(bones[b].joint or "") for b in driven] + [len(skeleton.names)])
        self._source = _indices(source)
        self._parent = _indices([source[bone.parent] if bone.parent >= 0 else len(driven) for bone in bones])
        self.confidence_joints = self._joint[self._source] % len(skeleton.names)
        """(B,) the native joint whose confidence each bone has."""
        return np.concatenate([self.alignments_wxyz[driven], _IDENTITY])

    def _prepare_shares(self, skeleton: Skeleton) -> FloatArray:
        native = native_rest_m(skeleton)
        driven = [bone for bone in self.rig.bones if bone.joint is not None]
        self._shared = _indices([r for r, bone in enumerate(driven) if bone.share != 1.0 or bone.twist_share != 1.0])
        shared = [driven[r] for r in self._shared]
        self._exponent = np.array([bone.share * bone.twist_share - 1.0 for bone in shared])
        twist_axis = np.zeros((len(shared), 3))
        self._only_twist = np.array([bone.twist_share != 1.0 for bone in shared], dtype=np.bool_)
        for k, bone in enumerate(shared):
            if bone.twist_share != 1.0 and bone.aim_joint is not None and bone.joint is not None:
                axis = native[bone.aim_joint] - native[bone.joint]
                twist_axis[k] = axis / max(np.linalg.norm(axis), 1e-9)
        return twist_axis

    def _offset_of_root(self, skeleton: Skeleton, rest_positions_m: ArrayLike | None) -> FloatArray:
        if rest_positions_m is None:
            return np.zeros(3)
        return root_offset_m(skeleton, self.rig, rest_positions_m, self.scale, self.alignments_wxyz[self.rig.root])

    def _world_rotations(self, local: FloatArray) -> FloatArray:
        """Local (..., N, 4) to world (..., N + 1, 4), the last row the identity.

        Pointer jumping: after round k every row holds the product over its 2^k nearest ancestors, so a tree of depth 8
        takes 3 products over all joints instead of 24 over single ones.
        """
        world = np.empty((*local.shape[:-2], local.shape[-2] + 1, 4))
        world[..., :-1, :], world[..., -1, :] = local, _IDENTITY[0]
        for ancestor in self._jumps:
            world = _product(world[..., ancestor, :], world)
        return world

    def _bone_rotations(self, body: Body, native: FloatArray, local: FloatArray) -> FloatArray:
        """W (..., K + 1, 4) of the driven bones and, as the last row, the identity."""
        world = native[..., self._joint, :]
        if self._shared.size:
            shared = local[..., self._joint[self._shared], :]
            part = np.where(self._only_twist[:, None], _twist(shared, body.twist_axis), shared)
            world[..., self._shared, :] = _product(world[..., self._shared, :], _power(part, self._exponent))
        return _product(world, body.C)


class Crowd:
    """Several people on one rig in the time of little more than one: the same arithmetic with a row for each.

    Args:
        retargeters: One for each person, of the same rig and skeleton tree; at least one.

    Raises:
        ValueError: they are of different rigs or trees.
    """

    def __init__(self, retargeters: Sequence[Retargeter]) -> None:
        self._one = retargeters[0]
        if any((each.rig, each.tree) != (self._one.rig, self._one.tree) for each in retargeters):
            raise ValueError("a crowd is of one rig and one skeleton tree")
        C, twist_axis, scale, root_offset_m = zip(*(each.body for each in retargeters), strict=True)
        self._bodies = Body(np.stack(C), np.stack(twist_axis), np.stack(scale), np.stack(root_offset_m))

    def __call__(self, root_m: FloatArray, rotations_wxyz: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Roots (P, 3) and rotations (P, B, 4) on the rig, from those (P, 3) and (P, N, 4) of the native skeletons."""
        return self._one.apply(self._bodies, root_m, rotations_wxyz)


def client_rotations(rotations_wxyz: ArrayLike, rest_wxyz: ArrayLike) -> FloatArray:
    """inv(B) R B: rotations (..., B, 4) in model axes to each bone's own rest axes (a Blender pose bone's quaternion).

    Args:
        rotations_wxyz: (..., B, 4) parent-relative from rest, model axes: RigPose.rotations_wxyz.
        rest_wxyz: (B, 4) each bone's rest orientation: bone axes to model axes.
    """
    return rotation.multiply(rotation.multiply(rotation.inverse(rest_wxyz), rotations_wxyz), rest_wxyz)


def client_parent_space(rotations_wxyz: ArrayLike, rest_wxyz: ArrayLike, parents: Sequence[int]) -> FloatArray:
    """inv(B_parent) R B: each bone's orientation (..., B, 4) in its parent's axes, rest included (Unreal's bone transform)."""
    rest = np.asarray(rest_wxyz, dtype=np.float64)
    above = np.concatenate([rest, _IDENTITY])[np.asarray(parents)]
    return rotation.multiply(rotation.multiply(rotation.inverse(above), rotations_wxyz), rest)


def client_root_location(root_m: ArrayLike, rest_m: ArrayLike, rest_wxyz: ArrayLike) -> FloatArray:
    """inv(B) (root - rest): the root's way from its rest position (3,), in its own rest axes (a Blender pose bone's location)."""
    return rotation.rotate(rotation.inverse(rest_wxyz), np.asarray(root_m, dtype=np.float64) - np.asarray(rest_m))


def _check_joints(skeleton: Skeleton, rig: Rig) -> None:
    wanted = {joint for bone in rig.bones for joint in (bone.joint, bone.aim_joint) if joint is not None}
    if missing := sorted(wanted - set(skeleton.names)):
        raise PluginError(f"rig {rig.name!r} asks for joints that the skeleton lacks", got=missing, allowed=list(skeleton.names))


def _check_scale(scale: float | None) -> None:
    if scale is not None and not 0.0 < scale < np.inf:
        raise SettingsError("the scale of a rig is not usable", got=scale, allowed="above 0")


def _scale(skeleton: Skeleton, rig: Rig, rest_positions_m: ArrayLike | None) -> float:
    return 1.0 if rest_positions_m is None else leg_length_ratio(skeleton, rig, rest_positions_m)


def _ancestor_jumps(parents: Sequence[int]) -> list[IndexArray]:
    """For each round of pointer jumping the row (N + 1,) to multiply from the left; row N stands above the root."""
    top = len(parents)
    jump = _indices([top if parent < 0 else parent for parent in (*parents, -1)])
    rounds: list[IndexArray] = []
    while (jump != top).any():
        rounds.append(jump)
        jump = jump[jump]
    return rounds


# Lean forms of rotation.*: at 25 rows the calls cost more than the arithmetic, and these need a third of them.
_IDENTITY = rotation.identity(1)
_CONJUGATE = np.array([1.0, -1.0, -1.0, -1.0])
_LEFT = np.array([[0, 1, 2, 3], [1, 0, 3, 2], [2, 3, 0, 1], [3, 2, 1, 0]])
_LEFT_SIGN = np.array([[1.0, -1, -1, -1], [1, 1, -1, 1], [1, 1, 1, -1], [1, -1, 1, 1]])


def _product(a: FloatArray, b: FloatArray) -> FloatArray:
    """a b for (..., 4), as the 4x4 matrix of "multiply by a from the left" times b (Sola eq. 17)."""
    return ((a[..., _LEFT] * _LEFT_SIGN) @ b[..., None])[..., 0]


def _power(q: FloatArray, exponent: FloatArray) -> FloatArray:
    """q^exponent for (..., S, 4) and (S,), of the shorter of the two ways round."""
    sine = np.sqrt(np.einsum("...i,...i", q[..., 1:], q[..., 1:]))
    half = np.arctan2(sine, np.abs(q[..., 0]))
    scale = np.sin(exponent * half) / np.where(sine > 1e-12, sine, 1.0)
    result = q * np.where(q[..., 0] < 0.0, -scale, scale)[..., None]
    result[..., 0] = np.cos(exponent * half)
    return result


def _twist(q: FloatArray, axis: FloatArray) -> FloatArray:
    """The twist of q (..., 4) about unit axes (..., 3); not of unit length, which `_power` does not need."""
    return np.concatenate([q[..., :1], np.einsum("...i,...i", q[..., 1:], axis)[..., None] * axis], axis=-1)


def _indices(values: Sequence[int]) -> IndexArray:
    return np.array(values, dtype=np.int64)
