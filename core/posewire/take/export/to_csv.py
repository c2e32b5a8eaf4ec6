"""CSV: one row per frame and person, every value in a column of its own; empty where it is absent.

A frame with nobody is one row without a person, so that the timing is whole.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from posewire.data import SkeletonPose, Track
from posewire.skeleton import Skeleton
from posewire.take.export.plain import CONTACT_NAMES, numbers
from posewire.take.recording import Take
from posewire.take.values import TakeFrame

_Cells = dict[str, str]


def csv_lines(take: Take, person: int | None) -> Iterator[str]:
    """The header row and the rows."""
    columns = _columns(take)
    yield _line(columns)
    for frame in take:
        for row in _rows(frame, take.header.keypoint_names, person):
            yield _line(row.get(column, "") for column in columns)


def _line(cells: Iterable[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(cells)
    return text.getvalue()


def _columns(take: Take) -> list[str]:
    joints = dict.fromkeys(name for skeleton in take.skeletons.values() for name in skeleton.names)
    angles = dict.fromkeys(name for skeleton in take.skeletons.values() for name in skeleton.dof_names)
    columns = ["time_s", "index", "capture_unix_ns", "person_id", "root_x_m", "root_y_m", "root_z_m"]
    columns += [column for joint in joints for column in _joint_columns(joint)]
    columns += [f"{angle}_rad" for angle in angles]
    columns += [f"contact_{name}" for name in CONTACT_NAMES]
    columns += [column for keypoint in take.header.keypoint_names for column in _keypoint_columns(keypoint)]
    return [*columns, "missed_frames"]


def _joint_columns(joint: str) -> list[str]:
    return [f"{joint}_{value}" for value in ("x_m", "y_m", "z_m", "qw", "qx", "qy", "qz", "confidence")]


def _keypoint_columns(keypoint: str) -> list[str]:
    return [f"keypoint_{keypoint}_{value}" for value in ("x_px", "y_px", "x_m", "y_m", "z_m", "confidence")]


def _rows(frame: TakeFrame, keypoint_names: tuple[str, ...], person: int | None) -> Iterator[_Cells]:
    instant = {"time_s": f"{frame.time_s:.9f}", "index": str(frame.index), "capture_unix_ns": str(frame.capture_unix_ns)}
    tracks = {track.person_id: track for track in frame.tracks}
    poses = {pose.person_id: pose for pose in frame.poses}
    people = sorted(id_ for id_ in tracks | poses if person in (None, id_))
    if not people:
        yield instant
    for id_ in people:
        row = instant | {"person_id": str(id_)}
        if id_ in poses:
            row |= _pose_cells(poses[id_], frame.skeletons.get(id_))
        if id_ in tracks:
            row |= _track_cells(tracks[id_], keypoint_names)
        yield row


def _pose_cells(pose: SkeletonPose, skeleton: Skeleton | None) -> _Cells:
    cells = dict(zip(("root_x_m", "root_y_m", "root_z_m"), numbers(pose.root_m), strict=True))
    cells |= dict(zip((f"contact_{name}" for name in CONTACT_NAMES), numbers(pose.contacts), strict=True))
    if skeleton is None:  # a damaged take may have lost the names
        return cells
    for joint, name in enumerate(skeleton.names):
        values = (*pose.positions_m[joint], *pose.rotations_wxyz[joint], pose.confidence[joint])
        cells |= dict(zip(_joint_columns(name), numbers(values), strict=True))
    return cells | dict(zip((f"{name}_rad" for name in skeleton.dof_names), numbers(pose.angles_rad), strict=True))


def _track_cells(track: Track, keypoint_names: tuple[str, ...]) -> _Cells:
    cells = {"missed_frames": str(track.missed_frames)}
    nan = (float("nan"),) * 3
    for keypoint, name in enumerate(keypoint_names):
        xyz_m = nan if track.keypoints_m is None else track.keypoints_m[keypoint]
        values = (*track.keypoints_px[keypoint], *xyz_m, track.confidence[keypoint])
        cells |= dict(zip(_keypoint_columns(name), numbers(values), strict=True))
    return cells
