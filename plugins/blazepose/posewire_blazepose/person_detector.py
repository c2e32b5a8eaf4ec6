"""Person boxes for pictures with several people: NanoDet (Li et al. 2020, arXiv 2006.04388) cut down to one class."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import cv2
import numpy as np

from posewire.data import FloatArray, Frame, ImageArray
from posewire.pictures import to_network
from posewire.runtime import Session
from posewire_blazepose.regions import Region

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
    """Finds the box of everybody in a picture.

    Args:
        open_network: Called once, when the network is first needed: for one person whom BlazePose's own detector finds, never.
    """

    def __init__(self, open_network: Callable[[], Session]) -> None:
        self._open_network = open_network
        self._session: Session | None = None

    def find(self, frame: Frame) -> list[PersonBox]:
        """Everybody who is more or less upright, the surest first."""
        boxes, scores = self._boxes(frame.image)
        return [PersonBox(box, float(score), 0.0) for box, score in zip(boxes, scores, strict=True)]

    def find_turned(self, frame: Frame) -> list[PersonBox]:
        """Everybody who lies or hangs, the surest first: looks at the picture in its three other turns."""
        return sorted(
            (person for turns in (1, 2, 3) for person in self._turned(frame.image, turns)), key=lambda person: -person.score
        )

    def _turned(self, image: ImageArray, quarter_turns: int) -> Iterator[PersonBox]:
        """np.rot90 turns the picture to the left; who is upright in it then has the head to the right in the original."""
        boxes, scores = self._boxes(np.ascontiguousarray(np.rot90(image, quarter_turns)))
        corners = boxes.reshape(-1, 2, 2)  # (P, 2, 2) x y
        height, width = image.shape[:2]
        for turn in reversed(range(quarter_turns)):  # one turn is x' = y, y' = width - x; undone from the last to the first
            corners = np.stack([(height if turn % 2 else width) - corners[..., 1], corners[..., 0]], axis=-1)
        original = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)
        for box, score in zip(original, scores, strict=True):
            yield PersonBox(box, float(score), quarter_turns * np.pi / 2)

    def _boxes(self, image: ImageArray) -> tuple[FloatArray, FloatArray]:
        """Boxes (P, 4) and scores (P,), the surest first."""
        picture, scale = _fitted(image)
        self._session = self._session or self._open_network()
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
        if self._session is not None:
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
