"""Where a frame of a film lies in a training picture, at a random size: the picture, its points, its people, its camera."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from posewire.data import Camera, FloatArray
from posewire_xnect.letterbox import LONGER_PX, SHORTER_PX, Size

SMALLEST, LARGEST = 0.75, 1.9
"""Beside a frame that fills the picture: with black around it, or a part of it."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Scaled, moved, tilted about the middle of the picture, then perhaps mirrored."""

    scale: float
    """Pixels of the picture to one of the frame."""
    left_px: float
    top_px: float
    """Where the frame's corner lies in the picture, before the mirror; below 0: outside."""
    mirrored: bool
    room: Size = (LONGER_PX, SHORTER_PX)
    """Of the picture."""
    tilt_rad: float = 0.0
    """From x to y: clockwise as one sees it. As of a camera that rolls, whose principal point moves along."""

    @classmethod
    def drawn(cls, size: Size, rng: np.random.Generator) -> Self:
        """Somewhere; a frame that is larger than the picture covers it."""
        fill = min(LONGER_PX / size[0], SHORTER_PX / size[1])
        scale = fill * float(np.exp(rng.uniform(np.log(SMALLEST), np.log(LARGEST))))
        slack = [room - scale * side for room, side in zip((LONGER_PX, SHORTER_PX), size, strict=True)]
        left, top = (float(rng.uniform(min(0.0, some), max(0.0, some))) for some in slack)
        return cls(scale, left, top, bool(rng.random() < 0.5))

    def picture(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """RGB (H, W, 3) to (3, 320, 512), or as high and wide as there is room, 0..1."""
        way = cv2.INTER_AREA if self.scale < 1 else cv2.INTER_LINEAR
        small = cv2.resize(image, None, fx=self.scale, fy=self.scale, interpolation=way)
        M = np.column_stack([self._R, self._tilted(np.array([self.left_px, self.top_px]))])
        laid = cv2.warpAffine(small, M, self.room)
        seen = laid[:, ::-1] if self.mirrored else laid
        return np.divide(seen.transpose(2, 0, 1), 255.0, dtype=np.float32)

    def points(self, frame_px: FloatArray) -> FloatArray:
        """Points (..., 2) of the frame in the picture."""
        x, y = np.moveaxis(self._tilted((frame_px + 0.5) * self.scale - 0.5 + np.array([self.left_px, self.top_px])), -1, 0)
        return np.stack([self.room[0] - 1 - x if self.mirrored else x, y], axis=-1)

    def frame_points(self, points_px: FloatArray) -> FloatArray:
        """Points (..., 2) of the picture in the frame; undoes `points`."""
        x, y = np.moveaxis(points_px, -1, 0)
        upright = (np.stack([self.room[0] - 1 - x if self.mirrored else x, y], axis=-1) - self._middle) @ self._R + self._middle
        return (upright - np.array([self.left_px, self.top_px]) + 0.5) / self.scale - 0.5

    def joints(self, joints_m: FloatArray) -> FloatArray:
        """Joints (..., 3) of the frame's camera, or of one that looks straight at somebody, in the axes of the picture's."""
        rolled = joints_m.copy()
        rolled[..., :2] = joints_m[..., :2] @ self._R.T
        return rolled * np.array([-1.0 if self.mirrored else 1.0, 1.0, 1.0])

    @property
    def _R(self) -> FloatArray:
        """(2, 2)."""
        c, s = np.cos(self.tilt_rad), np.sin(self.tilt_rad)
        return np.array([[c, -s], [s, c]])

    @property
    def _middle(self) -> FloatArray:
        return (np.array(self.room) - 1) / 2

    def _tilted(self, points_px: FloatArray) -> FloatArray:
        """About the middle."""
        return (points_px - self._middle) @ self._R.T + self._middle

    def K(self, view: Camera) -> FloatArray:
        """(3, 3) of the picture."""
        K = view.K.copy()
        K[:2] *= self.scale
        K[:2, 2] = self.points(view.K[:2, 2])
        return K
