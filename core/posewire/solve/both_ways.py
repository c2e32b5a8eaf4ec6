"""Fits a stretch forward and backward in time and merges what agrees: what one is late with, the other is early with.

Two chains of runs: forward and back again, backward and forth again, each without a break at its turn. Within a chain both runs
decide alike what the data leave open (the pitch of a pelvis, the twist of a straight arm), so that their mean means something.
The chains start independently, so that one that lost the person can be told by the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields

import numpy as np
from numpy.typing import NDArray

from posewire import camera as cameras
from posewire import rotation
from posewire.data import FloatArray, SkeletonPose
from posewire.fit import Fitter
from posewire.skeleton import REFERENCE
from posewire.solve.choosing import choose, distance_m
from posewire.solve.motion import Motion, from_poses
from posewire.solve.stretches import Sight

RUNS = 4
"""Fits of every frame."""
Shared = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Columns of keypoints, and the joints that they show."""
_Poses = list[SkeletonPose | None]
_PARTNER = np.array([1, 0, 3, 2])
"""The other run of the same chain. Runs: forward, back again; backward, forth again."""
_SETTLING_S = 0.25
"""Time after which a run that began, or turned, is trusted as much as the other."""
_AGREE_M, _AGREE_RAD = 0.15, 1.0
"""Two poses further apart than this are two opinions, not two measurements of one."""
_FAR_M = 0.5
"""A joint further than this from where the method saw it counts as this far."""
_ARM, _LEG = ("shoulder", "elbow", "wrist", "hand"), ("hip", "knee", "ankle", "heel", "toe")
_LIMBS = [REFERENCE.index(f"{side}_{joint}") for joint in ("shoulder", "elbow", "hip", "knee") for side in ("left", "right")]


def fit_both_ways(fitter: Fitter, sights: Sequence[Sight], shared: Shared, advance: Callable[[], None]) -> Motion:
    """The merged motion of one stretch. The fitter keeps its skeleton; `advance` is called after each of RUNS fits a frame."""
    time_s = np.array([sight.time_s for sight in sights])
    since_s, left_s = time_s - time_s[0], time_s[-1] - time_s
    forward = _there_and_back(fitter, sights, since_s, advance)
    backward = [poses[::-1] for poses in _there_and_back(fitter, sights[::-1], left_s[::-1], advance)]
    runs = [*forward, *backward]
    limbs_m = np.stack([_limbs_m(poses) for poses in runs])
    path = choose(limbs_m, np.stack([_errors_m(poses, sights, shared) for poses in runs]), time_s)
    motions = [from_poses(time_s, poses, len(fitter.skeleton.names)) for poses in runs]
    settled = np.clip(np.stack([since_s, left_s, left_s, since_s]) / _SETTLING_S, 0.05, 1.0)
    rows, other = np.arange(len(time_s)), _PARTNER[path]
    mine, partner = _along(motions, path), _along(motions, other)
    agreement = _agreement(mine, partner, distance_m(limbs_m[path, rows], limbs_m[other, rows]))
    return merge(mine, partner, np.stack([settled[path, rows], settled[other, rows] * agreement]))


def merge(one: Motion, other: Motion, trust: FloatArray) -> Motion:
    """The mean of two motions over the same frames, weighted by trust (2, R), on the shortest turn between them."""
    share = trust[1] / np.maximum(trust.sum(axis=0), 1e-12)  # (R,) of the other one
    a, b = _filled(one, other), _filled(other, one)
    touching = (
        np.where(np.isfinite(a.contacts), a.contacts, b.contacts),
        np.where(np.isfinite(b.contacts), b.contacts, a.contacts),
    )
    root_m, contacts, confidence = (
        x + share[:, None] * (y - x) for x, y in ((a.root_m, b.root_m), touching, (a.confidence, b.confidence))
    )
    rotations_wxyz = rotation.slerp(a.rotations_wxyz, b.rotations_wxyz, np.broadcast_to(share[:, None], confidence.shape))
    return Motion(one.time_s, root_m, rotations_wxyz, contacts, confidence)


def _there_and_back(
    fitter: Fitter, sights: Sequence[Sight], since_s: FloatArray, advance: Callable[[], None]
) -> tuple[_Poses, _Poses]:
    """Poses of a run over the sights and of the way back, for which the fitter's time goes on."""
    fitter.reset()
    there = [_fitted(fitter, sight, t, advance) for sight, t in zip(sights, since_s.tolist(), strict=True)]
    way_back = zip(sights[-2::-1], (2 * since_s[-1] - since_s[-2::-1]).tolist(), strict=True)
    back = [there[-1], *(_fitted(fitter, sight, t, advance) for sight, t in way_back)]
    advance()  # for the turn, which is fitted once
    return there, back[::-1]


def _fitted(fitter: Fitter, sight: Sight, time_s: float, advance: Callable[[], None]) -> SkeletonPose | None:
    advance()
    return fitter.fit(sight.track, time_s, sight.camera)


def _along(motions: Sequence[Motion], path: NDArray[np.int64]) -> Motion:
    """At each frame the motion that the path (R,) names."""
    rows = np.arange(len(path))
    picked = (np.stack([getattr(motion, field.name) for motion in motions])[path, rows] for field in fields(Motion))
    return Motion(*picked)


def _agreement(one: Motion, other: Motion, apart_m: FloatArray) -> FloatArray:
    """(R,) 1 where two poses are the same, 0 where they are two opinions or one is missing."""
    turn = rotation.log(rotation.multiply(rotation.inverse(one.rotations_wxyz), other.rotations_wxyz))
    apart_rad = np.linalg.norm(turn, axis=-1).max(axis=1)
    alike = np.exp(-((apart_m / _AGREE_M) ** 2) - (apart_rad / _AGREE_RAD) ** 2)
    return np.where(one.known & other.known, alike, 0.0)


def _filled(motion: Motion, other: Motion) -> Motion:
    """The motion, with the other's pose where it has none."""
    mine = motion.known

    def filled(name: str) -> FloatArray:
        own: FloatArray = getattr(motion, name)
        return np.where(mine.reshape(-1, *(1,) * (own.ndim - 1)), own, getattr(other, name))

    return Motion(motion.time_s, *(filled(field.name) for field in fields(Motion)[1:]))


def _limbs_m(poses: Sequence[SkeletonPose | None]) -> FloatArray:
    """(R, J, 3) limbs from their centre; NaN where there is no pose."""
    nothing = np.full((len(_LIMBS), 3), np.nan)
    limbs_m = np.array([nothing if pose is None else pose.positions_m[_LIMBS] for pose in poses])
    return limbs_m - limbs_m.mean(axis=1, keepdims=True)


def _errors_m(poses: Sequence[SkeletonPose | None], sights: Sequence[Sight], shared: Shared) -> FloatArray:
    """(R,) how far each pose is from what the method saw; NaN = not known."""
    sides = _sides(shared[1])
    both = zip(poses, sights, strict=True)
    return np.array([np.nan if pose is None else _error_m(pose, sight, shared, sides) for pose, sight in both])


def _error_m(pose: SkeletonPose, sight: Sight, shared: Shared, sides: Sequence[Shared]) -> float:
    """Mean distance of joints from where the method saw them, both from their centre; NaN = it says too little in 3D.

    Arms or legs that lie where those of the other side are said to be are as good: a run that believes an exchange of left
    and right must not count as nearer to the data than one that saw through it.
    """
    if sight.track.keypoints_m is None:
        return float("nan")
    columns, joints = shared
    said_m, fitted_m = sight.track.keypoints_m[columns], cameras.to_camera(pose.positions_m[joints], sight.camera)
    if np.isfinite(said_m).all(axis=1).sum() < 2:
        return float("nan")
    away_m = _away_m(fitted_m, said_m)
    for mine, theirs in sides:
        exchanged_m = said_m.copy()
        exchanged_m[mine] = said_m[theirs]
        otherwise_m = _away_m(fitted_m, exchanged_m)
        if np.nansum(otherwise_m[mine]) < np.nansum(away_m[mine]):
            said_m, away_m = exchanged_m, otherwise_m
    return float(np.nanmean(away_m))


def _away_m(fitted_m: FloatArray, said_m: FloatArray) -> FloatArray:
    """(J,) distance of points (J, 3), both from their centre; NaN = unseen."""
    difference = fitted_m - said_m
    return np.minimum(np.linalg.norm(difference - np.nanmedian(difference, axis=0), axis=1), _FAR_M)


def _sides(joints: NDArray[np.int64]) -> list[Shared]:
    """Of the joints (J,) the rows of arms, and of legs, and those of the other side."""
    row = {REFERENCE.names[joint]: k for k, joint in enumerate(joints.tolist())}
    groups: list[Shared] = []
    for parts in (_ARM, _LEG):
        pairs = [(row[f"left_{part}"], row[f"right_{part}"]) for part in parts if {f"left_{part}", f"right_{part}"} <= row.keys()]
        left, right = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
        groups.append((np.concatenate([left, right]), np.concatenate([right, left])))
    return groups
