"""What `posewire info` tells of a take."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from posewire.data import Camera, CameraOrigin

if TYPE_CHECKING:
    from posewire.take.recording import Take


@dataclass(frozen=True, slots=True)
class PersonSummary:
    """One person of a take."""

    person_id: int
    frames: int
    first_s: float
    last_s: float
    fitted: bool
    """True when there are poses, not only keypoints."""


@dataclass(frozen=True, slots=True)
class CameraSummary:
    """The last camera of a take."""

    width_px: int
    height_px: int
    vertical_fov_deg: float
    origin: CameraOrigin
    changes: int
    """How often another camera came into use."""


@dataclass(frozen=True, slots=True)
class TakeSummary:
    """A take at a glance."""

    path: str
    size_bytes: int
    created: str | None
    """ISO 8601, UTC; None = not a date."""
    posewire_version: str
    source: str
    method: str
    lifter: str | None
    frames: int
    duration_s: float
    """From the first frame to the last."""
    median_fps: float | None
    """Frames a second by the median interval; None with fewer than two frames."""
    people: tuple[PersonSummary, ...]
    camera: CameraSummary | None
    complete: bool
    damage: tuple[str, ...]
    settings: dict[str, object]

    def as_json(self) -> dict[str, Any]:
        """Plain maps, lists, texts and numbers."""
        return asdict(self)


def summarise(take: Take) -> TakeSummary:
    """The summary of an opened take."""
    people = (
        PersonSummary(person_id, span.frames, span.first_s, span.last_s, span.skeleton is not None)
        for person_id, span in take.people.items()
    )
    return TakeSummary(
        path=str(take.path),
        size_bytes=take.size_bytes,
        created=_iso(take.header.created_unix_ns),
        posewire_version=take.header.posewire_version,
        source=take.header.source,
        method=take.header.method,
        lifter=take.header.lifter,
        frames=len(take),
        duration_s=float(np.ptp(take.time_s)) if len(take) else 0.0,
        median_fps=_median_fps(take),
        people=tuple(people),
        camera=_camera(take.camera, len(take.cameras) - 1),
        complete=take.complete,
        damage=take.damage,
        settings=dict(take.header.settings),
    )


def _iso(unix_ns: int) -> str | None:
    try:
        return datetime.fromtimestamp(unix_ns / 1e9, UTC).isoformat(timespec="seconds")
    except (ValueError, OverflowError, OSError):  # a damaged or invented number need not be a date
        return None


def _median_fps(take: Take) -> float | None:
    interval_s = float(np.median(np.diff(take.time_s))) if len(take) > 1 else 0.0
    return 1.0 / interval_s if interval_s > 0 else None


def _camera(camera: Camera | None, changes: int) -> CameraSummary | None:
    if camera is None:
        return None
    fov_deg = math.degrees(2 * math.atan(0.5 * camera.height_px / camera.K[1, 1]))
    return CameraSummary(camera.width_px, camera.height_px, fov_deg, camera.origin, changes)
