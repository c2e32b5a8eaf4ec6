"""Do identities last: CLEAR MOT (Bernardin and Stiefelhagen 2008) and IDF1 (Ristani et al. 2016).

Both count as the py-motmetrics package does; tests/tracking compares the two.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linear_sum_assignment

from posewire.data import FloatArray

_FORBIDDEN = 1e6
Pairs = list[tuple[int, int]]


@dataclass(frozen=True, slots=True, eq=False)
class IdentityFrame:
    """One picture: L annotated people, K tracks."""

    reference_ids: NDArray[np.int64]
    """(L,) who is there."""
    track_ids: NDArray[np.int64]
    """(K,) who is said to be there."""
    overlap: FloatArray
    """(L, K) 0..1 intersection over union of the boxes; NaN = cannot be the same."""


@dataclass(frozen=True, slots=True)
class IdentityScore:
    """Counts over a sequence, and what the literature makes of them."""

    annotated: int
    """Boxes of annotated people in all pictures."""
    misses: int
    false_boxes: int
    switches: int
    """An annotated person is followed by another track than last time."""
    identity_hits: int
    """Boxes that agree under the best one-to-one pairing of annotated people and tracks over the whole sequence."""
    tracked: int
    """Boxes of tracks in all pictures."""

    @property
    def mota(self) -> float:
        """1 - (misses + false boxes + switches) / annotated; NaN when nobody is annotated."""
        wrong = self.misses + self.false_boxes + self.switches
        return 1 - wrong / self.annotated if self.annotated else float("nan")

    @property
    def idf1(self) -> float:
        """2 identity hits / (annotated + tracked); NaN when there is nobody at all."""
        total = self.annotated + self.tracked
        return 2 * self.identity_hits / total if total else float("nan")

    def __add__(self, other: IdentityScore) -> IdentityScore:
        """Both sequences together."""
        return IdentityScore(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))


def box_overlaps(boxes_px: ArrayLike, others_px: ArrayLike) -> FloatArray:
    """Intersection over union (L, K) of boxes (L, 4) and (K, 4), x0 y0 x1 y1; NaN where a box is NaN."""
    a = np.asarray(boxes_px, dtype=np.float64).reshape(-1, 1, 4)
    b = np.asarray(others_px, dtype=np.float64).reshape(1, -1, 4)
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    shared = np.maximum(sides, 0.0).prod(axis=-1)
    areas = (a[..., 2:] - a[..., :2]).prod(axis=-1) + (b[..., 2:] - b[..., :2]).prod(axis=-1)
    return shared / np.maximum(areas - shared, 1e-9)


def identity_score(frames: Iterable[IdentityFrame], least_overlap: float = 0.5) -> IdentityScore:
    """Counts a sequence. A pair that overlaps less than `least_overlap` is no match.

    A person stays with the track of last time while the two overlap enough; only the others are assigned anew.
    """
    frames = list(frames)
    last: dict[int, int] = {}
    misses = false_boxes = switches = 0
    for frame in frames:
        pairs = _matches(frame, last, least_overlap)
        for row, column in pairs:
            person, track = int(frame.reference_ids[row]), int(frame.track_ids[column])
            switches += last.get(person, track) != track
            last[person] = track
        misses += len(frame.reference_ids) - len(pairs)
        false_boxes += len(frame.track_ids) - len(pairs)
    annotated, tracked = sum(len(frame.reference_ids) for frame in frames), sum(len(frame.track_ids) for frame in frames)
    return IdentityScore(annotated, misses, false_boxes, switches, _identity_hits(frames, least_overlap), tracked)


def _matches(frame: IdentityFrame, last: dict[int, int], least_overlap: float) -> Pairs:
    """Rows and columns of one picture: first those that go on as before, then the most overlap in total."""
    possible = frame.overlap >= least_overlap  # False for NaN
    kept: Pairs = []
    for row, person in enumerate(frame.reference_ids):
        for column in np.flatnonzero(frame.track_ids == last.get(int(person), -1)):
            if possible[row, column]:
                kept.append((row, int(column)))
                possible[row], possible[:, column] = False, False
    return kept + assigned(np.where(possible, 1 - frame.overlap, _FORBIDDEN))


def assigned(cost: FloatArray) -> Pairs:
    """The cheapest one-to-one pairs (row, column) of a cost (L, K); entries of 1e6 are no pair."""
    rows, columns = linear_sum_assignment(cost)
    return [(int(r), int(c)) for r, c in zip(rows, columns, strict=True) if cost[r, c] < _FORBIDDEN]


def _identity_hits(frames: list[IdentityFrame], least_overlap: float) -> int:
    """The most boxes that any one-to-one pairing of people and tracks can explain (Ristani 2016, eq. 5-8)."""
    together: dict[tuple[int, int], int] = {}
    for frame in frames:
        for row, column in zip(*np.nonzero(frame.overlap >= least_overlap), strict=True):
            pair = int(frame.reference_ids[row]), int(frame.track_ids[column])
            together[pair] = together.get(pair, 0) + 1
    people, tracks = (sorted({pair[side] for pair in together}) for side in (0, 1))
    count = np.array([[together.get((person, track), 0) for track in tracks] for person in people]).reshape(
        len(people), len(tracks)
    )
    rows, columns = linear_sum_assignment(-count)
    return int(count[rows, columns].sum())
