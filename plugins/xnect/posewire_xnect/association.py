"""From heatmaps and affinity fields to people: peaks, line integrals, greedy bipartite matching. Numpy only.

Cao et al. 2017, sections 2.3 and 2.4, as thesis 002 uses them (sections 6.2.2, 6.3.1): a person is whoever has a visible neck;
and, beyond the document, whom the trunk says itself (centres.py) and what hangs together without a neck (parts.py).
Shapes: J joints, K candidates a joint, A links, P people, H x W cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from posewire_xnect.centres import Centres, claimed
from posewire_xnect.parts import put_together
from posewire_xnect.skeleton import BONES, LINKS, NECK, J
from posewire_xnect.targets import BoolArray, FloatArray

CANDIDATES = 16
"""Most people that one joint's heatmap can hold."""
PEAK = 0.2
"""Lowest heatmap value of a candidate."""
SAMPLES = 10
"""Points at which a link is looked at."""
ON_THE_WAY = 0.05
"""A sample speaks for a link when the field follows it by more than this,"""
MOST = 0.8
"""and a link needs so large a share of them (both as in OpenPose)."""


@dataclass(frozen=True, slots=True, eq=False)
class Peaks:
    """Candidates of each joint, the best first."""

    points: FloatArray
    """(J, K, 2) x, y in cells; anything where there is no candidate."""
    scores: FloatArray
    """(J, K) heatmap value; 0 where there is no candidate."""


@dataclass(frozen=True, slots=True, eq=False)
class Assembly:
    """Who is in the picture."""

    points: FloatArray
    """(P, J, 2) cells, NaN = unseen."""
    confidence: FloatArray
    """(P, J) heatmap value, 0 = unseen."""
    candidate: NDArray[np.int64]
    """(P, J) number of the peak, -1 = unseen."""


def find_peaks(heatmaps: FloatArray, most: int = CANDIDATES) -> Peaks:
    """Cells that no neighbour exceeds, above PEAK, refined between cells."""
    joints, height, width = heatmaps.shape
    padded = np.pad(heatmaps, ((0, 0), (1, 1), (1, 1)), mode="reflect")  # nothing pulls a peak at the border to either side
    around = [padded[:, y : y + height, x : x + width] for y in range(3) for x in range(3)]
    is_peak = (heatmaps >= np.max(around, axis=0)) & (heatmaps > PEAK)
    scores = np.where(is_peak, heatmaps, 0.0).reshape(joints, -1)
    order = np.argsort(-scores, axis=1, kind="stable")[:, :most]
    y, x = np.divmod(order, width)
    row = np.arange(joints)[:, None]
    dx = between(padded[row, y + 1, x], heatmaps[row, y, x], padded[row, y + 1, x + 2])
    dy = between(padded[row, y, x + 1], heatmaps[row, y, x], padded[row, y + 2, x + 1])
    return Peaks(np.stack([x + dx, y + dy], axis=-1), np.take_along_axis(scores, order, axis=1))


def between(before: FloatArray, here: FloatArray, after: FloatArray) -> FloatArray:
    """Where the top lies, by a parabola through three logarithms, exact for a Gaussian; rounding gives the peak's own cell."""
    low, mid, high = (np.log(np.maximum(value, 1e-3)) for value in (before, here, after))
    return np.clip(0.5 * (high - low) / np.maximum(2 * mid - low - high, 0.1), -0.49, 0.49)


def line_integrals(fields: FloatArray, points: FloatArray) -> FloatArray:
    """(A, K, K): how well the field follows the line from each candidate of a link's first joint to each of its second.

    Cao et al. 2017, eq. 10, as a mean over SAMPLES points; 0 where less than MOST of them agree. The samples lie between the
    peaks' own cells: ninths of whole numbers are never half-way between two cells, so every runtime looks at the same ones.

    Args:
        fields: (A, 2, H, W).
        points: (J, K, 2) cells.
    """
    first, second = np.array(LINKS).T
    way = points[second][:, None] - points[first][:, :, None]  # (A, K, K, 2)
    cells = np.rint(points)
    start, step = cells[first][:, :, None], cells[second][:, None] - cells[first][:, :, None]
    length = np.maximum(np.linalg.norm(way, axis=-1), 1e-6)
    along = np.linspace(0.0, 1.0, SAMPLES)
    samples = np.rint(start[..., None, :] + step[..., None, :] * along[:, None]).astype(int)  # (A, K, K, S, 2)
    x, y = samples[..., 0].clip(0, fields.shape[3] - 1), samples[..., 1].clip(0, fields.shape[2] - 1)
    link = np.arange(len(LINKS))[:, None, None, None]
    follows = fields[link, 0, y, x] * way[..., None, 0] + fields[link, 1, y, x] * way[..., None, 1]
    follows = follows / length[..., None]
    enough = (follows > ON_THE_WAY).mean(axis=-1) >= MOST
    return np.where(enough, follows.mean(axis=-1), 0.0)


def matched(scores: FloatArray) -> list[tuple[int, int]]:
    """Greedy bipartite matching: the best pair above 0, then the best of what is left (Cao et al. 2017, section 2.4)."""
    first, second = np.nonzero(scores > 0)
    order = np.argsort(-scores[first, second], kind="stable")
    pairs: list[tuple[int, int]] = []
    free_a, free_b = [True] * scores.shape[0], [True] * scores.shape[1]
    for a, b in zip(first[order].tolist(), second[order].tolist(), strict=True):
        if free_a[a] and free_b[b]:
            free_a[a] = free_b[b] = False
            pairs.append((a, b))
    return pairs


def assemble(peaks: Peaks, integrals: FloatArray, centres: Centres | None = None) -> Assembly:
    """Grows each person along the matched links, from what its centre claims or else from its neck; shortcuts only reach what no
    bone reached.

    Then what is left grows into parts without a neck, and parts.py says whose they are. Some trunks say no `centres`.
    """
    there = peaks.scores > 0
    allowed = there[[a for a, _ in LINKS]][:, :, None] & there[[b for _, b in LINKS]][:, None]
    pairs = [matched(scores) for scores in np.where(allowed, integrals, 0.0)]
    people = _Growing.from_nobody(there)
    for peaks_of_one in claimed(peaks.points, peaks.scores, centres).tolist() if centres else []:
        people.begin(peaks_of_one)
    people.begin_at_necks(there)
    people.grow(pairs, range(len(BONES)))
    people.grow(pairs, range(len(LINKS)))
    people.grow_others(pairs)
    grown = np.array(people.candidate, np.int64).reshape(-1, J)
    return _assembly(peaks, put_together(_points(peaks, grown), grown))


class _Growing(NamedTuple):
    """Who has which peak so far. Plain lists: single numbers are read a few thousand times a picture."""

    candidate: list[list[int]]
    """(P, J) number of the peak, -1 = none yet."""
    owner: list[list[int]]
    """(J, K) whose peak it is, -1 = nobody's."""

    @classmethod
    def from_nobody(cls, there: BoolArray) -> Self:
        """All peaks (J, K) are free."""
        return cls([], np.full(there.shape, -1).tolist())

    def begin_at_necks(self, there: BoolArray) -> None:
        """One person each neck that nobody has."""
        for neck in np.flatnonzero(there[NECK]).tolist():
            if self.owner[NECK][neck] < 0:
                self.begin(_only(NECK, neck))

    def grow_others(self, pairs: list[list[tuple[int, int]]]) -> None:
        """Parts of the peaks that nobody has: one of all that hang together."""
        free = [[(a, b) for a, b in pairs[link] if self._is_free(link, a, b)] for link in range(len(LINKS))]
        for link, (joint, _) in enumerate(LINKS):
            for a, b in free[link]:
                if self._is_free(link, a, b):
                    self.begin(_only(joint, a))
                    self.grow(free, range(len(LINKS)))

    def grow(self, pairs: list[list[tuple[int, int]]], links: range) -> None:
        """Follows links in both directions until nobody gains a joint."""
        grew = True
        while grew:
            grew = False
            for link in links:
                joint, parent = LINKS[link]
                for a, b in pairs[link]:
                    grew |= self._take((joint, a), (parent, b)) or self._take((parent, b), (joint, a))

    def begin(self, peaks: list[int]) -> None:
        """Somebody who has these peaks, one a joint, -1 = none."""
        for joint, peak in enumerate(peaks):
            if peak >= 0:
                self.owner[joint][peak] = len(self.candidate)
        self.candidate.append(peaks)

    def _is_free(self, link: int, a: int, b: int) -> bool:
        joint, parent = LINKS[link]
        return self.owner[joint][a] < 0 and self.owner[parent][b] < 0

    def _take(self, known: tuple[int, int], new: tuple[int, int]) -> bool:
        """Gives the new peak to whoever owns the known one and lacks that joint; tells whether it did."""
        person = self.owner[known[0]][known[1]]
        if person < 0 or self.owner[new[0]][new[1]] >= 0 or self.candidate[person][new[0]] >= 0:
            return False
        self.candidate[person][new[0]] = new[1]
        self.owner[new[0]][new[1]] = person
        return True


def _only(joint: int, peak: int) -> list[int]:
    return [peak if each == joint else -1 for each in range(J)]


def _assembly(peaks: Peaks, candidate: NDArray[np.int64]) -> Assembly:
    confidence = np.where(candidate >= 0, peaks.scores[np.arange(J), candidate], 0.0)
    return Assembly(_points(peaks, candidate), confidence, candidate)


def _points(peaks: Peaks, candidate: NDArray[np.int64]) -> FloatArray:
    return np.where((candidate >= 0)[..., None], peaks.points[np.arange(J), candidate], np.nan)


def people_of(heatmaps: FloatArray, fields: FloatArray) -> Assembly:
    """All of the above on maps (J, H, W) and (A, 2, H, W)."""
    peaks = find_peaks(heatmaps)
    return assemble(peaks, line_integrals(fields, peaks.points))
