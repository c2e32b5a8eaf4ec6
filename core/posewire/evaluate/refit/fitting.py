"""A clip fitted: live, as in a run, and whole, as `posewire solve` does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from posewire.data import FloatArray, SkeletonPose, Track
from posewire.evaluate.refit.clips import JOINTS, Clip
from posewire.fit import FitSettings, Fitter
from posewire.skeleton import REFERENCE
from posewire.solve.person import SolvedPerson, settle_people, smooth_person
from posewire.solve.settings import OFFLINE_FIT
from posewire.solve.stretches import Sight

LEARNT_FRAMES = 15
"""Frames that calibrate the bones before anything is said, as in a run of a file."""


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """A clip's poses as arrays; NaN where there is none."""

    positions_m: FloatArray
    """(T, N, 3) world."""
    rotations_wxyz: FloatArray
    """(T, N, 4) local."""
    contacts: FloatArray
    """(T, 4) probability for each of gait.CONTACT_NAMES."""


def fit_live(clip: Clip, tracks: Sequence[Track], settings: FitSettings) -> Fitted:
    """Nothing of what comes is known, but for the bones in the first frames."""
    fitter = Fitter(JOINTS, settings)
    fitter.learn(tracks[:LEARNT_FRAMES], clip.camera)
    return _arrays([fitter.fit(track, time_s, clip.camera) for track, time_s in zip(tracks, clip.time_s.tolist(), strict=True)])


def fit_whole(clip: Clip, tracks: Sequence[Track]) -> tuple[Fitted, Fitted]:
    """Everything is known: with free feet, and with resting feet in their places, as `posewire solve` has them."""
    sights = [Sight(k, float(clip.time_s[k]), track, clip.camera) for k, track in enumerate(tracks)]
    smoothed = smooth_person(sights, JOINTS, OFFLINE_FIT)
    free, planted = (settle_people([smoothed], lock_feet=lock_feet)[0] for lock_feet in (False, True))
    return _whole(free, len(tracks)), _whole(planted, len(tracks))


def _whole(solved: SolvedPerson, frames: int) -> Fitted:
    return _arrays([solved.poses.get(k) for k in range(frames)])


def _arrays(poses: Sequence[SkeletonPose | None]) -> Fitted:
    N = len(REFERENCE.names)
    shapes = {"positions_m": (N, 3), "rotations_wxyz": (N, 4), "contacts": (4,)}
    return Fitted(*(_column(poses, name, shape) for name, shape in shapes.items()))


def _column(poses: Sequence[SkeletonPose | None], name: str, shape: tuple[int, ...]) -> FloatArray:
    values = [None if pose is None else getattr(pose, name) for pose in poses]
    return np.array([np.full(shape, np.nan) if value is None else value for value in values], dtype=np.float64)
