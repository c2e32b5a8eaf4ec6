"""One frame's detections as the tracker looks at them: the usable rows, their looks (read once, on demand), who hides whom."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from posewire.data import Detections, FloatArray, Frame
from posewire.tracking import appearance, association
from posewire.tracking.appearance import Clothes
from posewire.tracking.person import Person, body_box, diagonal_px
from posewire.tracking.settings import TrackSettings

_DUPLICATE = 0.1
"""A newcomer nearer than this (in box diagonals) to somebody else in the frame is the same body seen twice."""
_OCCLUDED = 0.1
"""Share of a person's box under another's from which the appearance is not learned."""
_MIXED = 0.5
"""The same from which the look is not believed."""
_COVERED = 0.5
"""Share of a newcomer's box inside another's from which it may be a part of the other."""
_FRAGMENT = 0.5
"""A newcomer smaller than this share of somebody who is missing there may be what a method still sees of that person."""


class Sightings:
    """The rows of a Detections that hold at least one keypoint; a row's histogram is computed when first asked for."""

    def __init__(self, detections: Detections, frame: Frame, clothes: Clothes) -> None:
        self.detections = detections
        self.time_s = frame.time_s
        seen = np.isfinite(detections.keypoints_px).all(axis=-1)  # (P, J)
        self.rows: list[int] = [int(row) for row in np.flatnonzero(seen.any(axis=-1))]
        self._boxes_px = {row: body_box(detections.boxes_px[row], detections.keypoints_px[row]) for row in self.rows}
        self._frame = frame
        self._clothes = clothes
        self._looks: dict[int, FloatArray | None] = {}

    def look(self, row: int) -> FloatArray | None:
        """The colours of the clothes; None where they cannot be read."""
        if row not in self._looks:
            self._looks[row] = self._clothes.look(self._frame.picture, self.detections.keypoints_px[row])
        return self._looks[row]

    def unlikeness(self, remembered: FloatArray | None, row: int) -> float:
        """Dissimilarity (0..1) of a remembered look and the row's; NaN where one is unknown, and nothing is read for nothing."""
        return math.nan if remembered is None else appearance.dissimilarity(remembered, self.look(row))

    def left_over(self, taken: Sequence[tuple[Person, int]]) -> list[int]:
        """Rows that nobody has been matched with."""
        used = {row for _, row in taken}
        return [row for row in self.rows if row not in used]

    def is_occluded(self, row: int) -> bool:
        """True where another person's box covers part of this one's (either may be the one in front): nothing to learn from."""
        return self._largest_shares[row] > _OCCLUDED

    def is_mixed(self, row: int) -> bool:
        """True where so much is covered that the look may be the other's."""
        return self._largest_shares[row] > _MIXED

    @cached_property
    def _largest_shares(self) -> dict[int, float]:
        """By row, the largest share of its box that lies inside one other's."""
        boxes_px = np.array(list(self._boxes_px.values())).reshape(-1, 4)
        shares = _shares_inside(boxes_px, boxes_px)
        np.fill_diagonal(shares, 0.0)
        return dict(zip(self._boxes_px, shares.max(axis=1, initial=0.0).tolist(), strict=True))

    def _share_inside(self, row: int, boxes_px: Sequence[FloatArray]) -> FloatArray:
        """Share (B,) of the row's box that lies inside each of the boxes (4,)."""
        return _shares_inside(self._boxes_px[row][None], np.array(boxes_px).reshape(-1, 4))[0]

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

    def other_sizes(
        self, people: Sequence[Person], rows: Sequence[int], jump: float, where: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        """(I, K) pairs of `where` in which the detection is too many times larger or smaller than the person was.

        The keypoints are compared only where the boxes differ: a box also shrinks when half of the body is hidden.
        """
        largest = np.array([person.largest_jump(jump, self.time_s) for person in people])
        before_px = np.array([diagonal_px(body_box(person.box_px, person.keypoints_px)) for person in people])
        now_px = np.array([diagonal_px(self._boxes_px[row]) for row in rows])
        other = where & _other_size(now_px / np.maximum(before_px, 1e-6)[:, None], largest)
        if other.any():
            last_px = np.array([person.keypoints_px for person in people])
            other &= _other_size(association.size_ratios(last_px, self.detections.keypoints_px[list(rows)]), largest)
        return other

    def within_reach(self, people: Sequence[Person], rows: Sequence[int], settings: TrackSettings) -> NDArray[np.bool_]:
        """(I, K) where the people can have moved and grown to the detections `rows` since they were last seen, or unknown."""
        missing_s = np.array([self.time_s - person.seen_s for person in people])
        near = ~(self.distances_2d(people, rows) > (settings.gate_2d + settings.reach_per_s * missing_s)[:, None])
        return near & ~self.other_sizes(people, rows, settings.size_jump, near)

    def clear_of(self, row: int, seen: Sequence[tuple[Person, int]]) -> list[Person]:
        """Those seen whose boxes do not touch the row's."""
        others = [pair for pair in seen if pair[1] != row]
        shares = self._share_inside(row, [self._boxes_px[other] for _, other in others])
        return [person for (person, _), share in zip(others, shares, strict=True) if share == 0.0]

    def is_part_of(self, row: int, people: Sequence[Person], seen: Sequence[tuple[Person, int]]) -> bool:
        """True where the row's box lies mostly inside that of somebody seen, or of a missing person at least twice as large."""
        boxes_px = [self._boxes_px[other] for _, other in seen if other != row]
        known = {id(person) for person, _ in seen}
        size_px = diagonal_px(self._boxes_px[row])
        missing = [person for person in people if id(person) not in known and size_px < _FRAGMENT * person.size_px]
        boxes_px += [person.predicted_box_px(self.time_s) for person in missing]
        return bool((self._share_inside(row, boxes_px) > _COVERED).any())

    def distances_3d(self, people: Sequence[Person], rows: Sequence[int], where: NDArray[np.bool_]) -> FloatArray:
        """(I, K) mean distance of the root-relative poses, metres; NaN outside `where` and where the method gives none."""
        distance = np.full(where.shape, np.nan)
        poses = [person.keypoints_m for person in people if person.keypoints_m is not None]
        if self.detections.keypoints_m is not None and len(poses) == len(people):
            i, k = np.nonzero(where)
            distance[i, k] = association.distance_3d(np.array(poses)[i], self.detections.keypoints_m[np.array(rows)[k]])
        return distance


def _other_size(ratio: FloatArray, largest: FloatArray) -> NDArray[np.bool_]:
    """(I, K) where a ratio of sizes is above `largest` (I,) or below its inverse; False where it is not known."""
    return (ratio > largest[:, None]) | (ratio * largest[:, None] < 1.0)


def _shares_inside(boxes_px: FloatArray, others_px: FloatArray) -> FloatArray:
    """(I, K) share of each box (I, 4) that lies inside each of the others (K, 4); corners in pixels."""
    x0, y0, x1, y1 = boxes_px.T[:, :, None]
    others_x0, others_y0, others_x1, others_y1 = others_px.T
    width = np.minimum(others_x1, x1) - np.maximum(others_x0, x0)
    height = np.minimum(others_y1, y1) - np.maximum(others_y0, y0)
    return np.maximum(width, 0) * np.maximum(height, 0) / np.maximum((x1 - x0) * (y1 - y0), 1.0)
