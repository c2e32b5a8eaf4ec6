"""What BlazePose's points are in another method's joints: how trainings read its answers on real footage as labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from posewire.data import FloatArray
from posewire_blazepose.names import KEYPOINT_NAMES

_MIDDLES: dict[str, tuple[str, ...]] = {
    "pelvis": ("left_hip", "right_hip"),
    "neck": ("left_shoulder", "right_shoulder"),
    "chest": ("left_hip", "right_hip", "left_shoulder", "right_shoulder"),
    **{f"{side}_hand": (f"{side}_index", f"{side}_pinky") for side in ("left", "right")},
    **{f"{side}_toe": (f"{side}_foot_index",) for side in ("left", "right")},
}
"""Joints that BlazePose has under other names or in between; posewire_synth defines neck and chest as the same middles."""


def as_joints(said: FloatArray, joints: Sequence[str]) -> FloatArray:
    """BlazePose's (..., 33, C) as (..., len(joints), C); NaN = it has no such joint.

    Args:
        said: Points or confidences in the order of KEYPOINT_NAMES.
        joints: Names of the joints that are wanted.
    """
    out = np.full((*said.shape[:-2], len(joints), said.shape[-1]), np.nan)
    for joint, name in enumerate(joints):
        parts = _MIDDLES.get(name, (name,))
        if all(part in KEYPOINT_NAMES for part in parts):
            out[..., joint, :] = said[..., [KEYPOINT_NAMES.index(part) for part in parts], :].mean(axis=-2)
    return out
