"""Pictures with 2D joints as training crops: nothing is known of their depth, so they teach the heatmaps only.

The layout is that of `posewire eval --images` (docs/METRICS.md), for instance Leeds Sports Pose Extended.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from posewire import camera as cameras
from posewire.data import Frame
from posewire.evaluate.stills import open_stills
from posewire_blazepose.pseudo_labels import as_joints
from posewire_synth.layers import OUTSIDE, VISIBLE
from posewire_vnect.cutting import cut_out
from posewire_vnect.names import JOINTS
from posewire_vnect.shots import Shots

_LEAST_JOINTS = 6
_LEAST_PX = 60
"""Of the longer side of a person's points."""


def crops(path: Path, numbers: range | None, rng: np.random.Generator) -> Iterator[Shots]:
    """One crop of each picture of a folder or tar file whose person is large enough and labelled enough.

    Args:
        path: The folder or tar file, with its joints.npz.
        numbers: Only these, by the number in the file name; None = all.
        rng: Source of chance.
    """
    stills = open_stills(path, numbers=numbers)
    for still in stills:
        frame = Frame(still.image, 0.0, 0, cameras.assumed(still.image.shape[1], still.image.shape[0]))
        points_px = as_joints(still.points_px, JOINTS, stills.joint_names)
        known = np.isfinite(points_px).all(-1)
        if known.sum() < _LEAST_JOINTS or np.ptp(points_px[known], axis=0).max() < _LEAST_PX:
            continue
        yield cut_out(frame, points_px, np.full((len(JOINTS), 3), np.nan), np.where(known, VISIBLE, OUTSIDE), rng)
