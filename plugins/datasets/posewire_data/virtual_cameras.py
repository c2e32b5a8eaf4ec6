"""Random cameras around a person, and what they see: 2D for training and testing a lifter without any picture.

Camera axes: x right, y down, z forward. Normalised image coordinates are (x/z, y/z): pixels with K taken away, which is what a
lifter eats, so that one network serves every lens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posewire_data.errors import DatasetError

FloatArray = NDArray[np.floating[Any]]
_NEAREST_M = 0.2
"""A point nearer than this to the camera's plane is unseen."""
_STANDING_M = 1.7


@dataclass(frozen=True, slots=True)
class CameraRanges:
    """What random cameras are drawn from; pairs are lowest and highest."""

    fill: tuple[float, float] = (0.35, 0.95)
    """How much of the picture's height a standing adult fills; with the field of view it gives the distance."""
    vertical_fov_deg: tuple[float, float] = (30.0, 75.0)
    distance_m: tuple[float, float] = (1.6, 9.0)
    """The distance that `fill` asks for is clipped to this."""
    height_m: tuple[float, float] = (0.3, 2.6)
    """Of the camera above the floor."""
    roll_deg: float = 6.0
    """Standard deviation."""
    off_centre: float = 0.12
    """Standard deviation of where the person stands in the picture, of the half picture height."""
    azimuth_deg: tuple[float, float] = (-180.0, 180.0)
    """Around the person, 0 = from +Z."""
    picture_px: tuple[tuple[int, int], ...] = ((1920, 1080), (1280, 720), (640, 480), (1080, 1920))
    """Sizes to choose from (width, height)."""

    def __post_init__(self) -> None:
        for name in ("fill", "vertical_fov_deg", "distance_m", "height_m", "azimuth_deg"):
            low, high = getattr(self, name)
            if not (np.isfinite([low, high]).all() and low <= high):
                raise DatasetError(f"The cameras' {name} is not a range.", got=(low, high), allowed="lowest, highest")


@dataclass(frozen=True, slots=True, eq=False)
class Cameras:
    """B cameras. World: +Y up, metres."""

    R_camera_world: FloatArray
    """(B, 3, 3) world to camera axes."""
    centre_m: FloatArray
    """(B, 3) where each stands, world."""
    K: FloatArray
    """(B, 3, 3) intrinsics, pixels."""
    size_px: NDArray[np.int64]
    """(B, 2) width, height."""

    def __len__(self) -> int:
        return len(self.centre_m)

    def __getitem__(self, rows: Any) -> Cameras:
        """Some of the cameras (a slice, indices or a mask)."""
        return Cameras(self.R_camera_world[rows], self.centre_m[rows], self.K[rows], self.size_px[rows])

    def to_camera(self, positions_m: FloatArray) -> FloatArray:
        """World points (B, ..., 3) to each row's camera axes (B, ..., 3)."""
        B, flat = len(self), positions_m.reshape(len(positions_m), -1, 3)
        seen = (flat - self.centre_m[:, None]) @ np.swapaxes(self.R_camera_world, 1, 2)
        return seen.reshape(B, *positions_m.shape[1:])

    def to_pixels(self, normalised: FloatArray) -> FloatArray:
        """Normalised image points (B, ..., 2) to pixels (B, ..., 2)."""
        flat = normalised.reshape(len(normalised), -1, 2)
        focal = np.stack([self.K[:, 0, 0], self.K[:, 1, 1]], axis=-1)
        return (flat * focal[:, None] + self.K[:, None, :2, 2]).reshape(normalised.shape)


def projected(points_m: FloatArray) -> FloatArray:
    """Points in camera axes (..., 3) to normalised image points (..., 2); NaN where not in front of the camera."""
    z = np.where(points_m[..., 2:] > _NEAREST_M, points_m[..., 2:], np.nan)
    return points_m[..., :2] / z


def random_cameras(rng: np.random.Generator, targets_m: FloatArray, ranges: CameraRanges | None = None) -> Cameras:
    """One random camera for each target (B, 3): the place of a person's pelvis (for a window, its mean over the window).

    It looks at the target, some way off (`off_centre`), and is then rolled.
    """
    ranges = ranges or CameraRanges()
    count = len(targets_m)
    size_px = np.array(ranges.picture_px, dtype=np.int64)[rng.integers(len(ranges.picture_px), size=count)]
    tan_half = np.tan(np.radians(rng.uniform(*ranges.vertical_fov_deg, count)) / 2)
    distance_m = np.clip(_STANDING_M / (2 * rng.uniform(*ranges.fill, count) * tan_half), *ranges.distance_m)
    azimuth_rad = np.radians(rng.uniform(*ranges.azimuth_deg, count))
    centre_m = _around(targets_m, azimuth_rad, distance_m, rng.uniform(*ranges.height_m, count))
    aside = rng.normal(0.0, ranges.off_centre, (count, 2)) * tan_half[:, None]
    R = _rolled(_looking(targets_m - centre_m, aside), np.radians(rng.normal(0.0, ranges.roll_deg, count)))
    return Cameras(R, centre_m, _intrinsics(size_px, tan_half), size_px)


def _around(targets_m: FloatArray, azimuth_rad: FloatArray, distance_m: FloatArray, height_m: FloatArray) -> FloatArray:
    """(B, 3) points at a distance from the targets and a height above the floor; steeper than 60 degrees is lowered."""
    rise = np.clip(height_m - targets_m[:, 1], -0.85 * distance_m, 0.85 * distance_m)
    flat = np.sqrt(distance_m**2 - rise**2)
    return targets_m + np.stack([flat * np.sin(azimuth_rad), rise, flat * np.cos(azimuth_rad)], axis=-1)


def _looking(direction: FloatArray, aside: FloatArray) -> FloatArray:
    """World-to-camera rotations (B, 3, 3) that see a point in `direction` (B, 3) at the normalised image point `aside` (B, 2)."""
    forward = direction / np.linalg.norm(direction, axis=-1, keepdims=True)
    right = np.cross(forward, [0.0, 1.0, 0.0])
    right /= np.linalg.norm(right, axis=-1, keepdims=True)
    straight = np.stack([right, np.cross(forward, right), forward], axis=1)
    return np.swapaxes(_turns(aside), 1, 2) @ straight


def _turns(aside: FloatArray) -> FloatArray:
    """Rotations (B, 3, 3) whose inverse takes the optical axis to the normalised image point `aside` (B, 2)."""
    z = np.concatenate([-aside, np.ones((len(aside), 1))], axis=1)
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    x = np.stack([z[:, 2], np.zeros(len(z)), -z[:, 0]], axis=-1)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    return np.stack([x, np.cross(z, x), z], axis=2)


def _rolled(R: FloatArray, roll: FloatArray) -> FloatArray:
    """Rotations (B, 3, 3) followed by a turn about the optical axis."""
    c, s, zero, one = np.cos(roll), np.sin(roll), np.zeros_like(roll), np.ones_like(roll)
    turn = np.stack([np.stack([c, -s, zero], -1), np.stack([s, c, zero], -1), np.stack([zero, zero, one], -1)], axis=1)
    return turn @ R


def _intrinsics(size_px: NDArray[np.int64], tan_half: FloatArray) -> FloatArray:
    """(B, 3, 3) of a pinhole with square pixels and the principal point in the middle."""
    K = np.zeros((len(size_px), 3, 3))
    K[:, 0, 0] = K[:, 1, 1] = 0.5 * size_px[:, 1] / tan_half
    K[:, :2, 2] = (size_px - 1) / 2
    K[:, 2, 2] = 1.0
    return K
