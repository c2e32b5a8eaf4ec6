"""Person boxes for pictures with several people: NanoDet (Li et al. 2020, arXiv 2006.04388) cut down to one class."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from posewire.data import FloatArray, Frame, ImageArray
from posewire.runtime import Session
from posewire_blazepose.regions import Region, to_network

_LONGER_SIDE = 512
_STRIDES = (8, 16, 32)
_MINIMUM_SCORE = 0.3
"""Low, because the landmark network has the last word about each box."""
_SAME_PERSON_IOU = 0.5


class PersonBox(NamedTuple):
    """Where a person may be."""

    box_px: FloatArray
    """(4,) x0 y0 x1 y1, pixels."""
    score: float
    rotation_rad: float
    """How the person stands in the picture, clockwise; 0 = upright."""

    @property
    def region(self) -> Region:
        """Where the landmark network should look first."""
        return Region.from_box(self.box_px).turned(self.rotation_rad)


class PersonDetector:
    """Finds the box of everybody in a picture."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def find(self, frame: Frame) -> list[PersonBox]:
        """Everybody who is more or less upright, the surest first."""
        boxes, scores = self._boxes(frame.image)
        return [PersonBox(box, float(score), 0.0) for box, score in zip(boxes, scores, strict=True)]

    def find_lying(self, frame: Frame) -> list[PersonBox]:
        """Everybody who lies or hangs sideways: looks at the picture turned to the left and to the right."""
        height, width = frame.image.shape[:2]
        left, left_scores = self._boxes(np.ascontiguousarray(np.rot90(frame.image, 1)))
        right, right_scores = self._boxes(np.ascontiguousarray(np.rot90(frame.image, -1)))
        # np.rot90 once: x' = y, y' = width - x; backwards: x' = height - y, y' = x
        heads_right = np.stack([width - left[:, 3], left[:, 0], width - left[:, 1], left[:, 2]], axis=1)
        heads_left = np.stack([right[:, 1], height - right[:, 2], right[:, 3], height - right[:, 0]], axis=1)
        found = [PersonBox(box, float(s), np.pi / 2) for box, s in zip(heads_right, left_scores, strict=True)]
        found += [PersonBox(box, float(s), -np.pi / 2) for box, s in zip(heads_left, right_scores, strict=True)]
        return sorted(found, key=lambda person: -person.score)

    def _boxes(self, image: ImageArray) -> tuple[FloatArray, FloatArray]:
        """Boxes (P, 4) and scores (P,), the surest first."""
        picture, scale = _fitted(image)
        found = self._session.run({"image": to_network([picture])})
        scores, distances = found["scores"][0], found["distances_px"][0]
        good = np.flatnonzero(scores >= _MINIMUM_SCORE)
        centres = _cell_centres(picture.shape[0], picture.shape[1])[good]
        left_top, right_bottom = distances[:2, good].T, distances[2:, good].T
        boxes = np.concatenate([centres - left_top, centres + right_bottom], axis=1) / scale
        kept = _surest(boxes, scores[good])
        return boxes[kept], scores[good][kept]

    def close(self) -> None:
        """Frees the network."""
        self._session.close()


def _fitted(image: ImageArray) -> tuple[ImageArray, float]:
    """The picture with its longer side at 512, padded at the right and bottom to multiples of 32; and the scale."""
    height, width = image.shape[:2]
    scale = _LONGER_SIDE / max(height, width)
    small = cv2.resize(image, (max(1, round(width * scale)), max(1, round(height * scale))), interpolation=cv2.INTER_LINEAR)
    bottom, right = -small.shape[0] % 32, -small.shape[1] % 32
    padded = cv2.copyMakeBorder(small, 0, bottom, 0, right, cv2.BORDER_CONSTANT, value=(0, 0, 0))
    return np.asarray(padded, dtype=np.uint8), scale


def _cell_centres(height: int, width: int) -> FloatArray:
    """Centres (A, 2) of the cells of all strides, in the network's order, input pixels."""
    parts: list[FloatArray] = []
    for stride in _STRIDES:
        y, x = np.mgrid[: height // stride, : width // stride]
        parts.append((np.stack([x, y], axis=-1).reshape(-1, 2) + 0.5) * stride)
    return np.concatenate(parts)


def _surest(boxes: FloatArray, scores: FloatArray) -> list[int]:
    """Non-maximum suppression; indices, the highest score first."""
    sides = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)
    kept = cv2.dnn.NMSBoxes(sides.tolist(), scores.astype(float).tolist(), _MINIMUM_SCORE, _SAME_PERSON_IOU)
    return [int(index) for index in np.asarray(kept).reshape(-1)]
