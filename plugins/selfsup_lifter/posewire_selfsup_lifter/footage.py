"""Real clips to MultiView2D: two or more synchronised cameras, one person, any 2D method's keypoints (here BlazePose's).

Nothing of the clips but keypoints goes on. Instants are matched by media time; the clips must start together (or `offsets_s` says
by how much each is late).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from posewire import camera as cameras
from posewire.data import Camera
from posewire.errors import SourceError
from posewire_data.joints import HIPS, JOINTS, ROOT, with_middles
from posewire_data.watch import Sighting, watch
from posewire_selfsup_lifter import extrinsics
from posewire_selfsup_lifter.views import MultiView2D

Floats = NDArray[np.floating[Any]]

LEAST_INSTANTS = 20


def views_of(clips: Sequence[Path], lenses: Sequence[Camera | None], offsets_s: Sequence[float] | None = None) -> MultiView2D:
    """What the clips' cameras see of the person at the same instants; no extrinsics yet.

    Args:
        clips: Video files, two or more.
        lenses: A camera file's intrinsics for each, None = assumed (54 degrees).
        offsets_s: How much later each clip starts than the first; None = together.

    Raises:
        SourceError: a clip shows nobody, or too few instants are common.
    """
    seen = [_longest(clip) for clip in clips]
    offsets_s = offsets_s or [0.0] * len(clips)
    instants_s, rows = _common([one.frames / one.rate_hz + late for one, late in zip(seen, offsets_s, strict=True)])
    if len(instants_s) < LEAST_INSTANTS:
        raise SourceError(
            "The clips have too little in common.", got=f"{len(instants_s)} instants", allowed=f"{LEAST_INSTANTS} and more"
        )
    parts = [_one(one, row, clip, lens) for one, row, clip, lens in zip(seen, rows, clips, lenses, strict=True)]
    rays, confidence = (np.stack(arrays, axis=1) for arrays in zip(*parts, strict=True))
    return MultiView2D(JOINTS, rays, confidence)


def _longest(clip: Path) -> Sighting:
    people = watch(clip)
    if not people:
        raise SourceError(f"Nobody is seen in {clip}.", hint="posewire run CLIP shows what the method sees")
    return max(people, key=lambda one: len(one.frames))


def _common(times_s: Sequence[Floats]) -> tuple[Floats, list[NDArray[np.intp]]]:
    """The first clip's instants that every clip has within half its frame spacing, and the row of each clip."""
    spacing_s = float(np.median(np.diff(times_s[0])))
    nearest = [np.abs(times[None] - times_s[0][:, None]).argmin(axis=1) for times in times_s]
    apart = np.stack([np.abs(times[row] - times_s[0]) for times, row in zip(times_s, nearest, strict=True)])
    both = (apart <= spacing_s / 2).all(axis=0)
    return times_s[0][both], [row[both] for row in nearest]


def _one(seen: Sighting, rows: NDArray[np.intp], clip: Path, lens: Camera | None) -> tuple[Floats, Floats]:
    """Rays (N, J, 2) and confidence (N, J); the pelvis is the middle of the hips."""
    camera = lens or _assumed(clip)
    rays = with_middles(cameras.rays(seen.points_px[rows], camera)[..., :2])
    confidence = seen.confidence[rows].copy()
    confidence[:, ROOT] = np.where(confidence[:, ROOT] > 0, confidence[:, ROOT], confidence[:, HIPS].min(axis=1))
    return rays, np.where(np.isfinite(rays).all(axis=-1), np.clip(confidence, 0.0, 1.0), 0.0)


def _assumed(clip: Path) -> Camera:
    video = cv2.VideoCapture(str(clip))
    size = int(video.get(cv2.CAP_PROP_FRAME_WIDTH)), int(video.get(cv2.CAP_PROP_FRAME_HEIGHT))
    video.release()
    return cameras.assumed(*size)


def with_cameras(views: MultiView2D, *, distance_m: float | None, stature_m: float | None) -> MultiView2D:
    """The views with extrinsics found by RANSAC, in metres by whichever measure is given; without one their scale is unknown."""
    found = extrinsics.found(views)
    if distance_m is not None:
        return extrinsics.scaled_by_distance(found, distance_m)
    return extrinsics.scaled_by_stature(found, stature_m) if stature_m is not None else found
