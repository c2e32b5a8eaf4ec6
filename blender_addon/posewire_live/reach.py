# SPDX-License-Identifier: GPL-3.0-or-later
"""Hands and feet to where the person's are, whatever the character's proportions: two-bone inverse kinematics.

Works on rotations in the world from rest, so it serves any rig that rotations lead. A limb has the joints a, b, c (hip,
knee, ankle) and the target T of c:

    bend      turn about the limb's own axis at b until |c - a| = |T - a|   (law of cosines)
    swing     the shortest turn about a that brings c onto T

The bone beyond c keeps its orientation in the world: a foot that was flat stays flat. Out of reach, the limb is stretched
towards T.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from . import rotation
from .retarget import Driven

LIMBS = {
    "left_ankle": ("left_hip", "left_knee", "left_ankle"),
    "right_ankle": ("right_hip", "right_knee", "right_ankle"),
    "left_wrist": ("left_shoulder", "left_elbow", "left_wrist"),
    "right_wrist": ("right_shoulder", "right_elbow", "right_wrist"),
}
"""By the joint that reaches: its limb."""
_TINY_M = 1e-5


@dataclass(frozen=True)
class Limb:
    """The rows of one limb among the driven bones."""

    a: int
    b: int
    c: int
    upper: np.ndarray
    """Rows that turn with the upper part."""
    lower: np.ndarray
    """Rows that turn with the lower part."""
    axis: np.ndarray
    """(3,) about which b bends, unit, in the character's rest pose."""


class Body:
    """Places of a character's driven bones, and its limbs."""

    def __init__(self, driven: Driven, alignments_wxyz: np.ndarray) -> None:
        self._root = driven.root
        self._parents = driven.parents
        self._offsets_m = np.array(
            [
                x - driven.positions_m[p] if p >= 0 else np.zeros(3)
                for x, p in zip(driven.positions_m, driven.parents, strict=True)
            ]
        )
        joints = [bone.joint for bone in driven.bones]
        first = {joint: row for row, joint in reversed(list(enumerate(joints))) if joint and not driven.bones[row].placed}
        self.limbs = {
            end: _limb(names, first, joints, alignments_wxyz)
            for end, names in LIMBS.items()
            if all(name in first for name in names)
        }

    def places_m(self, W: np.ndarray, root_m: np.ndarray) -> np.ndarray:
        """(K, 3) heads in the world, from the rotations from rest (K, 4) and the place of the root bone."""
        turned = rotation.rotate(W[list(self._parents)], self._offsets_m)
        places = np.empty_like(turned)
        for row, parent in enumerate(self._parents):
            places[row] = places[parent] + turned[row] if parent >= 0 else 0.0
        return places + (root_m - places[self._root])

    def reach(self, W: np.ndarray, root_m: np.ndarray, targets_m: Mapping[str, np.ndarray]) -> None:
        """Turns the limbs in W (K, 4) so that their ends come to their targets."""
        places = self.places_m(W, root_m)
        for end, target in targets_m.items():
            limb = self.limbs.get(end)
            if limb is not None:
                _reach(W, limb, places[limb.a], places[limb.b], places[limb.c], target)


_KNEE, _LEFT_ELBOW, _RIGHT_ELBOW = np.array([1.0, 0.0, 0.0]), np.array([0.0, -1.0, 0.0]), np.array([0.0, 1.0, 0.0])
"""About which the joint bends in the native rest pose."""


def _limb(names: tuple[str, str, str], first: Mapping[str, int], joints: list[str | None], C: np.ndarray) -> Limb:
    upper, lower = (np.array([row for row, joint in enumerate(joints) if joint == name]) for name in names[:2])
    native = _KNEE if names[1].endswith("knee") else _LEFT_ELBOW if names[1].startswith("left") else _RIGHT_ELBOW
    axis = rotation.rotate(rotation.inverse(C[first[names[0]]]), native)
    a, b, c = (first[name] for name in names)
    return Limb(a, b, c, upper, lower, axis)


def _reach(W: np.ndarray, limb: Limb, a: np.ndarray, b: np.ndarray, c: np.ndarray, target: np.ndarray) -> None:
    upper_m, lower_m = float(np.linalg.norm(b - a)), float(np.linalg.norm(c - b))
    wish_m = float(np.linalg.norm(target - a))
    if min(upper_m, lower_m, wish_m) < _TINY_M:
        return
    wish_m = min(max(wish_m, abs(upper_m - lower_m) + _TINY_M), upper_m + lower_m - _TINY_M)
    axis = _bend_axis(W, limb, a, b, c)
    have, want = _angle(a - b, c - b), np.arccos(_cosine(upper_m, lower_m, wish_m))
    bend = rotation.about(axis, have - want)
    reached = b + rotation.rotate(bend, c - b)
    swing = rotation.between(reached - a, target - a)
    W[limb.upper] = rotation.multiply(swing[None], W[limb.upper])
    W[limb.lower] = rotation.multiply(rotation.multiply(swing, bend)[None], W[limb.lower])


def _bend_axis(W: np.ndarray, limb: Limb, a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """(3,) unit; of a limb that is almost straight the axis that the anatomy has."""
    axis = np.cross(b - a, c - b)
    length = float(np.linalg.norm(axis))
    if length > 1e-3 * np.linalg.norm(b - a) * np.linalg.norm(c - b):
        return axis / length
    along = (c - a) / max(float(np.linalg.norm(c - a)), _TINY_M)
    axis = rotation.rotate(W[limb.a], limb.axis)
    axis = axis - (axis @ along) * along
    return axis / max(float(np.linalg.norm(axis)), _TINY_M)


def _cosine(p: float, q: float, opposite: float) -> float:
    return float(np.clip((p * p + q * q - opposite * opposite) / (2 * p * q), -1.0, 1.0))


def _angle(u: np.ndarray, v: np.ndarray) -> float:
    return float(np.arctan2(np.linalg.norm(np.cross(u, v)), u @ v))


class FootLock:
    """Holds a foot over the ground where it came down, as long as the engine says that it touches.

    Args:
        scale: The character's size over the person's.
    """

    def __init__(self, scale: float) -> None:
        self._time_s = 0.0
        self._farthest_m = scale * _FARTHEST_M
        self._anchors: dict[str, np.ndarray] = {}
        self._offsets = {"left_ankle": np.zeros(3), "right_ankle": np.zeros(3)}

    def __call__(self, time_s: float, contacts: np.ndarray, targets_m: dict[str, np.ndarray]) -> None:
        """Moves the ankles' targets; contacts (4,) as in the stream."""
        fade = float(np.exp(-max(0.0, time_s - self._time_s) / _RELEASE_S))
        self._time_s = time_s
        for part, ankle in enumerate(self._offsets):
            touches = bool((np.nan_to_num(contacts[2 * part : 2 * part + 2]) > 0.5).any())
            self._follow(ankle, targets_m[ankle], touches, fade)
            targets_m[ankle] = targets_m[ankle] + self._offsets[ankle]

    def _follow(self, ankle: str, target: np.ndarray, touches: bool, fade: float) -> None:
        if not touches:
            self._anchors.pop(ankle, None)
            self._offsets[ankle] = fade * self._offsets[ankle]
            return
        anchor = self._anchors.setdefault(ankle, target + self._offsets[ankle])
        offset = (anchor - target) * _OVER_GROUND
        if np.linalg.norm(offset) > self._farthest_m:
            self._anchors.pop(ankle)
        else:
            self._offsets[ankle] = offset


_RELEASE_S = 0.1
"""A foot that has left the ground comes back to its way within about this time."""
_FARTHEST_M = 0.3
"""A foot that would be held farther off than this was never really down; at the size of a person."""
_OVER_GROUND = np.array([1.0, 0.0, 1.0])
