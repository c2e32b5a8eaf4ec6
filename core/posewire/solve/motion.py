"""One person over a stretch of time as arrays: what the two fits say, what they are merged to, what is smoothed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from posewire.data import FloatArray, SkeletonPose
from posewire.skeleton import Skeleton


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """R frames of one person on N joints."""

    time_s: FloatArray
    """(R,) increasing."""
    root_m: FloatArray
    """(R, 3) world; NaN where there is no pose."""
    rotations_wxyz: FloatArray
    """(R, N, 4) parent-relative; NaN where there is no pose."""
    contacts: FloatArray
    """(R, 4) NaN = not estimated."""
    confidence: FloatArray
    """(R, N)"""

    @property
    def known(self) -> NDArray[np.bool_]:
        """(R,) where there is a pose."""
        return np.asarray(np.isfinite(self.root_m).all(axis=1), dtype=np.bool_)


def from_poses(time_s: FloatArray, poses: Sequence[SkeletonPose | None], joints: int) -> Motion:
    """Poses, or None, at times (R,)."""
    rows = len(poses)
    root_m, rotations_wxyz = np.full((rows, 3), np.nan), np.full((rows, joints, 4), np.nan)
    contacts, confidence = np.full((rows, 4), np.nan), np.zeros((rows, joints))
    for row, pose in enumerate(poses):
        if pose is not None:
            root_m[row], rotations_wxyz[row] = pose.root_m, pose.rotations_wxyz
            contacts[row], confidence[row] = pose.contacts, pose.confidence
    return Motion(time_s, root_m, rotations_wxyz, contacts, confidence)


def poses(person_id: int, motion: Motion, skeleton: Skeleton) -> list[SkeletonPose | None]:
    """The motion as poses of the skeleton: rotations, angles and positions all say the same."""
    known = motion.known
    rotations_wxyz = np.where(known[:, None, None], motion.rotations_wxyz, [1.0, 0.0, 0.0, 0.0])
    angles = skeleton.angles_rad(rotations_wxyz)
    rotations_wxyz = skeleton.joint_rotations(angles, rotations_wxyz[:, 0])
    positions_m = skeleton.positions_m(motion.root_m, rotations_wxyz)
    values = zip(
        *(motion.root_m, angles, rotations_wxyz, positions_m, np.clip(motion.confidence, 0.0, 1.0), motion.contacts), strict=True
    )
    times_s = motion.time_s.tolist()
    return [
        SkeletonPose(person_id, t, *row) if is_known else None for t, row, is_known in zip(times_s, values, known, strict=True)
    ]
