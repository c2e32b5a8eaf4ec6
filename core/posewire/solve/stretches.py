"""A take as each person's stretches: the frames that one motion runs through, without a gap, a cut or a step back in time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from posewire.data import Camera, FloatArray, Track
from posewire.skeleton import REFERENCE

LONGEST_GAP_S = 0.5
"""After so long without being seen a person's motion begins anew, as it does live."""
_CUT_SHARE = 0.4
"""A body that moves by this share of its size in the picture between two frames was cut, not quick: at 30 frames a second a
sprinter does a sixth."""
_CUT_STEP_S = 0.1
"""Frames further apart than this show no cut: a body may have moved anywhere."""


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """One person in one frame."""

    frame: int
    """Number of the frame in the take."""
    time_s: float
    track: Track
    camera: Camera


def stretches(sights: Iterable[Sight]) -> list[list[Sight]]:
    """Splits one person's sights, in the take's order, wherever the motion does not go on."""
    rows = list(sights)
    starts = [0, *(k for k, (a, b) in enumerate(pairwise(rows), start=1) if not _goes_on(a, b)), len(rows)]
    return [rows[start:end] for start, end in pairwise(starts) if end > start]


def _goes_on(before: Sight, after: Sight) -> bool:
    step_s = after.time_s - before.time_s
    if not 0.0 < step_s <= LONGEST_GAP_S or after.camera is not before.camera:
        return False
    return step_s > _CUT_STEP_S or _moved_share(before.track, after.track) < _CUT_SHARE


def _moved_share(before: Track, after: Track) -> float:
    """Median way of the keypoints over the size of the body in the picture; 0 where nothing is seen in both."""
    way_px = np.linalg.norm(after.keypoints_px - before.keypoints_px, axis=1)
    if not np.isfinite(way_px).any():
        return 0.0
    return float(np.nanmedian(way_px)) / max(_size_px(before.keypoints_px), _size_px(after.keypoints_px), 1.0)


def _size_px(keypoints_px: FloatArray) -> float:
    seen = keypoints_px[np.isfinite(keypoints_px).all(axis=1)]
    return float(np.linalg.norm(np.ptp(seen, axis=0))) if len(seen) else 0.0


def shared_joints(keypoint_names: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Columns of the keypoints that are joints of the native skeleton by name, and the indices of those joints."""
    shared = [name for name in keypoint_names if name in REFERENCE.names]
    columns = [list(keypoint_names).index(name) for name in shared]
    return np.array(columns, dtype=np.int64), np.array([REFERENCE.index(name) for name in shared], dtype=np.int64)
