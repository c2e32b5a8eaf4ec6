"""Turned square regions: where the landmark network looks, and how its numbers come back into the picture.

Constants and geometry follow MediaPipe's pose graphs (Apache-2.0): pose_detection_to_roi, pose_landmarks_to_roi.
"""

from __future__ import annotations

import math
from typing import NamedTuple, Self

import cv2
import numpy as np

from posewire.data import FloatArray, ImageArray, Picture
from posewire.pictures import warped

_GROW = 1.25
"""A region is this much larger than the circle around the body that its two points describe."""


class Region(NamedTuple):
    """A square of the picture; at rotation 0 the person stands upright in it."""

    x_px: float
    y_px: float
    size_px: float
    rotation_rad: float
    """Clockwise in the picture."""

    @classmethod
    def from_body_circle(cls, centre_px: FloatArray, rim_px: FloatArray) -> Self:
        """From the hip centre (2,) and the point (2,) on the circle around the body in the direction of the head."""
        dx, dy = rim_px - centre_px
        size_px = 2 * math.hypot(dx, dy) * _GROW
        rotation = math.pi / 2 - math.atan2(-dy, dx)
        return cls(float(centre_px[0]), float(centre_px[1]), size_px, math.remainder(rotation, 2 * math.pi))

    @classmethod
    def from_box(cls, box_px: FloatArray) -> Self:
        """An upright region around a person box (4,) x0 y0 x1 y1."""
        x0, y0, x1, y1 = map(float, box_px)
        return cls((x0 + x1) / 2, (y0 + y1) / 2, max(x1 - x0, y1 - y0) * _GROW, 0.0)

    def turned(self, angle_rad: float) -> Region:
        """The same square, turned further."""
        return self._replace(rotation_rad=math.remainder(self.rotation_rad + angle_rad, 2 * math.pi))

    @property
    def usable(self) -> bool:
        """False for a region that has degenerated: too small to hold a picture, or not a number."""
        return all(map(math.isfinite, self)) and 4.0 <= self.size_px <= 1e5

    def to_picture(self, crop_px: FloatArray, crop_size: int) -> FloatArray:
        """Crop pixels (..., 2) of a crop_size square to picture pixels (..., 2)."""
        offset = (crop_px / crop_size - 0.5) * self.size_px
        return offset @ self._turn.T + [self.x_px, self.y_px]

    def turn_3d(self, points_m: FloatArray) -> FloatArray:
        """Points (..., 3) in the crop's axes to the picture's: a turn about the viewing axis."""
        turned = points_m.copy()
        turned[..., :2] = points_m[..., :2] @ self._turn.T
        return turned

    @property
    def _turn(self) -> FloatArray:
        c, s = math.cos(self.rotation_rad), math.sin(self.rotation_rad)
        return np.array([[c, -s], [s, c]])

    def crop(self, picture: ImageArray | Picture, crop_size: int, border: int = cv2.BORDER_REPLICATE) -> ImageArray:
        """The region as an upright (crop_size, crop_size, 3) RGB picture."""
        scale = self.size_px / crop_size
        c, s = math.cos(self.rotation_rad) * scale, math.sin(self.rotation_rad) * scale
        half = crop_size / 2
        crop_to_picture = np.array([[c, -s, self.x_px - (c - s) * half], [s, c, self.y_px - (s + c) * half]])
        return warped(picture, crop_to_picture, crop_size, border)


class CircleFilter:
    """The original steadies the body circle before it becomes the next region, also when it smooths nothing else.

    One-Euro (Casiez et al. 2012) on pixels at a nominal 30 Hz, speeds counted in circle diameters a second:
    cutoff = 0.01 + 10 * |speed|, speed low-passed at 1 Hz.
    """

    _STEP_S, _MINIMUM_HZ, _BETA, _SPEED_HZ = 1 / 30, 0.01, 10.0, 1.0

    def __init__(self, circle_px: FloatArray) -> None:
        self._raw_px = self._smooth_px = circle_px
        self._speed = np.zeros_like(circle_px)

    def __call__(self, circle_px: FloatArray) -> FloatArray:
        """The next circle (2, 2), steadied."""
        diameter_px = 2 * float(np.linalg.norm(circle_px[1] - circle_px[0]))
        speed = (circle_px - self._raw_px) / max(diameter_px, 1e-6) / self._STEP_S
        self._speed = self._speed + self._share(np.array(self._SPEED_HZ)) * (speed - self._speed)
        share = self._share(self._MINIMUM_HZ + self._BETA * np.abs(self._speed))
        self._smooth_px = self._smooth_px + share * (circle_px - self._smooth_px)
        self._raw_px = circle_px
        return self._smooth_px

    def _share(self, cutoff_hz: FloatArray) -> FloatArray:
        turns = 2 * np.pi * cutoff_hz * self._STEP_S
        return turns / (1 + turns)


def intersection_over_union(box: FloatArray, boxes: FloatArray) -> FloatArray:
    """IoU (B,) of one box (4,) x0 y0 x1 y1 with boxes (B, 4)."""
    sides = np.minimum(box[2:], boxes[:, 2:]) - np.maximum(box[:2], boxes[:, :2])
    shared = np.prod(np.maximum(sides, 0), axis=1)
    area, areas = np.prod(box[2:] - box[:2]), np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    return shared / np.maximum(area + areas - shared, 1e-9)
