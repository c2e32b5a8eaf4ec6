"""Half a second of frames as columns: compact on disk, quick to read, and the same in memory and in the file.

The rows of one person that have the same fields form one run, so that a column never has holes: a person whose 3D is not
computed in some frames, or whose bones are calibrated in between, gets several runs in a batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from posewire.data import SkeletonPose, Track
from posewire.take import fields
from posewire.take.chunks import MalformedError
from posewire.take.values import TakeFrame

Columns = Mapping[str, NDArray[Any]]
_INT = "<i8"
_FLOAT = "<f4"


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """One person in R frames of a batch."""

    person_id: int
    rows: NDArray[np.int64]
    """(R,) ascending frame numbers within the batch."""
    track: Columns | None
    """keypoints_px (R, J, 2), confidence (R, J), box_px (R, 4), missed_frames (R,) and, where computed, keypoints_m (R, J, 3)."""
    pose: Columns | None
    """root_m (R, 3), angles_rad (R, D), rotations_wxyz (R, N, 4), positions_m (R, N, 3), confidence (R, N), contacts (R, 4),
    residuals (R, E)."""
    skeleton: str | None
    """Digest of the pose's skeleton."""
    residual_names: tuple[str, ...]
    """(E,)"""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """T frames."""

    first_frame: int
    """Number of frames that the writer took before these; a reader counts lost frames by it."""
    time_s: NDArray[np.float64]
    """(T,)"""
    index: NDArray[np.int64]
    """(T,)"""
    capture_unix_ns: NDArray[np.int64]
    """(T,)"""
    camera_id: NDArray[np.int64]
    """(T,)"""
    runs: tuple[Run, ...]


def gather(frames: Sequence[TakeFrame], camera_ids: Sequence[int], first_frame: int) -> Batch:
    """Frames to columns."""
    return Batch(
        first_frame,
        np.array([frame.time_s for frame in frames]),
        np.array([frame.index for frame in frames], dtype=np.int64),
        np.array([frame.capture_unix_ns for frame in frames], dtype=np.int64),
        np.array(camera_ids, dtype=np.int64),
        tuple(_gather_runs(frames)),
    )


_Row = tuple[int, Track | None, SkeletonPose | None]


class _Kind(NamedTuple):
    """What the rows of one run have in common."""

    person_id: int
    tracked: bool
    with_3d: bool
    skeleton: str | None
    residual_names: tuple[str, ...]


def _gather_runs(frames: Sequence[TakeFrame]) -> Iterator[Run]:
    runs: dict[_Kind, list[_Row]] = {}
    for number, frame in enumerate(frames):
        tracks = {track.person_id: track for track in frame.tracks}
        poses = {pose.person_id: pose for pose in frame.poses}
        for person_id in tracks | poses:
            track, pose = tracks.get(person_id), poses.get(person_id)
            with_3d = track is not None and track.keypoints_m is not None
            skeleton = frame.skeletons[person_id].digest if pose else None
            kind = _Kind(person_id, track is not None, with_3d, skeleton, tuple(pose.residuals) if pose else ())
            runs.setdefault(kind, []).append((number, track, pose))
    return (_run(kind, rows) for kind, rows in runs.items())


def _run(kind: _Kind, rows: Sequence[_Row]) -> Run:
    tracks = [track for _, track, _ in rows if track is not None]
    poses = [pose for _, _, pose in rows if pose is not None]
    numbers = np.array([number for number, _, _ in rows], dtype=np.int64)
    pose_columns = _pose_columns(poses, kind.residual_names)
    return Run(kind.person_id, numbers, _track_columns(tracks), pose_columns, kind.skeleton, kind.residual_names)


def _track_columns(tracks: Sequence[Track]) -> Columns | None:
    if not tracks:
        return None
    columns: dict[str, NDArray[Any]] = {
        name: np.stack([getattr(track, name) for track in tracks]) for name in ("keypoints_px", "confidence", "box_px")
    }
    columns["missed_frames"] = np.array([track.missed_frames for track in tracks], dtype=np.int64)
    if tracks[0].keypoints_m is not None:
        columns["keypoints_m"] = np.stack([track.keypoints_m for track in tracks if track.keypoints_m is not None])
    return columns


_POSE_COLUMNS = ("root_m", "angles_rad", "rotations_wxyz", "positions_m", "confidence", "contacts")


def _pose_columns(poses: Sequence[SkeletonPose], residual_names: tuple[str, ...]) -> Columns | None:
    if not poses:
        return None
    columns: dict[str, NDArray[Any]] = {name: np.stack([getattr(pose, name) for pose in poses]) for name in _POSE_COLUMNS}
    columns["residuals"] = np.array([[pose.residuals[name] for name in residual_names] for pose in poses]).reshape(len(poses), -1)
    return columns


def batch_record(batch: Batch) -> dict[str, Any]:
    """Columns to a record."""
    return {
        "first_frame": batch.first_frame,
        "time_s": batch.time_s.astype("<f8").tobytes(),
        "index": batch.index.astype(_INT).tobytes(),
        "capture_unix_ns": batch.capture_unix_ns.astype(_INT).tobytes(),
        "camera": batch.camera_id.astype(_INT).tobytes(),
        "people": [_run_record(run) for run in batch.runs],
    }


def _run_record(run: Run) -> dict[str, Any]:
    record: dict[str, Any] = {"id": run.person_id, "frames": run.rows.astype(_INT).tobytes()}
    if run.track is not None:
        record["track"] = _columns_record(run.track)
    if run.pose is not None:
        record["pose"] = _columns_record(run.pose) | {"skeleton": run.skeleton, "residual_names": list(run.residual_names)}
    return record


def _columns_record(columns: Columns) -> dict[str, bytes]:
    return {name: values.astype(_INT if values.dtype.kind == "i" else _FLOAT).tobytes() for name, values in columns.items()}


def read_batch(record: fields.Record, keypoints: int) -> Batch:
    """A record to columns; `keypoints` is the header's J.

    Raises:
        MalformedError: a field is missing or of another kind or size.
    """
    time_s = fields.finite(record, "time_s", -1)
    frames = len(time_s)
    if frames == 0:
        raise MalformedError("no frames")
    index, capture_unix_ns, camera_id = (fields.blob(record, key, _INT, frames) for key in ("index", "capture_unix_ns", "camera"))
    runs = tuple(_read_run(row, frames, keypoints) for row in fields.rows(record, "people"))
    return Batch(fields.integer(record, "first_frame"), time_s, index, capture_unix_ns, camera_id, runs)


def _read_run(row: object, frames: int, keypoints: int) -> Run:
    if not isinstance(row, dict):
        raise MalformedError("a person is not a map")
    rows = fields.blob(row, "frames", _INT, -1)
    if len(rows) == 0 or rows[0] < 0 or rows[-1] >= frames or not (rows[1:] > rows[:-1]).all():
        raise MalformedError("a person's frame numbers do not ascend within the batch")
    track = _read_track(fields.mapping(row, "track"), len(rows), keypoints) if "track" in row else None
    if "pose" not in row:
        return Run(fields.integer(row, "id"), rows, track, None, None, ())
    record = fields.mapping(row, "pose")
    names = fields.texts(record, "residual_names")
    pose = _read_pose(record, len(rows), len(names))
    return Run(fields.integer(row, "id"), rows, track, pose, fields.text(record, "skeleton"), names)


def _read_track(record: fields.Record, rows: int, keypoints: int) -> Columns:
    columns = {
        "keypoints_px": fields.blob(record, "keypoints_px", _FLOAT, rows, keypoints, 2),
        "confidence": fields.blob(record, "confidence", _FLOAT, rows, keypoints),
        "box_px": fields.blob(record, "box_px", _FLOAT, rows, 4),
        "missed_frames": fields.blob(record, "missed_frames", _INT, rows),
    }
    if "keypoints_m" in record:
        columns["keypoints_m"] = fields.blob(record, "keypoints_m", _FLOAT, rows, keypoints, 3)
    return columns


def _read_pose(record: fields.Record, rows: int, residuals: int) -> Columns:
    confidence = fields.blob(record, "confidence", _FLOAT, rows, -1)
    joints = confidence.shape[1]
    angles_bytes = len(record["angles_rad"]) if isinstance(record.get("angles_rad"), bytes) else 0
    return {
        "root_m": fields.blob(record, "root_m", _FLOAT, rows, 3),
        "angles_rad": fields.blob(record, "angles_rad", _FLOAT, rows, angles_bytes // (4 * rows)),
        "rotations_wxyz": fields.blob(record, "rotations_wxyz", _FLOAT, rows, joints, 4),
        "positions_m": fields.blob(record, "positions_m", _FLOAT, rows, joints, 3),
        "confidence": confidence,
        "contacts": fields.blob(record, "contacts", _FLOAT, rows, 4),
        "residuals": fields.blob(record, "residuals", _FLOAT, rows, residuals),
    }
