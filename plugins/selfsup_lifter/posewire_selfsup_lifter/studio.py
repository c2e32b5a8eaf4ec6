"""Motion to MultiView2D: virtual cameras look at it, and only what they see goes on. The one file here that touches 3D.

No teacher, loss or loop imports it (a test reads the imports); `python -m posewire_selfsup_lifter project` writes its result to a
file, so that training can run on a machine that has no motion at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posewire.data import FloatArray
from posewire.errors import SettingsError
from posewire_data import bodies
from posewire_data.joints import JOINTS, ROOT, mirrored
from posewire_data.motion import MotionSet
from posewire_data.virtual_cameras import CameraRanges, projected, random_cameras
from posewire_selfsup_lifter.settings import SelfsupSettings
from posewire_selfsup_lifter.views import Extrinsics, MultiView2D
from posewire_training.mixing import Mixing, mixed
from posewire_training.real import RealClips

Floats = NDArray[np.floating[Any]]

STUDIO_AZIMUTHS_DEG = (45.0, 135.0, 225.0, 315.0)
STUDIO_DISTANCE_M, STUDIO_HEIGHT_M = 4.5, 1.5
"""Four cameras in the corners of a room, as Human3.6M's: all that a studio without virtual cameras has."""


@dataclass(frozen=True, slots=True)
class Casting:
    """Who stands before the cameras: the recorded poses, or more than those."""

    proportions: float = 0.0
    """Standard deviation of each bone's length, as a share."""
    mirror: bool = False
    """Half of the poses in the mirror, left and right renamed."""
    mixing: Mixing | None = None
    """Limbs exchanged and turned."""
    real: RealClips | None = None
    """Some of the people get human proportions."""

    def chosen(self, count: int, rng: np.random.Generator) -> FloatArray | None:
        """(N,) 1 = like a real clip; None = nobody is."""
        return None if self.real is None else (rng.random(count) < self.real.share).astype(np.float64)

    def of(self, positions_m: Floats, rng: np.random.Generator, like_real: FloatArray | None = None) -> Floats:
        """Poses (N, 17, 3) as they are shown."""
        shown = positions_m[:, None].astype(np.float32)
        if self.mixing is not None:
            shown = mixed(rng, shown, self.mixing)
        if self.proportions:
            factors = bodies.random_proportions(rng, len(shown), self.proportions).astype(np.float32)
            shown = bodies.resized(shown, factors)
        if self.real is not None and like_real is not None:
            shown[like_real > 0] = self.real.bodies(rng, shown[like_real > 0])
        flip = rng.random((len(shown), 1, 1)) < (0.5 if self.mirror else 0.0)
        return np.where(flip, mirrored(shown[:, 0]), shown[:, 0]).astype(np.float64)


AS_RECORDED = Casting()


def virtual_views(
    motion: MotionSet,
    instants: int,
    seed: int,
    *,
    views: int = 2,
    casting: Casting = AS_RECORDED,
    ranges: CameraRanges | None = None,
) -> MultiView2D:
    """Poses drawn from the motion, each seen by its own random cameras (Ch. 3.6.1, data augmentation, taken to its end)."""
    rng = np.random.default_rng(seed)
    recorded_m = motion.frames_m()
    rows = rng.permutation(np.resize(rng.permutation(len(recorded_m)), instants))
    like_real = casting.chosen(instants, rng)
    shown_m = casting.of(recorded_m[rows], rng, like_real)
    cameras = [random_cameras(rng, shown_m[:, ROOT], ranges) for _ in range(views)]
    rays = np.stack([projected(camera.to_camera(shown_m)) for camera in cameras], axis=1)
    R = np.stack([camera.R_camera_world for camera in cameras], axis=1)
    return _views(rays, R, np.stack([camera.centre_m for camera in cameras], axis=1), like_real)


def studio_views(motion: MotionSet, more: int = 0, seed: int = 0, *, casting: Casting = AS_RECORDED) -> MultiView2D:
    """Every clip in a room with four fixed cameras, and `more` virtual ones that stay for the clip: 8 in Ch. 3.6.1."""
    rng = np.random.default_rng(seed)
    azimuths = np.radians([*STUDIO_AZIMUTHS_DEG, *rng.uniform(0.0, 360.0, more)])
    heights_m = np.array([STUDIO_HEIGHT_M] * 4 + list(rng.uniform(0.5, 2.5, more)))
    distances_m = np.array([STUDIO_DISTANCE_M] * 4 + list(rng.uniform(3.0, 7.0, more)))
    like_real = casting.chosen(sum(map(len, motion.clips)), rng)
    shown_m = casting.of(motion.frames_m(), rng, like_real)
    ends = np.cumsum([len(clip) for clip in motion.clips])[:-1]
    parts = [_room(clip_m, azimuths, heights_m, distances_m) for clip_m in np.split(shown_m, ends)]
    rays, R, centres_m = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return _views(rays, R, centres_m, like_real)


def _room(positions_m: Floats, azimuths: Floats, heights_m: Floats, distances_m: Floats) -> tuple[Floats, Floats, Floats]:
    """Rays (F, V, J, 2), rotations (F, V, 3, 3) and centres (F, V, 3) of cameras around the middle of a clip."""
    middle = np.median(positions_m[:, ROOT], axis=0) * [1.0, 0.0, 1.0]
    around = np.stack([np.sin(azimuths) * distances_m, heights_m, np.cos(azimuths) * distances_m], axis=-1)  # (V, 3)
    centres_m = middle + around
    R = _looking(middle + np.array([0.0, 0.9, 0.0]) - centres_m)
    in_camera = np.einsum("vij,fvkj->fvki", R, positions_m[:, None] - centres_m[None, :, None])
    frames = len(positions_m)
    return projected(in_camera), np.broadcast_to(R, (frames, *R.shape)), np.broadcast_to(centres_m, (frames, *centres_m.shape))


def _looking(direction: Floats) -> Floats:
    """World-to-camera rotations (V, 3, 3) of level cameras that look along `direction` (V, 3)."""
    forward = direction / np.linalg.norm(direction, axis=-1, keepdims=True)
    right = np.cross(forward, [0.0, 1.0, 0.0])
    right /= np.linalg.norm(right, axis=-1, keepdims=True)
    return np.stack([right, np.cross(forward, right), forward], axis=1)


def _views(rays: Floats, R_camera_world: Floats, centre_m: Floats, like_real: FloatArray | None) -> MultiView2D:
    seen = np.asarray(np.isfinite(rays).all(axis=-1), dtype=np.float64)
    pictures = np.where(seen[..., None] > 0, rays, np.nan).astype(np.float64)
    extrinsics = Extrinsics(R_camera_world.astype(np.float64), centre_m.astype(np.float64), "calibrated")
    return MultiView2D(JOINTS, pictures, seen, extrinsics, like_real)


def views_for(settings: SelfsupSettings, motion: MotionSet, *, seed: int = 0) -> MultiView2D:
    """What the run's settings say the cameras see of this motion."""
    if settings.cameras == "given":
        raise SettingsError("Motion has no given cameras.", got="--cameras given", hint="views of a file: train --views FILE.npz")
    real = RealClips(settings.real_share) if settings.real_share else None
    casting = Casting(settings.proportions, settings.mirror, Mixing() if settings.mixing else None, real)
    if settings.cameras == "virtual":
        return virtual_views(motion, settings.instants, seed, casting=casting)
    return studio_views(motion, 8 if settings.cameras == "studio+virtual" else 0, seed, casting=casting)
