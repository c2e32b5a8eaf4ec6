"""Where things are on the mean body: limb coordinates, the hairline, landmarks and which bone carries them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posewire_synth.makehuman import BaseMesh, Rig, joint_cube
from posewire_synth.points import POINTS

FloatArray = NDArray[np.floating[Any]]
IntArray = NDArray[np.int64]

_ARM = ("Arm", "ForeArm", "Hand", "HandFinger1", "FingerBase", "Thumb")
_LEG = ("UpLeg", "Leg", "Foot", "ToeBase")


@dataclass(frozen=True, slots=True, eq=False)
class Landmarks:
    """Every label point as an average of base vertices, carried by one bone."""

    average: FloatArray
    """(J, V) rows sum to 1."""
    bone: IntArray
    """(J,) index into the rig."""


def landmarks(mesh: BaseMesh, rig: Rig, mean_m: FloatArray) -> Landmarks:
    """The label points in the order of points.POINTS; extremes (nose tip, heel, crown, ears) are picked on the mean body."""
    places = _centre(mesh, rig, mean_m) | _sides(mesh, rig, mean_m)
    return Landmarks(
        np.array([places[name][0] for name in POINTS]), np.array([rig.names.index(places[name][1]) for name in POINTS])
    )


def _head(rig: Rig, name: str) -> FloatArray:
    return rig.heads[rig.names.index(name)]


def _centre(mesh: BaseMesh, rig: Rig, mean_m: FloatArray) -> dict[str, tuple[FloatArray, str]]:
    hips = (_head(rig, "LeftUpLeg") + _head(rig, "RightUpLeg")) / 2
    shoulders = (_head(rig, "LeftArm") + _head(rig, "RightArm")) / 2
    neck = 0.65 * _head(rig, "Neck") + 0.35 * shoulders
    skull = _vertices(mesh, "body", mean_m, lambda x: x[:, 1] > (rig.heads @ mean_m)[rig.names.index("Head"), 1])
    return {
        "pelvis": (hips, "Hips"),
        "spine": (0.78 * hips + 0.22 * neck, "LowerBack"),
        "chest": (0.5 * hips + 0.5 * neck, "Spine"),
        "neck": (neck, "Spine1"),
        "head": (_head(rig, "Head"), "Neck1"),
        "head_top": (_one(mean_m, skull, (0, 1, 0)), "Head"),
        "nose": (_one(mean_m, skull, (0, 0, 1)), "Head"),
    }


def _sides(mesh: BaseMesh, rig: Rig, mean_m: FloatArray) -> dict[str, tuple[FloatArray, str]]:
    places: dict[str, tuple[FloatArray, str]] = {}
    joints_m = rig.heads @ mean_m
    for side, prefix, letter, sign in (("left", "Left", "l", 1.0), ("right", "Right", "r", -1.0)):
        bones = {"clavicle": "Shoulder", "shoulder": "Arm", "elbow": "ForeArm", "wrist": "Hand"}
        bones |= {"hip": "UpLeg", "knee": "Leg", "ankle": "Foot"}
        for name, bone in bones.items():
            places[f"{side}_{name}"] = (_head(rig, prefix + bone), prefix + bone)
        ankle_y = joints_m[rig.names.index(f"{prefix}Foot"), 1]
        foot = _vertices(mesh, "body", mean_m, lambda x, s=sign, y=ankle_y: (x[:, 1] < y) & (x[:, 0] * s > 0))
        ear_y = joints_m[rig.names.index("Head"), 1]
        skull = _vertices(mesh, "body", mean_m, lambda x, s=sign, y=ear_y: (x[:, 1] > y - 0.02) & (x[:, 0] * s > 0))
        places[f"{side}_hand"] = (joint_cube(mesh, f"{letter}-finger-3-1"), f"{prefix}Hand")
        places[f"{side}_heel"] = (_one(mean_m, foot, (0, -0.3, -1)), f"{prefix}Foot")
        places[f"{side}_toe"] = (joint_cube(mesh, f"{letter}-toe-1-3"), f"{prefix}ToeBase")
        places[f"{side}_eye"] = (joint_cube(mesh, f"{letter}-eye"), "Head")
        places[f"{side}_ear"] = (_one(mean_m, skull, (sign, 0, 0)), "Head")
    return places


def _vertices(mesh: BaseMesh, group: str, mean_m: FloatArray, chosen: Callable[[FloatArray], NDArray[np.bool_]]) -> IntArray:
    """The vertices of a group whose places (V, 3) on the mean body are `chosen`."""
    used = np.unique(mesh.groups[group])
    return used[chosen(mean_m[used])]


def _one(mean_m: FloatArray, among: IntArray, direction: tuple[float, float, float]) -> FloatArray:
    row = np.zeros(len(mean_m))
    row[among[np.argmax(mean_m[among] @ np.array(direction))]] = 1.0
    return row


def limb_coordinates(rig: Rig, mean_m: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Arm and leg coordinate of every base vertex (V,): 0 at shoulder or hip, 1 at elbow or knee, 2 at wrist or ankle, up to 3
    at the tip; negative on the trunk."""
    arm, leg = np.full(len(mean_m), -1.0), np.full(len(mean_m), -1.0)
    for side, thumb in (("Left", "L"), ("Right", "R")):
        arm_bones = [f"{thumb}Thumb" if bone == "Thumb" else side + bone for bone in _ARM]
        arm = np.maximum(arm, _along(rig, mean_m, arm_bones, ("Arm", "ForeArm", "Hand", "HandFinger1"), side))
        leg = np.maximum(leg, _along(rig, mean_m, [side + bone for bone in _LEG], ("UpLeg", "Leg", "Foot", "ToeBase"), side))
    return arm, leg


def _along(rig: Rig, mean_m: FloatArray, bones: list[str], chain: tuple[str, ...], side: str) -> FloatArray:
    share = rig.weights[:, [rig.names.index(bone) for bone in bones]].sum(axis=1)
    corners = np.array([rig.heads[rig.names.index(side + bone)] @ mean_m for bone in chain])
    nearest, value = np.full(len(mean_m), np.inf), np.zeros(len(mean_m))
    for i, (a, b) in enumerate(itertools.pairwise(corners)):
        t = (mean_m - a) @ (b - a) / float((b - a) @ (b - a))
        distance = np.linalg.norm(mean_m - a - np.clip(t, 0, 1)[:, None] * (b - a), axis=1)
        closer = distance < nearest
        value[closer], nearest[closer] = i + np.clip(t[closer], 0, 1), distance[closer]
    return np.where(share > 0.5, np.maximum(value, 0.01), 0.6 * (share - 0.5))


def hair_field(mean_m: FloatArray, eyes_m: FloatArray, crown_m: FloatArray) -> FloatArray:
    """(V,) metres above the hairline (positive where hair grows) of vertices of the head.

    The line runs high over the forehead, before the ears at eye height, and down to the nape.
    """
    x = mean_m - eyes_m.mean(axis=0)
    half = float(crown_m[1] - eyes_m[:, 1].mean())  # eye to crown
    line_y = np.interp(-x[:, 2], [-0.02, 0.02, 0.06, 0.10, 0.16], np.array([0.62, 0.55, 0.0, -0.45, -0.75]) * half)
    return x[:, 1] - line_y
