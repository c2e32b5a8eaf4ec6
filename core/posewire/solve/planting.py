"""Where resting feet are to stand: the smoothed motion's own places, averaged over each rest so that they stay.

While a foot point rests, its place is the mean of the places around, weighed by a Gaussian in time and by nothing before the rest
began or after it ended: a short rest is one place, a long one may drift, slowly. What that moves the foot by dies away before and
after the rest, so that nothing jumps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from posewire.data import FloatArray
from posewire.fit.contacts import UNSURE

_MEAN_S = 0.6
"""Deviation of the time over which the places of a rest are averaged."""
_REACH = 3.0
_FADE_S = 0.15
"""Time before and after a rest in which the foot comes to its place and leaves it."""


@dataclass(frozen=True, slots=True, eq=False)
class Planted:
    """Where R frames' foot points are to be."""

    place_m: FloatArray
    """(R, 4, 3) world."""
    held: NDArray[np.bool_]
    """(R, 4) False: the foot is free."""


def plant(time_s: FloatArray, feet_m: FloatArray, contacts: FloatArray) -> Planted:
    """Of foot points (R, 4, 3) at times (R,) that touch the ground with the probability contacts (R, 4)."""
    place_m, held = feet_m.copy(), np.zeros(contacts.shape, dtype=np.bool_)
    for k in range(contacts.shape[1]):
        rests = _rests(contacts[:, k] > UNSURE)
        edges = [slice(0, 0), *rests, slice(len(time_s), len(time_s))]
        for rest, left, right in zip(rests, edges[:-2], edges[2:], strict=True):
            moved_m = _mean(time_s[rest], feet_m[rest, k]) - feet_m[rest, k]
            before, after = _around(time_s, rest, left.stop, right.start)
            place_m[rest, k] += moved_m
            place_m[before, k] += _fading(time_s[rest.start] - time_s[before], moved_m[0])
            place_m[after, k] += _fading(time_s[after] - time_s[rest.stop - 1], moved_m[-1])
            held[before.start : after.stop, k] = True
    return Planted(place_m, held)


def _rests(resting: NDArray[np.bool_]) -> list[slice]:
    """Runs of at least two frames: one alone stands nowhere for any time."""
    edges = np.flatnonzero(np.diff(resting.astype(np.int8), prepend=0, append=0)).tolist()
    return [slice(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a >= 2]


def _around(time_s: FloatArray, rest: slice, earliest: int, latest: int) -> tuple[slice, slice]:
    """The frames in which a rest begins and ends to be felt; no other rest, from `latest` on or before `earliest`, feels it."""
    first = int(np.searchsorted(time_s, time_s[rest.start] - _FADE_S))
    last = int(np.searchsorted(time_s, time_s[rest.stop - 1] + _FADE_S, side="right"))
    return slice(max(first, earliest), rest.start), slice(rest.stop, min(last, latest))


def _fading(away_s: FloatArray, moved_m: FloatArray) -> FloatArray:
    """(F, 3) half a cosine from all of it to nothing, which comes sooner where another rest is near."""
    fade_s = min(_FADE_S, float(away_s.max()) if len(away_s) else _FADE_S)
    return 0.5 * (1.0 + np.cos(np.pi * np.minimum(away_s / fade_s, 1.0)))[:, None] * moved_m


def _mean(time_s: FloatArray, feet_m: FloatArray) -> FloatArray:
    """(F, 3) of each frame of one rest."""
    first = np.searchsorted(time_s, time_s - _REACH * _MEAN_S).tolist()
    last = np.searchsorted(time_s, time_s + _REACH * _MEAN_S, side="right").tolist()
    places_m = np.empty_like(feet_m)
    for r, (a, b) in enumerate(zip(first, last, strict=True)):
        w = np.exp(-0.5 * ((time_s[a:b] - time_s[r]) / _MEAN_S) ** 2)
        places_m[r] = w @ feet_m[a:b] / w.sum()
    return places_m
