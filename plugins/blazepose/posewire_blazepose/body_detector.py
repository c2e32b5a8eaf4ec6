"""BlazePose's own detector: one prominent body, as the circle around it (hip centre, a point on the rim)."""

from __future__ import annotations

import cv2
import numpy as np

from posewire.data import FloatArray, Frame
from posewire.pictures import to_network
from posewire.runtime import Session
from posewire_blazepose.regions import Region, intersection_over_union

_INPUT = 224
_STRIDES_AND_ANCHORS = ((8, 2), (16, 2), (32, 6))
"""MediaPipe pose_detection: strides 8, 16, 32, 32, 32 with two anchors a cell and layer."""
_MINIMUM_SCORE = 0.5
_SAME_PERSON_IOU = 0.3
"""MediaPipe's weighted non-maximum suppression."""


def anchors() -> FloatArray:
    """Anchor centres (2254, 2) in 0..1 of the input, in the network's order."""
    parts: list[FloatArray] = []
    for stride, repeats in _STRIDES_AND_ANCHORS:
        cells = _INPUT // stride
        y, x = np.mgrid[:cells, :cells]
        centres = (np.stack([x, y], axis=-1).reshape(-1, 2) + 0.5) / cells
        parts.append(np.repeat(centres, repeats, axis=0))
    return np.concatenate(parts)


class BodyDetector:
    """Finds the region of the most prominent person."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._anchors = anchors()

    def find(self, frame: Frame) -> Region | None:
        """The region of the best detection with a score of at least 0.5."""
        width, height = frame.size_px
        letterbox = Region(width / 2, height / 2, float(max(width, height)), 0.0)
        crop = letterbox.crop(frame.picture, _INPUT, border=cv2.BORDER_CONSTANT)
        found = self._session.run({"image": to_network([crop])})
        if found["scores"].max() < _MINIMUM_SCORE:
            return None
        centre_px, rim_px = letterbox.to_picture(self._best(found["boxes"], found["scores"]), _INPUT)
        return Region.from_body_circle(centre_px, rim_px)

    def _best(self, raw: FloatArray, scores: FloatArray) -> FloatArray:
        """The two points (2, 2) of the best detection, averaged with those that overlap it, in input pixels."""
        good = np.flatnonzero(scores >= _MINIMUM_SCORE)
        anchors_px = self._anchors[good] * _INPUT
        centres, sizes = raw[good, :2] + anchors_px, raw[good, 2:4]
        boxes = np.concatenate([centres - sizes / 2, centres + sizes / 2], axis=1)
        best = int(np.argmax(scores[good]))
        same = intersection_over_union(boxes[best], boxes) > _SAME_PERSON_IOU
        points = (raw[good, 4:8].reshape(-1, 2, 2) + anchors_px[:, None])[same]
        return np.average(points, axis=0, weights=scores[good][same])

    def close(self) -> None:
        """Frees the network."""
        self._session.close()
