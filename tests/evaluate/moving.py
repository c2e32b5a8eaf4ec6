"""A recording of a walk on the spot, exported by Posewire itself, so that no file of anybody else is needed."""

from __future__ import annotations

from pathlib import Path

import actor
import numpy as np

from posewire import rotation
from posewire.data import SkeletonPose, Track
from posewire.skeleton import REFERENCE
from posewire.take import Take, TakeFrame, TakeHeader, TakeWriter, export

FPS, SECONDS = 60.0, 1.6


def walking_bvh(folder: Path) -> tuple[Path, np.ndarray]:
    """The file, and its joints (T, N, 3) in metres."""
    time_s = np.arange(round(FPS * SECONDS)) / FPS
    angles = actor.angles_at(time_s)
    root_m = np.array([0.0, 0.9, 0.0]) + 0.2 * time_s[:, None] * [0.0, 0.0, 1.0]
    local = REFERENCE.joint_rotations(angles, np.broadcast_to(rotation.exp([0.0, 0.6, 0.0]), (len(time_s), 4)))
    positions_m = REFERENCE.positions_m(root_m, local)
    with TakeWriter(folder / "walk.pwt", TakeHeader("made up", "none", ("nose",))) as writer:
        for k, t in enumerate(time_s.tolist()):
            numbers = (np.ones(len(REFERENCE.names)), np.full(4, np.nan))
            pose = SkeletonPose(0, t, root_m[k], angles[k], local[k], positions_m[k], *numbers, {})
            track = Track(0, np.zeros((1, 2)), np.ones(1), np.zeros(4), np.zeros((1, 3)))
            writer.add_frame(TakeFrame(t, k, 0, actor.VIEW, (track,), (pose,), {0: REFERENCE}))
    export(Take.open(folder / "walk.pwt"), folder / "walk.bvh")
    return folder / "walk.bvh", positions_m
