"""The universal skeleton: the 17 points that every dataset and every lifter here speaks in.

Order and meaning follow Human3.6M's 17 joints. A name is Posewire's own where it means the same point, so that a lifter's input
is matched with any method's keypoints by name: Human3.6M's "spine" lies half-way from pelvis to neck, which Posewire calls
`chest`; its face point is the `nose`, which BlazePose sees. BlazePose sees 13 of the 17: all but SELDOM_SEEN.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

JOINTS: tuple[str, ...] = (
    "pelvis",
    "right_hip",
    "right_knee",
    "right_ankle",
    "left_hip",
    "left_knee",
    "left_ankle",
    "chest",
    "neck",
    "nose",
    "head_top",
    "left_shoulder",
    "left_elbow",
    "left_wrist",
    "right_shoulder",
    "right_elbow",
    "right_wrist",
)
"""The J axis of every array of this package. `pelvis` is the middle of the hips, by definition (in 2D: nearly)."""

PARENTS: tuple[int, ...] = (-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 9, 8, 11, 12, 8, 14, 15)
"""Index of each joint's parent, -1 for the root."""

ROOT = JOINTS.index("pelvis")
HIPS = (JOINTS.index("left_hip"), JOINTS.index("right_hip"))

LEFT = tuple(i for i, name in enumerate(JOINTS) if name.startswith("left_"))
RIGHT = tuple(JOINTS.index(JOINTS[i].replace("left_", "right_")) for i in LEFT)
"""LEFT[k] and RIGHT[k] are the same joint of the two sides."""

MIRROR: tuple[int, ...] = tuple(
    JOINTS.index(name.replace("left_", "l_").replace("right_", "left_").replace("l_", "right_")) for name in JOINTS
)
"""Index of each joint's other side; its own for a joint in the middle."""

COMMON_14: tuple[int, ...] = tuple(i for i, name in enumerate(JOINTS) if name not in ("pelvis", "chest", "nose"))
"""The 14 joints that MPI-INF-3DHP, MuPoTS-3D and LSP annotate alike: head top, neck and six pairs of limb joints."""

SELDOM_SEEN: tuple[int, ...] = tuple(JOINTS.index(name) for name in ("pelvis", "chest", "neck", "head_top"))
"""Joints that BlazePose and COCO-style methods do not give."""

JOINT_TYPES: dict[str, tuple[int, ...]] = {
    "head": (JOINTS.index("head_top"), JOINTS.index("nose")),
    "neck": (JOINTS.index("neck"),),
    "torso": (JOINTS.index("chest"),),
    **{
        part: tuple(JOINTS.index(f"{side}_{part}") for side in ("left", "right"))
        for part in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
    },
}
"""Joint type to its joints: the rows of the literature's per-joint tables."""

FloatArray = NDArray[np.floating[Any]]


def mirrored(points: FloatArray) -> FloatArray:
    """Points (..., 17, C) seen in the mirror x -> -x, left and right renamed. C is 2 (normalised image) or 3 (metres)."""
    flipped = points[..., list(MIRROR), :].copy()
    flipped[..., 0] *= -1
    return flipped


def root_relative(points: FloatArray) -> FloatArray:
    """Points (..., 17, C) less the pelvis."""
    return points - points[..., ROOT : ROOT + 1, :]


def with_middles(points: FloatArray) -> FloatArray:
    """Points (..., 17, C) whose unseen pelvis (NaN) is put half-way between the hips, which is what pelvis means."""
    filled = points.copy()
    middle = points[..., list(HIPS), :].mean(axis=-2)
    filled[..., ROOT, :] = np.where(np.isfinite(points[..., ROOT, :]), points[..., ROOT, :], middle)
    return filled
