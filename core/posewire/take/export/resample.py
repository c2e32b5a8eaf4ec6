"""One person's motion at a constant frame rate, as animation and biomechanics programs want it.

Recorded frames carry their own times (variable frame rate, dropped frames). Frame i of the result is the pose at
first time + i * interval, interpolated between its recorded neighbours, so that nothing drifts however long the take is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from posewire import rotation
from posewire.data import FloatArray
from posewire.errors import TakeError
from posewire.skeleton import Skeleton
from posewire.take.export.one_world import OneWorld
from posewire.take.recording import Take

_USUAL_RATES_HZ = np.array([24000 / 1001, 24, 25, 30000 / 1001, 30, 48, 50, 60000 / 1001, 60, 90, 100, 120, 240])
_SNAP = 0.0005
"""A measured rate this close (relatively) to a usual one is the usual one: 30000/1001 and 30 are twice as far apart."""
_SINGLE_FRAME_RATE_HZ = 30.0
_MAX_FRAMES = 5_000_000
"""More than 23 hours at 60 Hz: the times must be wrong."""


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """F frames of one person on one skeleton of N joints."""

    skeleton: Skeleton
    interval_s: float
    root_m: FloatArray
    """(F, 3) world."""
    rotations_wxyz: FloatArray
    """(F, N, 4) parent-relative, from the rest pose."""
    present: NDArray[np.bool_]
    """(F,) False where the person was absent and the last pose is held."""

    @property
    def time_s(self) -> FloatArray:
        """(F,) since the take's first frame."""
        return np.arange(len(self.root_m), dtype=np.float64) * self.interval_s

    def positions_m(self) -> FloatArray:
        """(F, N, 3) joint positions, world."""
        return self.skeleton.positions_m(self.root_m, self.rotations_wxyz)


def constant_rate(take: Take, person: int) -> Motion:
    """A person's poses over the whole time of the take, all on the person's last skeleton.

    Between two successive frames of the take the pose is interpolated. Where the person is absent the last pose is held
    (before the first appearance: the first pose).

    Raises:
        TakeError: no pose of the person was recorded, or the times are impossible.
    """
    skeleton = take.skeleton_of(person)
    if skeleton is None:
        hint = "export to .npz, .csv or .jsonl, which hold the keypoints too"
        raise TakeError("The take holds no pose of this person.", got=f"person {person}", hint=hint)
    frames, recorded_s = _ascending(take.time_s)
    poses = _poses(take, person, skeleton).in_order_of(frames)
    return _resampled(poses, recorded_s, skeleton)


@dataclass(frozen=True, slots=True, eq=False)
class _Poses:
    """A person's P recorded poses."""

    place: NDArray[np.int64]
    """(P,) number of the frame that holds each."""
    root_m: FloatArray
    """(P, 3)"""
    rotations_wxyz: FloatArray
    """(P, N, 4)"""

    def in_order_of(self, frames: NDArray[np.int64]) -> _Poses:
        """Only the poses in `frames` (T,), sorted like them; `place` becomes the place in `frames`."""
        place_of = {frame: place for place, frame in enumerate(frames.tolist())}
        place = np.array([place_of.get(frame, -1) for frame in self.place.tolist()], dtype=np.int64)
        kept = np.argsort(place, kind="stable")
        kept = kept[place[kept] >= 0]
        return _Poses(place[kept], self.root_m[kept], self.rotations_wxyz[kept])


def _poses(take: Take, person: int, skeleton: Skeleton) -> _Poses:
    """A person's usable poses: finite, and on a skeleton with the same joints; all in one world."""
    found: list[_Poses] = []
    world, start = OneWorld(take.cameras), 0
    for batch in take.batches():
        for run in batch.runs:
            theirs = take.skeletons.get(run.skeleton or "")
            if run.person_id == person and run.pose is not None and theirs is not None and theirs.names == skeleton.names:
                root_m, rotations = world.poses(batch, run)
                finite = np.isfinite(root_m).all(-1) & np.isfinite(rotations).all((-2, -1))
                found.append(_Poses(start + run.rows[finite], root_m[finite], rotation.normalise(rotations[finite])))
        start += len(batch.time_s)
    if not any(len(poses.place) for poses in found):
        raise TakeError("The take holds no usable pose of this person.", got=f"person {person}")
    columns = zip(*((poses.place, poses.root_m, poses.rotations_wxyz) for poses in found), strict=True)
    return _Poses(*(np.concatenate(column) for column in columns))


def _ascending(time_s: FloatArray) -> tuple[NDArray[np.int64], FloatArray]:
    """Frame numbers in the order of time, repeated times left out, and their times."""
    order = np.argsort(time_s, kind="stable")
    later = np.append(True, np.diff(time_s[order]) > 0)
    return order[later], time_s[order][later]


def _rate_hz(time_s: FloatArray) -> float:
    """The frame rate of the recording: mean interval without pauses and dropped frames, a usual rate where it is near one."""
    if len(time_s) < 2:
        return _SINGLE_FRAME_RATE_HZ
    intervals_s = np.diff(time_s)
    regular = intervals_s[intervals_s < 1.5 * np.median(intervals_s)]
    rate_hz = 1.0 / float(regular.mean())
    nearest = float(_USUAL_RATES_HZ[np.argmin(np.abs(_USUAL_RATES_HZ - rate_hz))])
    return nearest if abs(nearest / rate_hz - 1) < _SNAP else rate_hz


def _resampled(poses: _Poses, recorded_s: FloatArray, skeleton: Skeleton) -> Motion:
    """Interpolates; `recorded_s` (T,) are the times of all frames, ascending."""
    interval_s = 1.0 / _rate_hz(recorded_s)
    time_s = recorded_s[0] + np.arange(_frame_count(recorded_s, interval_s)) * interval_s
    pose_s = recorded_s[poses.place]
    # The small step forward: a time that is the recorded one but for rounding belongs to the pose recorded then.
    before = np.clip(np.searchsorted(pose_s, time_s + 1e-3 * interval_s, side="right") - 1, 0, None)
    after = np.minimum(before + 1, len(pose_s) - 1)
    adjacent = poses.place[after] == poses.place[before] + 1
    since_s = time_s - pose_s[before]
    fraction = np.where(adjacent, np.clip(since_s / np.where(adjacent, pose_s[after] - pose_s[before], 1.0), 0.0, 1.0), 0.0)
    root_m = poses.root_m[before] + fraction[:, None] * (poses.root_m[after] - poses.root_m[before])
    rotations = rotation.slerp(poses.rotations_wxyz[before], poses.rotations_wxyz[after], fraction[:, None])
    present = (since_s >= -0.5 * interval_s) & (adjacent | (since_s <= 0.5 * interval_s))
    return Motion(skeleton, interval_s, root_m, rotations, present)


def _frame_count(recorded_s: FloatArray, interval_s: float) -> int:
    frames = float(recorded_s[-1] - recorded_s[0]) / interval_s + 1
    if frames > _MAX_FRAMES:
        raise TakeError("The times of the take are impossible.", got=f"{frames:.0f} frames", allowed=f"up to {_MAX_FRAMES}")
    return round(frames)
