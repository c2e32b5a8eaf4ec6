"""Outlines what moves between two pictures: difference, threshold, contours; each large contour is a person."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from posewire.data import Detections, FloatArray, Frame, ImageArray
from posewire_sample.plugin import JOINTS

LONGER_SIDE_PX = 320
"""Pictures are made smaller first."""
THRESHOLD = 10
"""Grey levels: less is noise of the camera."""
MIN_AREA_SHARE = 0.001
"""Smaller than this share of the picture is nobody."""


class MotionOutlines:
    """Remembers the last picture; the first one has nothing to be compared with."""

    def __init__(self, max_people: int) -> None:
        self._max_people = max_people
        self._last: NDArray[np.uint8] | None = None

    def estimate(self, frame: Frame) -> Detections:
        """The largest moving outlines, as the extreme points of each."""
        small, scale = smaller(frame.image)
        last, self._last = self._last, small
        if last is None or last.shape != small.shape:
            return Detections.nobody(len(JOINTS))
        outlines = moving(last, small)[: self._max_people]
        if not outlines:
            return Detections.nobody(len(JOINTS))
        keypoints_px = scale * np.stack([extremes(outline) for outline in outlines])  # (P, J, 2)
        boxes_px = np.hstack([keypoints_px.min(axis=1), keypoints_px.max(axis=1) + scale])
        return Detections(keypoints_px, np.full(keypoints_px.shape[:2], 0.5), boxes_px)

    def reset(self) -> None:
        """Forgets the last picture."""
        self._last = None

    def close(self) -> None:
        """Forgets the last picture; there is nothing else to free."""
        self.reset()


def smaller(image: ImageArray) -> tuple[NDArray[np.uint8], float]:
    """The picture in grey, its longer side at most LONGER_SIDE_PX, and how many pixels of the original one of its is."""
    height, width = image.shape[:2]
    scale = max(1.0, max(height, width) / LONGER_SIDE_PX)
    size = max(1, round(width / scale)), max(1, round(height / scale))
    grey = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY)
    return cv2.GaussianBlur(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), (5, 5), 0), scale


def moving(last: NDArray[np.uint8], now: NDArray[np.uint8]) -> list[NDArray[np.int32]]:
    """Outlines (N, 2) of what differs between two grey pictures, the largest first."""
    changed = (cv2.absdiff(last, now) > THRESHOLD).astype(np.uint8)
    changed = cv2.dilate(changed, np.ones((15, 15), np.uint8))
    contours, _ = cv2.findContours(changed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    large = [contour for contour in contours if cv2.contourArea(contour) > MIN_AREA_SHARE * now.size]
    return [contour[:, 0] for contour in sorted(large, key=cv2.contourArea, reverse=True)]


def extremes(outline: NDArray[np.int32]) -> FloatArray:
    """Top, bottom, left, right and centre (J, 2) of an outline (N, 2)."""
    x, y = outline.T
    points = outline[[y.argmin(), y.argmax(), x.argmin(), x.argmax()]]
    return np.vstack([points, outline.mean(axis=0)])
