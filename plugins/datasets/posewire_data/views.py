"""What virtual cameras see of motion, as two types: with the 3D truth, and without it for training that must not see any."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posewire_data.joints import mirrored
from posewire_data.virtual_cameras import CameraRanges, Cameras, projected, random_cameras

FloatArray = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Views2D:
    """2D only: what a method that learns without 3D labels may see. It holds no 3D and no way to it."""

    normalised: FloatArray
    """(B, ..., 17, 2) normalised image coordinates (x/z, y/z); NaN = unseen."""
    confidence: FloatArray
    """(B, ..., 17) 0..1; 0 where unseen."""


@dataclass(frozen=True, slots=True, eq=False)
class Views:
    """2D with its truth."""

    seen: Views2D
    positions_m: FloatArray
    """(B, ..., 17, 3) the truth, camera axes, not root-relative."""
    cameras: Cameras

    def without_3d(self) -> Views2D:
        """The 2D alone."""
        return self.seen


def views_of(positions_m: FloatArray, cameras: Cameras) -> Views:
    """World positions (B, ..., 17, 3) as one camera a row sees them: exact, and 1 for confidence; what is behind is unseen."""
    in_camera_m = cameras.to_camera(positions_m)
    normalised = projected(in_camera_m)
    confidence = np.asarray(np.isfinite(normalised).all(axis=-1), dtype=np.float64)
    return Views(Views2D(normalised, confidence), in_camera_m, cameras)


def random_views(
    rng: np.random.Generator, positions_m: FloatArray, ranges: CameraRanges | None = None, mirror: float = 0.5
) -> Views:
    """World positions (B, ..., 17, 3), a pose or window a row, each from a random camera; mirrored with chance `mirror`."""
    flip = rng.random(len(positions_m)) < mirror
    shown = np.where(flip.reshape(-1, *(1,) * (positions_m.ndim - 1)), mirrored(positions_m), positions_m)
    pelvis_m = shown.reshape(len(shown), -1, *shown.shape[-2:])[:, :, 0]
    return views_of(shown, random_cameras(rng, pelvis_m.mean(axis=1), ranges))
