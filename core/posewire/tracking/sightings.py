"""One frame's detections as the tracker looks at them: the usable rows, their looks (read once, on demand), who hides whom."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from posewire.data import Detections, FloatArray, Frame
from posewire.tracking import appearance, association
from posewire.tracking.person import Person, body_box, diagonal_px

_DUPLICATE = 0.1
"""A newcomer nearer than this (in box diagonals) to somebody else in the frame is the same body seen twice."""
_OCCLUDED = 0.1
"""Share of a person's box under another's from which the appearance is not learned."""


class Sightings:
    """The rows of a Detections that hold at least one keypoint; a row's histogram is computed when first asked for."""

    def __init__(self, detections: Detections, frame: Frame, torso: NDArray[np.int64]) -> None:
        self.detections = detections
        self.time_s = frame.time_s
        seen = np.isfinite(detections.keypoints_px).all(axis=-1)  # (P, J)
        self.rows: list[int] = [int(row) for row in np.flatnonzero(seen.any(axis=-1))]
        self.keypoints_px = detections.keypoints_px[self.rows]
        self.keypoints_m = None if detections.keypoints_m is None else detections.keypoints_m[self.rows]
        self._boxes_px = {row: body_box(detections.boxes_px[row], detections.keypoints_px[row]) for row in self.rows}
        self._image = frame.image
        self._torso = torso
        self._histograms: dict[int, FloatArray | None] = {}

    def histogram(self, row: int) -> FloatArray | None:
        """The torso's colours; None where they cannot be read."""
        if row not in self._histograms:
            corners_px = self.detections.keypoints_px[row, self._torso]
            self._histograms[row] = appearance.torso_histogram(self._image, corners_px)
        return self._histograms[row]

    def left_over(self, taken: Sequence[tuple[Person, int]]) -> list[int]:
        """Rows that nobody has been matched with."""
        used = {row for _, row in taken}
        return [row for row in self.rows if row not in used]

    def is_occluded(self, row: int) -> bool:
        """True where another person's box covers part of this one's (either may be the one in front)."""
        x0, y0, x1, y1 = self._boxes_px[row]
        area = max((x1 - x0) * (y1 - y0), 1.0)
        others = np.array([box for other, box in self._boxes_px.items() if other != row]).reshape(-1, 4)
        width = np.minimum(others[:, 2], x1) - np.maximum(others[:, 0], x0)
        height = np.minimum(others[:, 3], y1) - np.maximum(others[:, 1], y0)
        return bool((np.maximum(width, 0) * np.maximum(height, 0) > _OCCLUDED * area).any())

    def without_duplicates(self, rows: Sequence[int], of: Sequence[int]) -> list[int]:
        """The `rows` that do not repeat, keypoint by keypoint, one of `of` or an earlier one of themselves."""
        kept: list[int] = []
        for row in rows:
            others = [*of, *kept]
            sizes_px = np.array([diagonal_px(self._boxes_px[other]) for other in others])
            keypoints = self.detections.keypoints_px
            if not (association.distance_2d(keypoints[others], keypoints[[row]], sizes_px) < _DUPLICATE).any():
                kept.append(row)
        return kept

    def distances_2d(self, people: Sequence[Person], rows: Sequence[int]) -> FloatArray:
        """(I, K) mean distance of the detections `rows` from the people's predicted keypoints, in their sizes; NaN unknown."""
        predicted = np.array([person.predicted_px(self.time_s) for person in people])
        sizes_px = np.array([person.size_px for person in people])
        return association.distance_2d(predicted, self.detections.keypoints_px[list(rows)], sizes_px)

    def distances_3d(self, people: Sequence[Person], rows: Sequence[int]) -> FloatArray | float:
        """(I, K) mean distance of the root-relative poses, metres; NaN where the method gives none."""
        poses = [person.keypoints_m for person in people if person.keypoints_m is not None]
        if self.detections.keypoints_m is None or len(poses) < len(people):
            return float("nan")
        return association.distance_3d(np.array(poses), self.detections.keypoints_m[list(rows)])
