"""Who of those that Stage I grew is somebody: no ghosts, nobody twice, the most prominent, those already followed first.

Shapes: P people, J joints; pixels of the network's picture.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from posewire_xnect.parts import BONES_M, WITHOUT_NECK
from posewire_xnect.people import People, sizes_px
from posewire_xnect.rows import anchors
from posewire_xnect.skeleton import BONES, NECK, J
from posewire_xnect.targets import BoolArray, FloatArray

SEEN_JOINTS = 4
"""Fewer are a ghost: a neck and three more (Cao et al. 2017 ask for as many). Who hides the neck must show WITHOUT_NECK."""
SURE = 0.45
"""Lowest mean confidence of the joints seen of who is believed at once,"""
DOUBTED = 0.3
"""and of who is believed if a second look sees them, too (second_look.py)."""
EVERY = 4
"""In so many pictures one of those who are doubted is looked at again, by turns; in the first, a still perhaps, all of them."""
STILL_SURE = 0.25
"""Lowest of somebody who was told of in the picture before: who is there does not come and go with every doubt."""
SAME = 0.25
"""Two are one person if their common joints are nearer on average than this share of the more prominent one's size."""
LONG = 2.5
"""A bone so many times as long, beside a human one, as the median of the person's bones is somebody else's."""
BONES_TO_COMPARE = 4
FOLLOWED = 1.0
"""Whose neck (rows.anchors) is nearer to a former one than this share of their size is taken for that person."""


def _beyond() -> NDArray[np.int64]:
    """(bones, J): 1 where the way from the neck to a joint leads over the bone."""
    ways = np.zeros((len(BONES), J), np.int64)
    reached = {NECK}
    while len(reached) < J:
        for number, (one, other) in enumerate(BONES):
            for here, there in ((one, other), (other, one)):
                if here in reached and there not in reached:
                    reached.add(there)
                    ways[:, there] = ways[:, here]
                    ways[number, there] = 1
    return ways


_ENDS = np.array(BONES)
_BEYOND = _beyond()

Again: TypeAlias = Callable[[People], BoolArray]
"""Whether (P,) each of some people is seen in a second look, too."""


class Crowd:
    """Chooses at most so many people a picture. Remembers where those stood whom it chose last: they stay while they are seen
    faintly, and a single person who is followed is not exchanged for somebody a little clearer behind."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.reset()

    def reset(self) -> None:
        """Forgets everybody."""
        self._necks_px, self._pictures = np.empty((0, 2)), 0

    def choose(self, found: People, again: Again) -> People:
        """The people worth telling of, the most prominent first."""
        found = without_strays(found)
        found = _rows(found, np.flatnonzero(is_somebody(found, STILL_SURE)))
        is_told = self._is_followed(found) | is_somebody(found, SURE)
        there = _rows(found, np.concatenate([np.flatnonzero(is_told), self._not_doubted(found, is_told, again)]))
        prominence = prominence_of(there)
        there = _rows(there, np.argsort(-prominence, kind="stable"))
        once = _rows(there, without_doubles(there))
        followed = np.argsort(~self._is_followed(once), kind="stable")[: self._most]
        chosen = _rows(once, np.sort(followed))
        self._necks_px, self._pictures = anchors(chosen.points_px), self._pictures + 1
        return chosen

    def _not_doubted(self, found: People, is_told: BoolArray, again: Again) -> NDArray[np.int64]:
        """Rows of those who are not told of yet, may be somebody, and are seen again; none where there is room for nobody."""
        if np.count_nonzero(is_told) >= self._most:
            return np.empty(0, np.int64)
        told_first = np.argsort(~is_told, kind="stable")
        once = told_first[without_doubles(_rows(found, told_first))]
        doubted = once[(~is_told & is_somebody(found, DOUBTED))[once]]
        turn, is_pause = divmod(self._pictures, EVERY)
        if self._pictures and len(doubted):
            doubted = doubted[:0] if is_pause else doubted[[turn % len(doubted)]]
        return doubted[again(_rows(found, doubted))] if len(doubted) else doubted

    def _is_followed(self, found: People) -> BoolArray:
        """(P,) whether somebody was here; each former person stands for the nearest one only."""
        is_followed = np.zeros(len(found.confidence), bool)
        if len(is_followed) == 0 or len(self._necks_px) == 0:
            return is_followed
        away = np.linalg.norm(anchors(found.points_px)[:, None] - self._necks_px, axis=-1) / sizes_px(found.points_px)[:, None]
        nearest = away.argmin(axis=0)
        is_followed[nearest[away.min(axis=0) < FOLLOWED]] = True
        return is_followed


def without_strays(found: People) -> People:
    """The same people without joints of somebody or something else.

    A bone is shortened by the way it points, never lengthened: one that is far too long beside the person's others leads astray,
    and so does all that is reached over it.
    """
    length = np.linalg.norm(found.points_px[:, _ENDS[:, 0]] - found.points_px[:, _ENDS[:, 1]], axis=-1) / BONES_M  # (P, bones)
    known = np.isfinite(length)
    usual = [np.median(own[there]) if there.any() else np.nan for own, there in zip(length, known, strict=True)]
    stray = known & (length > LONG * np.array(usual).reshape(-1, 1)) & (known.sum(axis=1, keepdims=True) >= BONES_TO_COMPARE)
    lost = stray.astype(int) @ _BEYOND > 0  # (P, J)
    return People(
        np.where(lost[..., None], np.nan, found.points_px),
        np.where(lost, 0.0, found.confidence),
        np.where(lost[..., None], 0.0, found.encodings),
    )


def is_somebody(found: People, sure: float) -> BoolArray:
    """(P,) whether enough is seen clearly enough: with a mean confidence of `sure`."""
    count = np.count_nonzero(found.confidence, axis=1)
    enough = count >= np.where(found.confidence[:, NECK] > 0, SEEN_JOINTS, WITHOUT_NECK)
    return enough & (found.confidence.sum(axis=1) >= sure * np.maximum(count, 1))


def prominence_of(found: People) -> FloatArray:
    """(P,) sum of confidences times size: large and clear people first, small or hidden ones last."""
    return found.confidence.sum(axis=1) * sizes_px(found.points_px)


def without_doubles(found: People) -> NDArray[np.int64]:
    """Rows of those who are not somebody before them again: part of a body that lies on a better view of it."""
    kept: list[int] = []
    sizes = sizes_px(found.points_px)
    gaps = np.linalg.norm(found.points_px[:, None] - found.points_px[None], axis=-1)  # (P, P, J)
    common = np.isfinite(gaps)
    mean = np.where(common, gaps, 0.0).sum(axis=-1) / np.maximum(np.count_nonzero(common, axis=-1), 1)
    for person in range(len(sizes)):
        if all(mean[person, other] > SAME * sizes[other] for other in kept):
            kept.append(person)
    return np.array(kept, np.int64)


def _rows(found: People, rows: NDArray[np.integer[Any]]) -> People:
    return People(found.points_px[rows], found.confidence[rows], found.encodings[rows])
