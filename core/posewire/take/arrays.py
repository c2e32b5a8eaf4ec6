"""A take as dense arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from posewire.data import FloatArray
from posewire.errors import TakeError
from posewire.take.batch import Batch, Run
from posewire.take.values import TakeArrays

if TYPE_CHECKING:
    from posewire.take.recording import Take

MAX_BYTES = 4 << 30
"""Larger arrays are refused: frames x people grows quickly when identities change often."""

_Target = dict[str, NDArray[np.float32]]


def make_arrays(take: Take, people: Sequence[int]) -> TakeArrays:
    """The given people (K) of a take.

    Raises:
        TakeError: the arrays would be larger than MAX_BYTES.
    """
    joint_names = _joint_names(take)
    target = _empty(len(take), len(people), len(joint_names), len(take.header.keypoint_names))
    place = {person_id: place for place, person_id in enumerate(people)}
    start = 0
    for batch in take.batches():
        for run in batch.runs:
            if run.person_id in place:
                _fill_track(target, run, start + run.rows, place[run.person_id])
                _fill_pose(target, run, start + run.rows, place[run.person_id], _columns(take, run, joint_names))
        start += len(batch.time_s)
    return TakeArrays(
        time_s=take.time_s,
        person_ids=np.array(people, dtype=np.int64),
        joint_names=joint_names,
        T_world_camera=_cameras(take),
        keypoint_names=take.header.keypoint_names,
        **target,
    )


def _joint_names(take: Take) -> tuple[str, ...]:
    """Every joint of every skeleton, in the order of appearance; natively all skeletons have the same joints."""
    return tuple(dict.fromkeys(name for skeleton in take.skeletons.values() for name in skeleton.names))


def _empty(frames: int, people: int, joints: int, keypoints: int) -> _Target:
    shapes = {
        "positions_m": (joints, 3),
        "rotations_wxyz": (joints, 4),
        "root_m": (3,),
        "confidence": (joints,),
        "keypoints_px": (keypoints, 2),
        "keypoints_m": (keypoints, 3),
    }
    size_bytes = 4 * frames * people * (8 * joints + 3 + 5 * keypoints)
    if size_bytes > MAX_BYTES:
        got = f"{frames} frames x {people} people: {size_bytes / 2**30:.1f} GiB"
        hint = "take one person (--person ID), or export to .jsonl, which needs no memory"
        raise TakeError("The take is too large for arrays.", got=got, allowed=f"{MAX_BYTES / 2**30:.0f} GiB", hint=hint)
    return {name: np.full((frames, people, *shape), np.nan, np.float32) for name, shape in shapes.items()}


def _columns(take: Take, run: Run, joint_names: tuple[str, ...]) -> list[int]:
    """Where the joints of a run's skeleton stand on the N axis; empty when the skeleton is lost."""
    skeleton = take.skeletons.get(run.skeleton or "")
    return [joint_names.index(name) for name in skeleton.names] if skeleton else []


def _fill_track(target: _Target, run: Run, rows: NDArray[np.int64], person: int) -> None:
    """A missed person keeps old keypoints in the track; the arrays say only what was seen."""
    if run.track is None:
        return
    seen = run.track["missed_frames"] == 0
    for name in ("keypoints_px", "keypoints_m"):
        if name in run.track:
            target[name][rows[seen], person] = run.track[name][seen]


def _fill_pose(target: _Target, run: Run, rows: NDArray[np.int64], person: int, joints: list[int]) -> None:
    if run.pose is None:
        return
    target["root_m"][rows, person] = run.pose["root_m"]
    if joints:
        for name in ("positions_m", "rotations_wxyz", "confidence"):
            target[name][rows[:, None], person, joints] = run.pose[name]


def _cameras(take: Take) -> FloatArray:
    """(T, 4, 4) of every frame; NaN where the camera is lost."""
    lost = np.full((4, 4), np.nan)
    T_by_id: dict[int, Any] = {camera_id: camera.T_world_camera for camera_id, camera in take.cameras.items()}
    rows = [T_by_id.get(camera_id, lost) for batch in take.batches() for camera_id in _ids(batch)]
    return np.array(rows).reshape(-1, 4, 4)


def _ids(batch: Batch) -> list[int]:
    return batch.camera_id.tolist()
