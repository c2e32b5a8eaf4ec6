"""JSON Lines: one object per frame that explains itself: every value under its name, null where it is absent."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from typing import Any

from numpy.typing import NDArray

from posewire.data import SkeletonPose, Track
from posewire.skeleton import Skeleton
from posewire.take.export.plain import CONTACT_NAMES, DECIMALS
from posewire.take.recording import Take
from posewire.take.values import TakeFrame


def jsonl_lines(take: Take, person: int | None) -> Iterator[str]:
    """One line per frame; frames with nobody have no people."""
    for frame in take:
        yield json.dumps(_frame(frame, take.header.keypoint_names, person), allow_nan=False)


def _frame(frame: TakeFrame, keypoint_names: Sequence[str], person: int | None) -> dict[str, Any]:
    tracks = {track.person_id: track for track in frame.tracks}
    poses = {pose.person_id: pose for pose in frame.poses}
    wanted = sorted(id_ for id_ in tracks | poses if person in (None, id_))
    return {
        "time_s": frame.time_s,
        "index": frame.index,
        "capture_unix_ns": frame.capture_unix_ns,
        "T_world_camera": None if frame.camera is None else _plain(frame.camera.T_world_camera),
        "people": [
            {"person_id": id_}
            | (_track(tracks[id_], keypoint_names) if id_ in tracks else {})
            | (_pose(poses[id_], frame.skeletons.get(id_)) if id_ in poses else {})
            for id_ in wanted
        ],
    }


def _track(track: Track, names: Sequence[str]) -> dict[str, Any]:
    return {
        "keypoints_px": _named(names, track.keypoints_px),
        "keypoints_m": None if track.keypoints_m is None else _named(names, track.keypoints_m),
        "keypoint_confidence": _named(names, track.confidence),
        "box_px": _plain(track.box_px),
        "missed_frames": track.missed_frames,
    }


def _pose(pose: SkeletonPose, skeleton: Skeleton | None) -> dict[str, Any]:
    record: dict[str, Any] = {"root_m": _plain(pose.root_m), "contacts": _named(CONTACT_NAMES, pose.contacts)}
    record["residuals"] = {name: _finite(value) for name, value in pose.residuals.items()}
    if skeleton is not None:  # a damaged take may have lost the names
        record["positions_m"] = _named(skeleton.names, pose.positions_m)
        record["rotations_wxyz"] = _named(skeleton.names, pose.rotations_wxyz)
        record["confidence"] = _named(skeleton.names, pose.confidence)
        record["angles_rad"] = _named(skeleton.dof_names, pose.angles_rad)
    return record


def _named(names: Sequence[str], values: NDArray[Any]) -> dict[str, Any]:
    return dict(zip(names, _plain(values), strict=True))


def _plain(values: NDArray[Any]) -> list[Any]:
    """Nested lists; a row or number that is not finite becomes null."""
    if values.ndim == 1:
        return [_finite(value) for value in values.tolist()]
    return [_plain(row) if values.ndim > 2 or math.isfinite(row.sum()) else None for row in values]


def _finite(value: float) -> float | None:
    return round(value, DECIMALS) if math.isfinite(value) else None
