"""After a new start the pose that is told goes over to the new one in a moment, instead of jumping.

Only what is told: the memory of the fit is that of the new pose at once. A trunk that stands or looks elsewhere jumps, because
that is another place or person (a cut), and between two headings there is none that is true.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from posewire import rotation
from posewire.data import FloatArray, SkeletonPose
from posewire.skeleton import Skeleton

HANDOVER_S = 0.1
"""How long it takes: at 10 frames a second and less the pose jumps."""
_FARTHEST_M, _FARTHEST_RAD = 1.0, np.radians(120.0)
"""A trunk that is further away, or turned further, jumps."""


@dataclass(frozen=True, slots=True, eq=False)
class Handover:
    """What was told last, and how that differs from the new pose."""

    since_s: float
    """When it was told."""
    away_m: FloatArray
    """(3,) of the root, world axes."""
    turns_wxyz: FloatArray
    """(N, 4) local: the new rotation times this was the old one."""

    def over(self, time_s: float) -> bool:
        """Whether the new pose is told as it is."""
        return time_s - self.since_s > HANDOVER_S * (1.0 - 1e-6)

    def told(self, pose: SkeletonPose, skeleton: Skeleton) -> SkeletonPose:
        """The fitted pose, moved by what is left of the difference: each joint along its shortest way."""
        share = max(0.0, 1.0 - (pose.time_s - self.since_s) / HANDOVER_S)
        turned = rotation.multiply(pose.rotations_wxyz, rotation.exp(share * rotation.log(self.turns_wxyz)))
        angles_rad, root_m = skeleton.angles_rad(turned), pose.root_m + share * self.away_m
        local = skeleton.joint_rotations(angles_rad, turned[0])
        positions_m = skeleton.positions_m(root_m, local)
        return replace(pose, root_m=root_m, angles_rad=angles_rad, rotations_wxyz=local, positions_m=positions_m)


def handover(old: SkeletonPose, new: SkeletonPose) -> Handover | None:
    """From what was told last to a new start; None where the trunk is elsewhere."""
    turns_wxyz = rotation.multiply(rotation.inverse(new.rotations_wxyz), old.rotations_wxyz)
    away_m = old.root_m - new.root_m
    if np.linalg.norm(away_m) > _FARTHEST_M or np.linalg.norm(rotation.log(turns_wxyz[0])) > _FARTHEST_RAD:
        return None
    return Handover(old.time_s, away_m, turns_wxyz)
