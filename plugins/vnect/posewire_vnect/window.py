"""Square windows of the picture, upright or turned: where the network looks, and how its numbers come back."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from posewire.data import FloatArray, ImageArray, Picture
from posewire.pictures import warped

SMALLEST_PX, LARGEST_PX = 8.0, 1e5


class Window(NamedTuple):
    """A square of the picture. Pixel centres lie at whole numbers, in the picture and in the crop."""

    x_px: float
    """Its centre."""
    y_px: float
    side_px: float
    turn_rad: float = 0.0
    """Clockwise in the picture; a person who lies turned like this stands upright in the crop."""

    @property
    def centre_px(self) -> FloatArray:
        """(2,) in the picture."""
        return np.array([self.x_px, self.y_px])

    @property
    def usable(self) -> bool:
        """False for a window that has degenerated: too small to hold a picture, or not a number."""
        return all(map(math.isfinite, self)) and SMALLEST_PX <= self.side_px <= LARGEST_PX

    def scaled(self, scale: float) -> Window:
        """The window in which everything looks `scale` times as large."""
        return self._replace(side_px=self.side_px / scale)

    def turned(self, angle_rad: float) -> Window:
        """The same square, turned further."""
        return self._replace(turn_rad=math.remainder(self.turn_rad + angle_rad, 2 * math.pi))

    def to_picture(self, crop_px: FloatArray, crop_size: int) -> FloatArray:
        """Pixels (..., 2) of the crop_size x crop_size crop to pixels (..., 2) of the picture."""
        scale = self.side_px / crop_size
        return ((crop_px - (crop_size - 1) / 2) * scale) @ turn_matrix(self.turn_rad).T + self.centre_px

    def to_crop(self, picture_px: FloatArray, crop_size: int) -> FloatArray:
        """Undoes `to_picture`."""
        scale = self.side_px / crop_size
        return (picture_px - self.centre_px) @ turn_matrix(self.turn_rad) / scale + (crop_size - 1) / 2

    def crop(self, picture: ImageArray | Picture, crop_size: int) -> ImageArray:
        """(crop_size, crop_size, 3) uint8 RGB; outside the picture its edge is repeated."""
        origin, right, down = self.to_picture(np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), crop_size)
        return warped(picture, np.stack([right - origin, down - origin, origin], axis=1), crop_size)


def turn_matrix(angle_rad: float) -> FloatArray:
    """(2, 2) clockwise in the picture, whose y points down."""
    c, s = math.cos(angle_rad), math.sin(angle_rad)
    return np.array([[c, -s], [s, c]])
