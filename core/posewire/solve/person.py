"""Solves people of a take: learn the bones from everything, fit and merge each stretch both ways, smooth, plant the feet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from posewire.data import FloatArray, SkeletonPose
from posewire.fit import FitSettings, Fitter
from posewire.fit.contacts import FEET
from posewire.skeleton import Skeleton
from posewire.solve.both_ways import fit_both_ways
from posewire.solve.motion import Motion, poses
from posewire.solve.noise import bone_ends, measure_noise
from posewire.solve.planting import Planted, plant
from posewire.solve.settings import Device
from posewire.solve.settling import Draft, settle
from posewire.solve.smoothing import Width, smooth
from posewire.solve.stretches import Sight, shared_joints, stretches
from posewire.solve.touching import touching
from posewire.solve.windows import USUAL_WIDTH_S, choose_widths

_MOST_LEARNT = 200
"""Frames, spread over the take, that the bone lengths are learnt from; the fit's calibration holds 240."""


@dataclass(frozen=True, slots=True, eq=False)
class SmoothedPerson:
    """One person's motion before the feet are planted."""

    person_id: int
    skeleton: Skeleton
    """One for the whole take."""
    parts: list[tuple[list[Sight], Motion]]
    """Each stretch, and its frames that have a pose."""


@dataclass(frozen=True, slots=True, eq=False)
class SolvedPerson:
    """One person's new motion."""

    skeleton: Skeleton
    """One for the whole take."""
    poses: dict[int, SkeletonPose]
    """By frame of the take; a frame in which nothing can be said is not there."""
    stretches: int


def _nothing() -> None:
    return None


def smooth_person(
    sights: Sequence[Sight],
    keypoint_names: Sequence[str],
    settings: FitSettings,
    smooth_s: float | None = None,
    advance: Callable[[], None] = _nothing,
) -> SmoothedPerson:
    """The person's motion in every frame that shows enough of it.

    `smooth_s`: as in SolveSettings. `advance` is called RUNS times for each of `sights`.
    """
    fitter = Fitter(keypoint_names, settings)
    fitter.learn([sight.track for sight in _spread(sights)], sights[0].camera)
    shared = shared_joints(keypoint_names)
    parts = [(part, fit_both_ways(fitter, part, shared, advance)) for part in stretches(sights)]
    known = [([part[row] for row in np.flatnonzero(motion.known).tolist()], motion.only(motion.known)) for part, motion in parts]
    # The fitter has its last skeleton only now: with too few good frames to learn from it calibrates while it fits.
    skeleton = fitter.skeleton
    ends = bone_ends(keypoint_names)
    smoothed = [(part, _smoothed(skeleton, part, motion, smooth_s, ends)) for part, motion in known]
    return SmoothedPerson(sights[0].track.person_id, skeleton, smoothed)


def settle_people(
    people: Sequence[SmoothedPerson], *, lock_feet: bool, device: Device = "cpu", advance: Callable[[], None] | None = None
) -> list[SolvedPerson]:
    """Finds who touches the ground when, plants the feet of everybody in one batch, and says the poses."""
    felt = [_felt(person) for person in people]
    if not lock_feet:
        return [_said(person, [motion for _, motion in person.parts]) for person in felt]
    drafts = [list(_drafts(person)) for person in felt]
    settled = iter(settle([draft for mine in drafts for draft in mine], device, advance))
    return [_said(person, [next(settled) if part else motion for part, motion in person.parts]) for person in felt]


def _spread(sights: Sequence[Sight]) -> list[Sight]:
    """At most _MOST_LEARNT of the frames with 3D, from the whole take; all of one camera, which the first one is."""
    with_3d = [sight for sight in sights if sight.track.keypoints_m is not None and sight.camera is sights[0].camera]
    chosen = np.unique(np.linspace(0, max(len(with_3d) - 1, 0), _MOST_LEARNT).round().astype(int))
    return [with_3d[k] for k in chosen.tolist()] if with_3d else []


def _smoothed(
    skeleton: Skeleton, part: Sequence[Sight], motion: Motion, smooth_s: float | None, ends: NDArray[np.int64]
) -> Motion:
    width_s = _widths(skeleton, part, motion, ends) if smooth_s is None else smooth_s
    root_m, rotations_wxyz = smooth(motion.time_s, motion.root_m, motion.rotations_wxyz, width_s)
    return replace(motion, root_m=root_m, rotations_wxyz=rotations_wxyz)


def _widths(skeleton: Skeleton, part: Sequence[Sight], motion: Motion, ends: NDArray[np.int64]) -> Width:
    """By the noise that the method's bones (B, 2) show; where they show none, one width for all."""
    said_m = [sight.track.keypoints_m for sight in part if sight.track.keypoints_m is not None]
    noise = measure_noise(motion.time_s, np.array(said_m), ends) if len(said_m) == len(part) else None
    return USUAL_WIDTH_S if noise is None else choose_widths(motion.time_s, _joints_m(skeleton, motion), noise)


def _felt(person: SmoothedPerson) -> SmoothedPerson:
    """With the contacts of the smoothed motion."""
    return replace(person, parts=[(part, _touching(person.skeleton, part, motion)) for part, motion in person.parts])


def _touching(skeleton: Skeleton, part: Sequence[Sight], motion: Motion) -> Motion:
    """Feet of which the fits said nothing stay unknown."""
    if not part:
        return motion
    camera = part[0].camera
    up = None if camera.origin == "assumed" else np.array([0.0, 1.0, 0.0])
    camera_m = np.broadcast_to(camera.T_world_camera[:3, 3], (len(part), 3))
    said = touching(motion.time_s, _joints_m(skeleton, motion), camera_m, up)
    return replace(motion, contacts=np.where(np.isfinite(motion.contacts), said, np.nan))


def _drafts(person: SmoothedPerson) -> Iterator[Draft]:
    for part, motion in person.parts:
        if part:
            joints_m = _joints_m(person.skeleton, motion)
            planted: Planted = plant(motion.time_s, joints_m[:, FEET], motion.contacts)
            yield Draft(person.skeleton, part[0].camera, motion, joints_m, planted)


def _joints_m(skeleton: Skeleton, motion: Motion) -> FloatArray:
    """(R, N, 3) as they will be said: what no joint can do is left away."""
    rotations_wxyz = skeleton.joint_rotations(skeleton.angles_rad(motion.rotations_wxyz), motion.rotations_wxyz[:, 0])
    return skeleton.positions_m(motion.root_m, rotations_wxyz)


def _said(person: SmoothedPerson, motions: Sequence[Motion]) -> SolvedPerson:
    found: dict[int, SkeletonPose] = {}
    for (part, _), motion in zip(person.parts, motions, strict=True):
        found |= {sight.frame: pose for sight, pose in zip(part, poses(person.person_id, motion, person.skeleton), strict=True)}
    return SolvedPerson(person.skeleton, found, len(person.parts))
