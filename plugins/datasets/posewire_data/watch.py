"""What BlazePose says of a clip, person by person, frame by frame, unfiltered: the material that the noise model is fitted to.

The only module here that opens pictures and a network; nothing else imports it but fit_noise.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from scipy.optimize import linear_sum_assignment

from posewire import camera as cameras
from posewire.data import Detections, FloatArray, Frame
from posewire.methods import MethodOptions
from posewire_blazepose.estimator import open_blazepose
from posewire_blazepose.names import KEYPOINT_NAMES
from posewire_data.errors import DatasetError
from posewire_data.joints import JOINTS, MIRROR

_NETWORK = "blazepose_full"
_SAME = 0.35
"""Two sightings whose keypoints are farther apart than this share of their size are two people."""
_SHORTEST_FRAMES = 20
_FAR = 1e6
_COLUMNS = [(j, KEYPOINT_NAMES.index(name)) for j, name in enumerate(JOINTS) if name in KEYPOINT_NAMES]


@dataclass(frozen=True, slots=True, eq=False)
class Sighting:
    """One person over consecutive frames."""

    frames: FloatArray
    """(F,) number of the clip's frame; a person may be missed in some."""
    points_px: FloatArray
    """(F, 17, 2) picture pixels; NaN = not given."""
    confidence: FloatArray
    """(F, 17)"""
    rate_hz: float


def watch(clip: Path, most_people: int = 1, *, mirrored: bool = False, most_frames: int = 300) -> list[Sighting]:
    """Everybody in a clip who is seen for 20 frames.

    Args:
        clip: A video.
        most_people: People to look for.
        most_frames: Where to stop.
        mirrored: Shows the network the mirror image, and turns back what it says: another opinion of the same picture.

    Raises:
        DatasetError: the clip cannot be opened.
    """
    video = cv2.VideoCapture(str(clip))
    if not video.isOpened():
        raise DatasetError(f"{clip} cannot be opened as a video.", hint="give a clip such as walking_side.mp4")
    rate_hz = float(video.get(cv2.CAP_PROP_FPS))
    tracks: list[list[tuple[int, FloatArray, FloatArray]]] = []
    for number, found in enumerate(islice(_estimates(video, rate_hz, most_people, mirrored=mirrored), most_frames)):
        _append(tracks, number, found)
    return [_sighting(track, rate_hz) for track in tracks if len(track) >= _SHORTEST_FRAMES]


def _estimates(
    video: cv2.VideoCapture, rate_hz: float, most_people: int, *, mirrored: bool
) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Points (P, 17, 2) in the unmirrored picture and confidences (P, 17) of each frame."""
    estimator = open_blazepose(_NETWORK, MethodOptions(max_people=most_people))
    number = 0
    try:
        while (read := video.read())[0]:
            picture = np.asarray(read[1], dtype=np.uint8)
            image = np.ascontiguousarray(picture[:, ::-1, ::-1] if mirrored else picture[..., ::-1])
            height_px, width_px = image.shape[:2]
            frame = Frame(image, number / rate_hz, number, cameras.assumed(width_px, height_px))
            yield _universal(estimator.estimate(frame), width_px, mirrored=mirrored)
            number += 1
    finally:
        estimator.close()
        video.release()


def _universal(found: Detections, width_px: int, *, mirrored: bool) -> tuple[FloatArray, FloatArray]:
    points_px, confidence = np.full((found.people, len(JOINTS), 2), np.nan), np.zeros((found.people, len(JOINTS)))
    for j, column in _COLUMNS:
        points_px[:, j], confidence[:, j] = found.keypoints_px[:, column], found.confidence[:, column]
    if mirrored:
        points_px, confidence = points_px[:, list(MIRROR)], confidence[:, list(MIRROR)]
        points_px[..., 0] = width_px - 1 - points_px[..., 0]
    return points_px, confidence


def _append(tracks: list[list[tuple[int, FloatArray, FloatArray]]], number: int, found: tuple[FloatArray, FloatArray]) -> None:
    """Adds a frame's people to whoever they are nearest to in the frame before; the others begin a track."""
    points_px, confidence = found
    before = [track for track in tracks if track[-1][0] == number - 1]
    taken: set[int] = set()
    if before and len(points_px):
        cost = np.array([[distance(track[-1][1], one) for one in points_px] for track in before])
        rows, columns = linear_sum_assignment(np.where(cost < _SAME, cost, _FAR))
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
            if cost[row, column] < _SAME:
                before[row].append((number, points_px[column], confidence[column]))
                taken.add(column)
    tracks += [[(number, points_px[i], confidence[i])] for i in range(len(points_px)) if i not in taken]


def distance(a_px: FloatArray, b_px: FloatArray) -> float:
    """Median distance of two people's points (17, 2), as a share of their size; infinite where they have none in common."""
    apart = np.linalg.norm(a_px - b_px, axis=-1)
    apart = apart[np.isfinite(apart)]
    return float(np.median(apart) / max(sizes_px(a_px), 1.0)) if apart.size else float("inf")


def sizes_px(points_px: FloatArray) -> FloatArray:
    """(..., 17, 2) to (...): the longer side of the box around the points that are there."""
    seen = np.isfinite(points_px)
    highest, lowest = np.where(seen, points_px, -np.inf).max(axis=-2), np.where(seen, points_px, np.inf).min(axis=-2)
    return (highest - lowest).max(axis=-1)


def _sighting(track: list[tuple[int, FloatArray, FloatArray]], rate_hz: float) -> Sighting:
    numbers, points_px, confidence = zip(*track, strict=True)
    return Sighting(np.array(numbers, dtype=np.float64), np.stack(points_px), np.stack(confidence), rate_hz)
