"""The native skeleton: joint tree, rest pose, degrees of freedom and limits, and the points that methods see on it.

Rest pose: T-pose facing +Z, the person's left = +X, palms down, soles at y = 0, every local rotation the identity.
A joint's local rotation from its angles is swing * twist (each an exponential map): R = exp(sum of swing angles * axes)
* exp(twist angle * axis). It has no singularity inside the anatomical range, unlike Euler angles.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from posewire import rotation
from posewire.data import FloatArray, read_only

REFERENCE_HEIGHT_M = 1.70
"""Stature of the reference skeleton and the default when no height is given."""


class Marker(NamedTuple):
    """A point that moves rigidly with a joint; `offset_m` (3,) in the joint's rest axes, for the reference stature."""

    joint: str
    offset_m: tuple[float, float, float]


class Dof(NamedTuple):
    """One degree of freedom of a joint: a swing or twist angle about a rest-pose axis, with anatomical limits."""

    joint: str
    name: str
    axis: tuple[float, float, float]
    twist: bool
    lower_deg: float
    upper_deg: float


@dataclass(frozen=True, eq=False)
class Skeleton:
    """A tree of N joints with D angles; a parent comes before its children and joint 0 is the root."""

    names: tuple[str, ...]
    parents: tuple[int, ...]
    """Index of each joint's parent, -1 for the root."""
    offsets_m: FloatArray
    """(N, 3) rest position of each joint relative to its parent (the root's: to the ground below it), model axes."""
    dofs: tuple[Dof, ...]

    def __post_init__(self) -> None:
        if any(parent >= child for child, parent in enumerate(self.parents)) or self.parents[:1] != (-1,):
            raise ValueError("a parent must come before its children, and the first joint must be the only root")
        object.__setattr__(self, "offsets_m", read_only(self.offsets_m, len(self.names), 3))

    @cached_property
    def dof_names(self) -> tuple[str, ...]:
        """(D,) joint_name + '_' + movement, e.g. left_knee_flexion."""
        return tuple(f"{dof.joint}_{dof.name}" for dof in self.dofs)

    @cached_property
    def dof_joints(self) -> NDArray[np.int64]:
        """(D,) joint index of each angle."""
        return np.array([self.names.index(dof.joint) for dof in self.dofs], dtype=np.int64)

    @cached_property
    def dof_axes(self) -> FloatArray:
        """(D, 3) unit axes in rest axes."""
        return read_only([dof.axis for dof in self.dofs], len(self.dofs), 3)

    @cached_property
    def dof_is_twist(self) -> NDArray[np.bool_]:
        """(D,) True where the angle is the twist about the bone."""
        return np.array([dof.twist for dof in self.dofs], dtype=np.bool_)

    @cached_property
    def limits_rad(self) -> FloatArray:
        """(D, 2) lower and upper anatomical limit."""
        return read_only(np.radians([[dof.lower_deg, dof.upper_deg] for dof in self.dofs]), len(self.dofs), 2)

    @cached_property
    def twist_from(self) -> FloatArray:
        """(N, 3) where the axis of a joint's twist points, in the parent's axes, in the pose from which its range is carried."""
        directions = np.zeros((len(self.names), 3))
        for dof in self.dofs:
            if dof.twist:
                directions[self.index(dof.joint)] = _CARRIED_FROM.get(dof.joint, dof.axis)
        return read_only(directions, len(self.names), 3)

    def limit_shift_rad(self, angles_rad: ArrayLike) -> FloatArray:
        """By how much the ranges (..., D) are moved in a pose of angles (..., D): those of twists, by where their bones point.

        Anatomy measures the rotation of an arm along its way from a resting position p, a twist here is measured along the
        shortest way from the T-pose: over the arm's reach they differ by more than 90 degrees (Codman's paradox). A bone that
        is carried from its axis b over p to u turns about itself by the solid angle of the three. Of ranges a turn apart the
        one nearest to the angle holds.
        """
        angles_rad = np.asarray(angles_rad, dtype=np.float64)
        shift_rad = np.zeros_like(angles_rad)
        carried = self.dof_is_twist & np.any(self.twist_from[self.dof_joints] != self.dof_axes, axis=1)
        for d in np.flatnonzero(carried).tolist():
            swings = (self.dof_joints == self.dof_joints[d]) & ~self.dof_is_twist
            b, p = self.dof_axes[d], self.twist_from[self.dof_joints[d]]
            u = rotation.rotate(rotation.exp(angles_rad[..., swings] @ self.dof_axes[swings]), b)
            turned = rotation.solid_angle(b, p, u)
            off = angles_rad[..., d] - self.limits_rad[d].mean() - turned
            shift_rad[..., d] = turned + 2.0 * np.pi * np.round(off / (2.0 * np.pi))
        return shift_rad

    @cached_property
    def bone_lengths_m(self) -> FloatArray:
        """(N,) distance of each joint from its parent at rest; the root's is its height above the ground."""
        return read_only(np.linalg.norm(self.offsets_m, axis=1), len(self.names))

    @cached_property
    def digest(self) -> str:
        """16 hex digits that change when a name, a parent or a rest offset (to 0.01 mm) changes."""
        text = repr((self.names, self.parents, np.round(self.offsets_m, 5).tolist()))
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()

    def index(self, joint: str) -> int:
        """Index of a joint by its name; ValueError when there is none."""
        return self.names.index(joint)

    def with_offsets(self, offsets_m: ArrayLike) -> Skeleton:
        """The same tree with other rest offsets (N, 3)."""
        return replace(self, offsets_m=np.asarray(offsets_m, dtype=np.float64))

    def with_bone_lengths(self, lengths_m: ArrayLike) -> Skeleton:
        """The same tree and bone directions with other bone lengths (N,); NaN keeps a bone's length."""
        lengths_m = np.asarray(lengths_m, dtype=np.float64)
        ratio = np.where(np.isfinite(lengths_m), lengths_m, self.bone_lengths_m) / np.maximum(self.bone_lengths_m, 1e-9)
        return self.with_offsets(self.offsets_m * ratio[:, None])

    def scaled(self, factor: float) -> Skeleton:
        """The same skeleton, every length multiplied."""
        return self.with_offsets(self.offsets_m * factor)

    def joint_rotations(self, angles_rad: ArrayLike, root_wxyz: ArrayLike) -> FloatArray:
        """Angles (..., D) and the root's world rotation (..., 4) to local rotations (..., N, 4)."""
        angles_rad = np.asarray(angles_rad, dtype=np.float64)
        vectors = angles_rad[..., None] * self.dof_axes  # (..., D, 3)
        swing, twist = np.zeros((2, *angles_rad.shape[:-1], len(self.names), 3))
        for d, joint in enumerate(self.dof_joints):
            (twist if self.dof_is_twist[d] else swing)[..., joint, :] += vectors[..., d, :]
        local = rotation.multiply(rotation.exp(swing), rotation.exp(twist))
        local[..., 0, :] = root_wxyz
        return local

    def angles_rad(self, rotations_wxyz: ArrayLike) -> FloatArray:
        """Local rotations (..., N, 4) to angles (..., D): undoes joint_rotations; what a joint cannot do is left away."""
        local = np.asarray(rotations_wxyz, dtype=np.float64)
        if not self.dofs:
            return np.zeros((*local.shape[:-2], 0))
        axes, twists, swing = self.dof_axes, self.dof_is_twist, local.copy()
        joints = self.dof_joints[twists]
        swing[..., joints, :], twist = rotation.swing_twist(local[..., joints, :], axes[twists])
        vectors = rotation.log(swing)[..., self.dof_joints, :]  # (..., D, 3)
        vectors[..., twists, :] = rotation.log(twist)
        return np.sum(vectors * axes, axis=-1)

    def world_rotations(self, rotations_wxyz: ArrayLike) -> FloatArray:
        """Local rotations (..., N, 4) to each joint's rotation in the world (..., N, 4)."""
        world = np.array(rotations_wxyz, dtype=np.float64)
        for child, parent in enumerate(self.parents[1:], start=1):
            world[..., child, :] = rotation.multiply(world[..., parent, :], world[..., child, :])
        return world

    def positions_m(self, root_m: ArrayLike, rotations_wxyz: ArrayLike) -> FloatArray:
        """Forward kinematics: root position (..., 3) and local rotations (..., N, 4) to joint positions (..., N, 3), world."""
        world = self.world_rotations(rotations_wxyz)
        positions = np.zeros((*world.shape[:-1], 3))
        positions[..., 0, :] = root_m
        for child, parent in enumerate(self.parents[1:], start=1):
            positions[..., child, :] = positions[..., parent, :] + rotation.rotate(world[..., parent, :], self.offsets_m[child])
        return positions


_X, _Y, _Z = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)

# Rest positions of the reference skeleton (metres, left side): segment fractions of stature from
# Winter 2009, "Biomechanics and Motor Control of Human Movement", fig. 4.1, times 1.70 m.
_CENTRE: list[tuple[str, str | None, tuple[float, float, float]]] = [
    ("pelvis", None, (0.0, 0.901, 0.0)),
    ("spine", "pelvis", (0.0, 1.010, 0.0)),
    ("chest", "spine", (0.0, 1.150, 0.0)),
    ("neck", "chest", (0.0, 1.400, 0.0)),
    ("head", "neck", (0.0, 1.490, 0.015)),
]
_LEFT: list[tuple[str, str, tuple[float, float, float]]] = [
    ("clavicle", "chest", (0.025, 1.375, 0.0)),
    ("shoulder", "clavicle", (0.175, 1.390, 0.0)),
    ("elbow", "shoulder", (0.491, 1.390, 0.0)),
    ("wrist", "elbow", (0.739, 1.390, 0.0)),
    ("hand", "wrist", (0.829, 1.390, 0.0)),
    ("hip", "pelvis", (0.090, 0.901, 0.0)),
    ("knee", "hip", (0.090, 0.485, 0.0)),
    ("ankle", "knee", (0.090, 0.066, 0.0)),
    ("heel", "ankle", (0.090, 0.0, -0.050)),
    ("toe", "ankle", (0.090, 0.0, 0.160)),
]

# Ranges of motion: American Academy of Orthopaedic Surgeons 1965, "Joint Motion: Method of Measuring and Recording",
# widened by about 10 degrees because athletes exceed the clinical norm. Signs are for the left side.
_CENTRE_DOFS = [
    Dof("spine", "flexion", _X, False, -25, 55),
    Dof("spine", "side_bend", _Z, False, -30, 30),
    Dof("spine", "rotation", _Y, True, -30, 30),
    Dof("chest", "flexion", _X, False, -25, 45),
    Dof("chest", "side_bend", _Z, False, -30, 30),
    Dof("chest", "rotation", _Y, True, -35, 35),
    Dof("neck", "flexion", _X, False, -45, 45),
    Dof("neck", "side_bend", _Z, False, -35, 35),
    Dof("head", "flexion", _X, False, -40, 40),
    Dof("head", "side_bend", _Z, False, -30, 30),
    Dof("head", "rotation", _Y, True, -85, 85),
]
_LEFT_DOFS = [
    Dof("clavicle", "protraction", _Y, False, -35, 30),
    Dof("clavicle", "elevation", _Z, False, -15, 45),
    Dof("shoulder", "horizontal", _Y, False, -145, 60),
    Dof("shoulder", "elevation", _Z, False, -115, 105),
    Dof("shoulder", "rotation", _X, True, -100, 100),
    Dof("elbow", "flexion", _Y, False, -155, 5),
    Dof("elbow", "pronation", _X, True, -100, 100),
    Dof("wrist", "deviation", _Y, False, -35, 45),
    Dof("wrist", "flexion", _Z, False, -85, 85),
    Dof("hip", "flexion", _X, False, -135, 40),
    Dof("hip", "abduction", _Z, False, -40, 70),
    Dof("hip", "rotation", _Y, True, -60, 60),
    Dof("knee", "flexion", _X, False, -5, 160),
    Dof("ankle", "flexion", _X, False, -40, 65),
    Dof("ankle", "inversion", _Z, False, -40, 40),
]

# The range of the shoulder's rotation is that of the arm stretched sideways, and moves as the arm is carried from where the joint
# rests: 55 degrees of abduction, 30 before the frontal plane (Magee, "Orthopedic Physical Assessment": loose packed position).
_ABDUCTED, _FORWARD = np.radians(55.0), np.radians(30.0)
_RESTING = float(np.sin(_ABDUCTED) * np.cos(_FORWARD)), float(-np.cos(_ABDUCTED)), float(np.sin(_ABDUCTED) * np.sin(_FORWARD))
_CARRIED_FROM = {"left_shoulder": _RESTING, "right_shoulder": (_RESTING[0], -_RESTING[1], -_RESTING[2])}
"""Where the twist's axis points then; the right arm lies on its other end."""

# Where BlazePose-style landmarks sit on the reference skeleton (left side; mirrored for the right).
_CENTRE_MARKERS = {"nose": Marker("head", (0.0, 0.055, 0.105)), "head_top": Marker("head", (0.0, 0.210, -0.015))}
_LEFT_MARKERS = {
    "eye_inner": Marker("head", (0.016, 0.085, 0.090)),
    "eye": Marker("head", (0.032, 0.085, 0.085)),
    "eye_outer": Marker("head", (0.046, 0.085, 0.078)),
    "ear": Marker("head", (0.075, 0.065, 0.0)),
    "mouth": Marker("head", (0.024, 0.012, 0.090)),
    "thumb": Marker("wrist", (0.055, -0.010, 0.045)),
    "index": Marker("wrist", (0.090, 0.0, 0.025)),
    "pinky": Marker("wrist", (0.080, 0.0, -0.030)),
    "foot_index": Marker("toe", (0.0, 0.0, 0.0)),
}


def _mirrored_dof(dof: Dof, side: str) -> Dof:
    """The right side moves as the left seen in the mirror x -> -x: rotations about y and z change their sign."""
    if side == "left" or dof.axis == _X:
        return dof._replace(joint=f"{side}_{dof.joint}")
    return dof._replace(joint=f"{side}_{dof.joint}", lower_deg=-dof.upper_deg, upper_deg=-dof.lower_deg)


def _build_reference() -> Skeleton:
    joints: list[tuple[str, str | None, FloatArray]] = [(n, p, np.array(x)) for n, p, x in _CENTRE]
    for side, sign in (("left", 1.0), ("right", -1.0)):
        for name, parent, position in _LEFT:
            parent_name = parent if any(parent == row[0] for row in _CENTRE) else f"{side}_{parent}"
            joints.append((f"{side}_{name}", parent_name, np.array(position) * [sign, 1.0, 1.0]))
    names = tuple(name for name, _, _ in joints)
    parents = tuple(-1 if parent is None else names.index(parent) for _, parent, _ in joints)
    positions = np.array([position for _, _, position in joints])
    from_m = np.where(np.array(parents)[:, None] >= 0, positions[list(parents)], 0.0)
    dofs = (*_CENTRE_DOFS, *(_mirrored_dof(dof, side) for side in ("left", "right") for dof in _LEFT_DOFS))
    return Skeleton(names, parents, positions - from_m, dofs)


def _build_markers(skeleton: Skeleton) -> dict[str, Marker]:
    markers = {name: Marker(name, (0.0, 0.0, 0.0)) for name in skeleton.names} | _CENTRE_MARKERS
    for name, (joint, (x, y, z)) in _LEFT_MARKERS.items():
        sided = joint == "head"
        markers[f"left_{name}"] = Marker(joint if sided else f"left_{joint}", (x, y, z))
        markers[f"right_{name}"] = Marker(joint if sided else f"right_{joint}", (-x, y, z))
    return markers | {"mouth_left": markers["left_mouth"], "mouth_right": markers["right_mouth"]}


REFERENCE = _build_reference()
"""The native skeleton of a 1.70 m person: 25 joints."""

MARKERS = _build_markers(REFERENCE)
"""Keypoint name to the point of the native skeleton that it means. A method's keypoint outside this table is not fitted."""


def for_height(height_m: float) -> Skeleton:
    """The reference skeleton scaled to a stature in metres."""
    return REFERENCE.scaled(height_m / REFERENCE_HEIGHT_M)
