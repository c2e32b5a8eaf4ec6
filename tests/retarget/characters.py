"""Test characters: the bones of a rig on a body of any rest pose, with random bone rolls, posed as a client would pose it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from posewire import rotation
from posewire.data import FloatArray, SkeletonPose
from posewire.rigs import Rig, RigBone, rig_skeleton
from posewire.skeleton import REFERENCE, Skeleton

_Y, _Z = np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0])


class RestAngles(NamedTuple):
    """How a character's rest pose differs from the T-pose, degrees."""

    arms_down: float = 0.0
    elbows_bent: float = 0.0
    legs_out: float = 0.0
    toes_out: float = 0.0


T_POSE, A_POSE = RestAngles(), RestAngles(arms_down=48.0, elbows_bent=12.0, legs_out=6.0, toes_out=8.0)


@dataclass(frozen=True)
class Character:
    """What a client reads from its armature at rest, converted to model axes."""

    names: tuple[str, ...]
    parents: tuple[int, ...]
    positions_m: FloatArray
    """(B, 3) where each bone starts."""
    orientations_wxyz: FloatArray
    """(B, 4) bone axes to model axes."""

    def posed_m(self, root: int, root_m: FloatArray, parent_space_wxyz: FloatArray) -> FloatArray:
        """(B, 3) bone positions, world, from each bone's orientation in its parent's axes: plain matrices, bone by bone."""
        R, X = np.empty((len(self.names), 3, 3)), np.zeros((len(self.names), 3))
        rest = rotation.to_matrix(self.orientations_wxyz)
        for b, parent in enumerate(self.parents):
            local = rotation.to_matrix(parent_space_wxyz[b])
            R[b] = R[parent] @ local if parent >= 0 else local
            if parent >= 0:
                X[b] = X[parent] + R[parent] @ rest[parent].T @ (self.positions_m[b] - self.positions_m[parent])
        return X + (root_m - X[root])


def character(rig: Rig, angles: RestAngles = T_POSE, seed: int = 0, skeleton: Skeleton = REFERENCE) -> Character:
    """A character with exactly the bones of the rig."""
    body = rig_skeleton(replace(rig, bones=tuple(replace(bone, rest_direction=None) for bone in rig.bones)), skeleton)
    local = np.array([_rest_turn(bone, angles) for bone in rig.bones])
    positions = body.positions_m(body.offsets_m[0], local)
    return Character(rig.names, rig.parents, positions, random_rotations(np.random.default_rng(seed), len(rig.bones)))


def without(character: Character, missing: set[str]) -> Character:
    """The character less some bones; their children hang on the next bone above."""
    kept = [b for b, name in enumerate(character.names) if name not in missing]

    def above(b: int) -> int:
        parent = character.parents[b]
        return parent if parent < 0 or parent in kept else above(parent)

    parents = [kept.index(above(b)) if above(b) >= 0 else -1 for b in kept]
    names = tuple(character.names[b] for b in kept)
    return Character(names, tuple(parents), character.positions_m[kept], character.orientations_wxyz[kept])


def renamed(character: Character, names: list[str]) -> Character:
    """The same bones under other names."""
    return replace(character, names=tuple(names))


def under_extra_root(character: Character, name: str) -> Character:
    """The character below one more bone at the origin."""
    return Character(
        names=(name, *character.names),
        parents=(-1, *(parent + 1 for parent in character.parents)),
        positions_m=np.concatenate([np.zeros((1, 3)), character.positions_m]),
        orientations_wxyz=np.concatenate([rotation.identity(1), character.orientations_wxyz]),
    )


def random_pose(rng: np.random.Generator, skeleton: Skeleton = REFERENCE, amount: float = 0.9) -> SkeletonPose:
    """Random angles within the limits, random heading and place."""
    lower, upper = skeleton.limits_rad.T
    return pose_of(skeleton, amount * rng.uniform(lower, upper), rotation.exp(rng.normal(size=3)), rng.normal(size=3))


def pose_of(skeleton: Skeleton, angles_rad: FloatArray, root_wxyz: FloatArray, root_m: FloatArray) -> SkeletonPose:
    """The pose of these angles."""
    local = skeleton.joint_rotations(angles_rad, root_wxyz)
    joints = len(skeleton.names)
    confidence = np.linspace(0.1, 1.0, joints)
    return SkeletonPose(7, 1.5, root_m, angles_rad, local, skeleton.positions_m(root_m, local), confidence, np.full(4, np.nan))


def rest_pose(skeleton: Skeleton = REFERENCE) -> SkeletonPose:
    """The native T-pose."""
    return pose_of(skeleton, np.zeros(len(skeleton.dofs)), rotation.identity(), skeleton.offsets_m[0])


def random_rotations(rng: np.random.Generator, count: int) -> FloatArray:
    """(count, 4) uniform over all rotations."""
    return rotation.normalise(rng.normal(size=(count, 4)))


def angle_deg(a: FloatArray, b: FloatArray) -> FloatArray:
    """Angle between directions (..., 3), degrees; exact also for small angles."""
    return np.degrees(np.arctan2(np.linalg.norm(np.cross(a, b), axis=-1), np.sum(a * b, axis=-1)))


def rotation_angle_deg(a: FloatArray, b: FloatArray) -> FloatArray:
    """Angle of the rotation between quaternions (..., 4), degrees."""
    return np.degrees(np.linalg.norm(rotation.log(rotation.multiply(rotation.inverse(a), b)), axis=-1))


def _rest_turn(bone: RigBone, angles: RestAngles) -> FloatArray:
    """(4,) parent-relative turn of a bone from the T-pose. Twist bones have no aim and follow their parent."""
    side, _, part = (bone.joint or "").partition("_")
    sign = 1.0 if side == "left" else -1.0
    if part == "ankle":
        flat = rotation.exp([0.0, 0.0, -sign * np.radians(angles.legs_out)])
        return rotation.multiply(flat, rotation.exp([0.0, sign * np.radians(angles.toes_out), 0.0]))
    turns = {"shoulder": (_Z, -angles.arms_down), "elbow": (_Y, -angles.elbows_bent), "hip": (_Z, angles.legs_out)}
    if bone.aim is None or part not in turns:
        return rotation.identity()
    axis, degrees = turns[part]
    return rotation.exp(sign * np.radians(degrees) * axis)
