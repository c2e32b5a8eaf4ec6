"""Solves one person of a take: learn the bones from everything, then fit, merge and smooth each stretch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from posewire.data import SkeletonPose
from posewire.fit import FitSettings, Fitter
from posewire.skeleton import Skeleton
from posewire.solve.both_ways import fit_both_ways
from posewire.solve.motion import Motion, poses
from posewire.solve.smoothing import smooth
from posewire.solve.stretches import Sight, shared_joints, stretches

_MOST_LEARNT = 200
"""Frames, spread over the take, that the bone lengths are learnt from; the fit's calibration holds 240."""


@dataclass(frozen=True, slots=True, eq=False)
class SolvedPerson:
    """One person's new motion."""

    skeleton: Skeleton
    """One for the whole take."""
    poses: dict[int, SkeletonPose]
    """By frame of the take; a frame in which nothing can be said is not there."""
    stretches: int


def solve_person(
    sights: Sequence[Sight],
    keypoint_names: Sequence[str],
    settings: FitSettings,
    smooth_s: float,
    advance: Callable[[], None],
) -> SolvedPerson:
    """The person's poses in every frame that shows enough of it. `advance` is called RUNS times for each of `sights`."""
    fitter = Fitter(keypoint_names, settings)
    fitter.learn([sight.track for sight in _spread(sights)], sights[0].camera)
    parts = stretches(sights)
    shared = shared_joints(keypoint_names)
    motions = [_smoothed(fit_both_ways(fitter, part, shared, advance), smooth_s) for part in parts]
    # The fitter has its last skeleton only now: with too few good frames to learn from it calibrates while it fits.
    skeleton, found = fitter.skeleton, dict[int, SkeletonPose]()
    for part, motion in zip(parts, motions, strict=True):
        solved = zip(part, poses(sights[0].track.person_id, motion, skeleton), strict=True)
        found |= {sight.frame: pose for sight, pose in solved if pose is not None}
    return SolvedPerson(skeleton, found, len(parts))


def _spread(sights: Sequence[Sight]) -> list[Sight]:
    """At most _MOST_LEARNT of the frames with 3D, from the whole take; all of one camera, which the first one is."""
    with_3d = [sight for sight in sights if sight.track.keypoints_m is not None and sight.camera is sights[0].camera]
    chosen = np.unique(np.linspace(0, max(len(with_3d) - 1, 0), _MOST_LEARNT).round().astype(int))
    return [with_3d[k] for k in chosen.tolist()] if with_3d else []


def _smoothed(motion: Motion, width_s: float) -> Motion:
    """The frames that have a pose, smoothed among themselves."""
    known = motion.known
    root_m, rotations_wxyz = motion.root_m.copy(), motion.rotations_wxyz.copy()
    root_m[known], rotations_wxyz[known] = smooth(motion.time_s[known], root_m[known], rotations_wxyz[known], width_s)
    return replace(motion, root_m=root_m, rotations_wxyz=rotations_wxyz)
