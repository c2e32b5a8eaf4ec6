"""A take beside a reference as pose samples: the same motions as the table of takes, with every group and all 17 joints."""

from __future__ import annotations

import numpy as np

from posewire.data import FloatArray
from posewire.evaluate.motions import Motion, Reference, nearest_rows
from posewire.evaluate.poses.samples import PoseSamples
from posewire.metrics import seen_points
from posewire_data.joints import JOINTS, ROOT, root_relative, with_middles


def of_motion(motion: Motion, reference: Reference) -> PoseSamples:
    """Frame by frame by media time. Pixels and the way up are not known here: no 2D PCK and no foot slide."""
    time_s = reference.motion.time_s
    rows, met = nearest_rows(motion.time_s, time_s)
    said_m = _universal(motion)[rows]
    said_m[~met] = np.nan
    true_m = _universal(reference.motion)
    unknown = np.full((*true_m.shape[:2], 2), np.nan)
    return PoseSamples(
        said_m=np.asarray(root_relative(said_m), dtype=np.float64),
        true_m=np.asarray(root_relative(true_m), dtype=np.float64),
        root_m=true_m[:, ROOT],
        R_world_camera=np.full((len(time_s), 3, 3), np.nan),
        time_s=time_s,
        stretches=np.zeros(len(time_s), dtype=np.int64),
        sequences=np.full(len(time_s), reference.name),
        activities=np.full(len(time_s), ""),
        seen=np.ones(true_m.shape[:2], dtype=np.bool_),
        matched=np.asarray(seen_points(said_m).any(axis=1), dtype=np.bool_),
        said_px=unknown,
        true_px=unknown,
    )


def _universal(motion: Motion) -> FloatArray:
    """(T, 17, 3) by name; NaN for a joint that the motion does not have. The pelvis is the middle of the hips."""
    positions_m = np.full((len(motion.time_s), len(JOINTS), 3), np.nan)
    for j, name in enumerate(JOINTS):
        if name in motion.joint_names and j != ROOT:
            positions_m[:, j] = motion.positions_m[:, motion.joint_names.index(name)]
    return np.asarray(with_middles(positions_m), dtype=np.float64)
