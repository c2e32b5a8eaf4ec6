# SPDX-License-Identifier: GPL-3.0-or-later
"""The inverse kinematics that a rig brings itself (Rigify's): where its hand, foot and pole controls must be.

A limb has the joints a, b, c (hip, knee, ankle) and W, the rotations from rest. The control of its end stands in the same
way to c as at rest; the pole lies before b, in the plane of the limb, as far from it as at rest:

    control    p_c + W_c (control at rest - c at rest),  turned by W_c
    pole       p_b + |pole at rest - b at rest| u        u = unit vector across the limb, towards where it bends

The rig's own solver then shows the limb as the rotations would. Where the artist asks hands and feet to reach the
person's, p_c is that place itself, and a rig that may stretch does so.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from . import rotation
from .mapping import Rig
from .reach import LIMBS, Body
from .retarget import Driven

FK, IK, BOTH = "FK", "IK", "BOTH"
_STRAIGHT = 0.005
"""A limb that bends by less than about this share of its length takes its plane from the anatomy: a plane seen in a
nearly straight one would jump. It moves the elbow of a bent limb by at most as much."""


@dataclass(frozen=True)
class IkControl:
    """The two controls of one limb."""

    end: str
    """The native joint that it leads, a key of LIMBS."""
    control: str
    pole: str
    replaces: tuple[str, ...]
    """The controls of forward kinematics that turn this limb."""


def find(rig: Rig, matched: Mapping[str, str], there: Collection[str]) -> tuple[IkControl, ...]:
    """The inverse kinematics beside a Rigify's matched forward kinematics: hand_fk.L has hand_ik.L."""
    by_joint: dict[str, list[str]] = {}
    for bone in rig.bones:
        if bone.joint is not None and bone.name in matched:
            by_joint.setdefault(bone.joint, []).append(matched[bone.name])
    found: list[IkControl] = []
    for end, joints in LIMBS.items():
        if all(joint in by_joint for joint in joints):
            control, pole = by_joint[end][0].replace("_fk", "_ik"), by_joint[joints[0]][0].replace("_fk", "_ik_target")
            if {control, pole} <= set(there) and control != by_joint[end][0]:
                found.append(IkControl(end, control, pole, tuple(name for joint in joints for name in by_joint[joint])))
    return tuple(found)


class Controls:
    """Places and turns of a character's IK controls, from pose to pose.

    Args:
        rest_m: By control: (3,) head at rest, model axes.
    """

    def __init__(self, body: Body, driven: Driven, controls: Sequence[IkControl], rest_m: Mapping[str, np.ndarray]) -> None:
        self._ends = [one.end for one in controls]
        limbs = [body.limbs[end] for end in self._ends]
        self._a, self._b, self._c = (np.array([getattr(limb, joint) for limb in limbs]) for joint in "abc")  # each (L,)
        self._hinges = np.array([limb.axis for limb in limbs])  # (L, 3)
        at_rest_m = driven.positions_m
        self._from_end_m = np.array([rest_m[one.control] for one in controls]) - at_rest_m[self._c]
        to_pole_m = np.array([rest_m[one.pole] for one in controls]) - at_rest_m[self._b]
        self._to_pole_m = np.linalg.norm(to_pole_m, axis=1)[:, None]  # (L, 1)

    def __call__(self, W: np.ndarray, places_m: np.ndarray, targets_m: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Places (2 L, 3), each end's control before its pole, and turns from rest (L, 4) of the ends; model axes."""
        a, b, c = places_m[self._a], places_m[self._b], places_m[self._c]
        for row, end in enumerate(self._ends):
            c[row] = targets_m.get(end, c[row])
        turns = W[self._c]
        poles = b + self._to_pole_m * _across(a, b, c, rotation.rotate(W[self._a], self._hinges))
        return np.stack([c + rotation.rotate(turns, self._from_end_m), poles], axis=1).reshape(-1, 3), turns


def _across(a: np.ndarray, b: np.ndarray, c: np.ndarray, hinges: np.ndarray) -> np.ndarray:
    """(L, 3) unit, across the lines from a to c, towards where the limbs bend; also of straight limbs."""
    way = c - a
    length_m = np.maximum(np.linalg.norm(way, axis=1), 1e-9)[:, None]
    along = way / length_m
    seen = (b - a) - np.sum((b - a) * along, axis=1)[:, None] * along
    u = seen + _STRAIGHT * length_m * np.cross(along, hinges)
    return u / np.maximum(np.linalg.norm(u, axis=1), 1e-9)[:, None]
