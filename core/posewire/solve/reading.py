"""What a solve takes from a take: its frames, and each person's sights, through another camera or lifter where asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from posewire import camera as cameras
from posewire.data import Camera, Track
from posewire.errors import TakeError
from posewire.lift import LiftStage
from posewire.shell import typed
from posewire.skeleton import MARKERS
from posewire.solve.settings import SolveSettings
from posewire.solve.stretches import Sight
from posewire.take import Take, TakeFrame


@dataclass(frozen=True, slots=True, eq=False)
class Recorded:
    """The frames of the new take, still without poses, and who is seen in them."""

    frames: list[TakeFrame]
    sights: Mapping[int, list[Sight]]
    """By person id, in the take's order; rows in which the person was missed are not among them."""
    without_camera: int
    """Frames left out because their camera is damaged."""


def check_solvable(take: Take) -> None:
    """Raises TakeError when a take holds nothing that can be fitted."""
    if not any(name in MARKERS for name in take.header.keypoint_names):
        raise TakeError(
            "The take has no keypoint that lies on the skeleton.",
            got=", ".join(take.header.keypoint_names) or "no keypoints at all",
            allowed="some of " + ", ".join(list(MARKERS)[:8]) + ", ...",
        )
    if not any(run.track is not None for batch in take.batches() for run in batch.runs):
        raise TakeError(
            "The take has no recorded keypoints.",
            got=f"{len(take)} frames, {len(take.people)} people",
            allowed="a take in which somebody was seen",
            hint=typed("posewire", "info", take.path),
        )


def read(take: Take, settings: SolveSettings, lift: LiftStage | None) -> Recorded:
    """Everything of the take but its poses, and the people to fit."""
    views: dict[int, Camera] = {}
    frames: list[TakeFrame] = []
    sights: dict[int, list[Sight]] = {}
    for frame in take:
        if frame.camera is None:
            continue
        camera = views.setdefault(id(frame.camera), _camera(frame.camera, settings))
        tracks = tuple(_lifted(track, frame.time_s, camera, lift) for track in frame.tracks)
        for track in tracks:
            if track.missed_frames == 0:
                sights.setdefault(track.person_id, []).append(Sight(len(frames), frame.time_s, track, camera))
        frames.append(replace(frame, camera=camera, tracks=tracks, poses=(), skeletons={}))
    return Recorded(frames, dict(sorted(sights.items())), len(take) - len(frames))


def _camera(recorded: Camera, settings: SolveSettings) -> Camera:
    if settings.camera is not None:
        return cameras.resized(settings.camera, recorded.width_px, recorded.height_px)
    if settings.vertical_fov_deg is not None:
        return cameras.assumed(recorded.width_px, recorded.height_px, settings.vertical_fov_deg)
    return recorded


def _lifted(track: Track, time_s: float, camera: Camera, lift: LiftStage | None) -> Track:
    """With the lifter's 3D; a person who was missed has nothing new to lift."""
    return track if lift is None or track.missed_frames else lift.lift(track, time_s, camera)
