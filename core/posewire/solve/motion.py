"""One person over a stretch of time as arrays: what the two fits say, what they are merged to, what is smoothed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

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

    def only(self, rows: NDArray[np.bool_]) -> Motion:
        """These frames (R,)."""
        return Motion(*(getattr(self, field.name)[rows] for field in fields(self)))


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


def poses(person_id: int, motion: Motion, skeleton: Skeleton) -> list[SkeletonPose]:
    """The motion, known in every frame, as poses of the skeleton: rotations, angles and positions all say the same."""
    angles = skeleton.angles_rad(motion.rotations_wxyz)
    rotations_wxyz = skeleton.joint_rotations(angles, motion.rotations_wxyz[:, 0])
    positions_m = skeleton.positions_m(motion.root_m, rotations_wxyz)
    confidence = np.clip(motion.confidence, 0.0, 1.0)
    rows = zip(motion.root_m, angles, rotations_wxyz, positions_m, confidence, motion.contacts, strict=True)
    return [SkeletonPose(person_id, t, *row) for t, row in zip(motion.time_s.tolist(), rows, strict=True)]
