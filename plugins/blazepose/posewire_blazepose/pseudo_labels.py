"""What BlazePose's points, or labelled ones, are in another method's joints: how trainings read labels of real pictures."""

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
"""Joints that are there under other names or in between. posewire_synth defines neck and chest as the same middles; a neck that
somebody labelled lies higher and is not ours."""


def as_joints(said: FloatArray, joints: Sequence[str], names: Sequence[str] = KEYPOINT_NAMES) -> FloatArray:
    """Points (..., len(names), C) as (..., len(joints), C); NaN = there is no such joint.

    Args:
        said: Points or confidences.
        joints: Names of the joints that are wanted.
        names: Of the points; BlazePose's unless others are told.
    """
    out = np.full((*said.shape[:-2], len(joints), said.shape[-1]), np.nan)
    for joint, name in enumerate(joints):
        parts = _MIDDLES.get(name, (name,))
        if all(part in names for part in parts):
            out[..., joint, :] = said[..., [names.index(part) for part in parts], :].mean(axis=-2)
    return out
