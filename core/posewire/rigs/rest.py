"""The target's rest pose against the native one: alignment of each bone, size of the legs, rest skeleton of a rig."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from posewire import rotation
from posewire.data import FloatArray
from posewire.rigs.rig import Place, Rig, RigBone
from posewire.skeleton import Skeleton

_UP = np.array([0.0, 1.0, 0.0])
_TINY_M = 1e-6
_HIGHEST_ANKLE = 0.25
"""An ankle higher above the model's origin than this share of the leg: the origin is not on the ground."""


def native_rest_m(skeleton: Skeleton) -> dict[str, FloatArray]:
    """Joint name to rest position (3,), model axes, metres."""
    positions = skeleton.positions_m(skeleton.offsets_m[0], rotation.identity(len(skeleton.names)))
    return dict(zip(skeleton.names, positions, strict=True))


def rest_directions(rig: Rig, rest_positions_m: ArrayLike | None) -> FloatArray:
    """(B, 3) where each bone points at rest (any length > 0), model axes; NaN = unknown.

    From the character's own rest positions (B, 3) when they are given, else the hints of the rig file.
    """
    directions = np.full((len(rig.bones), 3), np.nan)
    for b, bone in enumerate(rig.bones):
        if rest_positions_m is None and bone.rest_direction is not None:
            directions[b] = bone.rest_direction
        if rest_positions_m is not None and bone.aim is not None:
            positions = np.asarray(rest_positions_m, dtype=np.float64)
            directions[b] = positions[bone.aim] - positions[b]
    directions[np.linalg.norm(directions, axis=1) < _TINY_M] = np.nan
    return directions


def alignments(skeleton: Skeleton, rig: Rig, rest_positions_m: ArrayLike | None = None) -> FloatArray:
    """C (B, 4): the rotation in model axes that takes each bone from the target's rest pose to the native rest pose.

    With t the bone's rest direction on the target, n its direction in the native rest pose and C_p the parent's C:

        direction   C = swing(C_p t -> n) C_p     limbs: the parent's rotation, then the shortest swing that is left
        heading     C = turn about +Y(t -> n)     feet: soles that lie flat at rest stay flat, only the toes turn
        parent      C = C_p                       also "direction" when t is unknown
        none        C = 1                         also "heading" when t is unknown

    Bones without a joint follow their parent.
    """
    native = native_rest_m(skeleton)
    targets = rest_directions(rig, rest_positions_m)
    C = rotation.identity(len(rig.bones))
    for b, bone in enumerate(rig.bones):
        parent = C[bone.parent] if bone.parent >= 0 else rotation.identity()
        C[b] = _alignment(bone, targets[b], _native_direction(bone, native), parent)
    return C


def leg_length_ratio(skeleton: Skeleton, rig: Rig, rest_positions_m: ArrayLike) -> float:
    """Target's leg length over the native one, hip to sole; 1 when the target has no whole left leg.

    Leg = |hip knee| + |knee ankle| + height of the ankle above the model's origin. Where that height makes no sense (the
    origin is not on the ground) the ankle is left out on both sides.
    """
    native, target = native_rest_m(skeleton), _joint_positions(rig, rest_positions_m)
    if any(joint not in target for joint in ("left_hip", "left_knee", "left_ankle")):
        return 1.0
    native_leg, target_leg = _thigh_and_shin(native), _thigh_and_shin(target)
    if target_leg < _TINY_M:
        return 1.0
    ankle = target["left_ankle"][1]
    if 0.0 < ankle < _HIGHEST_ANKLE * target_leg:
        return float((target_leg + ankle) / (native_leg + native["left_ankle"][1]))
    return float(target_leg / native_leg)


def root_offset_m(skeleton: Skeleton, rig: Rig, rest_positions_m: ArrayLike, scale: float, C_root: FloatArray) -> FloatArray:
    """k (3,) in pelvis axes such that root = scale * pelvis + Q_pelvis k puts the target's hips on the (scaled) native hips.

    k = scale * (native hips - pelvis) - C_root (target hips - root), hips being the middle between the hip joints at
    rest. Zero when the target's hips or root are unknown.
    """
    native, target = native_rest_m(skeleton), _joint_positions(rig, rest_positions_m)
    root = np.asarray(rest_positions_m, dtype=np.float64)[rig.root]
    if "left_hip" not in target or "right_hip" not in target or not np.isfinite(root).all():
        return np.zeros(3)
    native_hips = _middle_of_hips(native) - native[skeleton.names[0]]
    return scale * native_hips - rotation.rotate(C_root, _middle_of_hips(target) - root)


def rig_skeleton(rig: Rig, skeleton: Skeleton) -> Skeleton:
    """The rig's bones at rest on the proportions of `skeleton`, in the rig's own rest pose (its hints, else the T-pose)."""
    native = native_rest_m(skeleton)
    t_pose = np.empty((len(rig.bones), 3))
    for b, bone in enumerate(rig.bones):
        t_pose[b] = _placed(bone, native, t_pose[bone.parent])
    to_rest = rotation.inverse(alignments(skeleton, rig))
    offsets = t_pose.copy()
    for b, parent in enumerate(rig.parents):
        if parent >= 0:
            offsets[b] = rotation.rotate(to_rest[parent], t_pose[b] - t_pose[parent])
    return Skeleton(rig.names, rig.parents, offsets, ())


def _alignment(bone: RigBone, target: FloatArray, native: FloatArray, C_parent: FloatArray) -> FloatArray:
    known = bool(np.isfinite(target).all() and np.isfinite(native).all())
    if bone.align == "direction" and known:
        return rotation.multiply(rotation.between(rotation.rotate(C_parent, target), native), C_parent)
    if bone.align == "heading" and known:
        return _turn_about_up(target, native)
    return C_parent if bone.align in ("direction", "parent") else rotation.identity()


def _turn_about_up(a: FloatArray, b: FloatArray) -> FloatArray:
    """The rotation about +Y that turns direction a (3,) to the heading of b (3,); the identity where one is upright."""
    if min(np.hypot(a[0], a[2]), np.hypot(b[0], b[2])) < _TINY_M:
        return rotation.identity()
    return rotation.exp((np.arctan2(b[0], b[2]) - np.arctan2(a[0], a[2])) * _UP)


def _native_direction(bone: RigBone, native: dict[str, FloatArray]) -> FloatArray:
    if bone.joint is None or bone.aim_joint is None:
        return np.full(3, np.nan)
    direction = native[bone.aim_joint] - native[bone.joint]
    return direction if np.linalg.norm(direction) > _TINY_M else np.full(3, np.nan)


def _joint_positions(rig: Rig, rest_positions_m: ArrayLike) -> dict[str, FloatArray]:
    """Native joint to the known rest position (3,) of the first bone that starts there."""
    found: dict[str, FloatArray] = {}
    for bone, position in zip(rig.bones, np.asarray(rest_positions_m, dtype=np.float64), strict=True):
        if bone.joint is not None and bone.place is None and np.isfinite(position).all():
            found.setdefault(bone.joint, position)
    return found


def _thigh_and_shin(positions_m: dict[str, FloatArray]) -> float:
    hip, knee, ankle = (positions_m[f"left_{joint}"] for joint in ("hip", "knee", "ankle"))
    return float(np.linalg.norm(hip - knee) + np.linalg.norm(knee - ankle))


def _middle_of_hips(positions_m: dict[str, FloatArray]) -> FloatArray:
    return 0.5 * (positions_m["left_hip"] + positions_m["right_hip"])


def _placed(bone: RigBone, native: dict[str, FloatArray], parent_m: FloatArray) -> FloatArray:
    place = bone.place or (Place(bone.joint, bone.joint, 0.0) if bone.joint else None)
    if place is None:
        return parent_m
    return native[place.start] + place.at * (native[place.end] - native[place.start])
