"""Where resting feet are to stand: the smoothed motion's own places, averaged over each rest so that they stay.

While a foot point rests, its place is the mean of the places around, weighed by a Gaussian in time and by nothing before the rest
began or after it ended. The window is the narrowest that leaves the place creeping slower than anybody sees: soles give and roll,
and a place that may follow them a little costs a third of one that may not. Heel and toe that rest together keep the foot's
length. What that moves a point by dies away before and after its rest, so that nothing jumps. There it only leads: an end that
has left the ground must not drag the one that still rests.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from posewire.data import FloatArray
from posewire.fit.contacts import UNSURE
from posewire.fit.gait import CONTACT_NAMES
from posewire.solve.smoothing import gaussians

# By trying, on CMU motion, subjects 1 to 12.
_WINDOWS_S = (0.03, 0.045, 0.06, 0.08, 0.1, 0.13, 0.16, 0.2, 0.25, 0.32, 0.4, 0.5, 0.7, 1.1)
"""Deviations of the time over which the places of a rest are averaged."""
_CREEP_M_S, _FASTEST_M_S = 0.06, 0.2
"""How fast a place may move: the median of a rest, and 95 of 100 steps. 1 and 3.3 mm a frame at 60 a second."""
_FADE_S = 0.15
"""Time before and after a rest in which the foot comes to its place and leaves it."""
_LED = 0.03
"""What a point in that time weighs, at most, where a resting one weighs 1."""
_FEET = tuple((CONTACT_NAMES.index(f"{side}_heel"), CONTACT_NAMES.index(f"{side}_toe")) for side in ("left", "right"))


@dataclass(frozen=True, slots=True, eq=False)
class Planted:
    """Where R frames' foot points are to be."""

    place_m: FloatArray
    """(R, 4, 3) world."""
    share: FloatArray
    """(R, 4) of the weight: 1 at rest, little while it comes to its place or leaves it, 0 free."""


def plant(time_s: FloatArray, feet_m: FloatArray, contacts: FloatArray) -> Planted:
    """Of foot points (R, 4, 3) at times (R,) that touch the ground with the probability contacts (R, 4)."""
    place_m, share = feet_m.copy(), np.zeros(contacts.shape)
    rests = [_rests(contacts[:, k] > UNSURE) for k in range(contacts.shape[1])]
    for k, mine in enumerate(rests):
        for rest in mine:
            place_m[rest, k], share[rest, k] = _place(time_s[rest], feet_m[rest, k]), 1.0
    _keep_lengths(place_m, feet_m, share == 1.0)
    moved_m = place_m - feet_m
    for k, mine in enumerate(rests):
        edges = [slice(0, 0), *mine, slice(len(time_s), len(time_s))]
        for rest, left, right in zip(mine, edges[:-2], edges[2:], strict=True):
            before, after = _around(time_s, rest, left.stop, right.start)
            coming = _fading(time_s[rest.start] - time_s[before])
            leaving = _fading(time_s[after] - time_s[rest.stop - 1])
            place_m[before, k] += coming[:, None] * moved_m[rest.start, k]
            place_m[after, k] += leaving[:, None] * moved_m[rest.stop - 1, k]
            share[before, k] = np.maximum(share[before, k], _LED * coming)
            share[after, k] = np.maximum(share[after, k], _LED * leaving)
    return Planted(place_m, share)


def _rests(resting: NDArray[np.bool_]) -> list[slice]:
    """Runs of at least two frames: one alone stands nowhere for any time."""
    edges = np.flatnonzero(np.diff(resting.astype(np.int8), prepend=0, append=0)).tolist()
    return [slice(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a >= 2]


def _place(time_s: FloatArray, feet_m: FloatArray) -> FloatArray:
    """(F, 3) of each frame of one rest of a point (F, 3); where no window leaves it slow enough, by the widest."""
    place_m = feet_m
    for width_s in _WINDOWS_S:
        place_m = _mean(time_s, feet_m, width_s)
        speeds_m_s = np.linalg.norm(np.diff(place_m, axis=0), axis=1) / np.diff(time_s)
        if np.median(speeds_m_s) < _CREEP_M_S and np.percentile(speeds_m_s, 95) < _FASTEST_M_S:
            break
    return place_m


def _mean(time_s: FloatArray, feet_m: FloatArray, width_s: float) -> FloatArray:
    """(F, 3) around each frame of a point (F, 3)."""
    total_m, weights = np.zeros_like(feet_m), np.zeros(len(time_s))
    for taken, _, weight in gaussians(time_s, width_s):
        total_m += weight[:, None] * feet_m[taken]
        weights += weight
    return total_m / weights[:, None]


def _keep_lengths(place_m: FloatArray, feet_m: FloatArray, rests: NDArray[np.bool_]) -> None:
    """Moves heels and toes that rest (R, 4) together as far towards or from each other as their feet are long."""
    for heel, toe in _FEET:
        both = rests[:, heel] & rests[:, toe]
        apart_m = place_m[both, toe] - place_m[both, heel]
        long_m = np.linalg.norm(feet_m[both, toe] - feet_m[both, heel], axis=1, keepdims=True)
        half_m = 0.5 * apart_m * (1.0 - long_m / np.maximum(np.linalg.norm(apart_m, axis=1, keepdims=True), 1e-6))
        place_m[both, heel] += half_m
        place_m[both, toe] -= half_m


def _around(time_s: FloatArray, rest: slice, earliest: int, latest: int) -> tuple[slice, slice]:
    """The frames in which a rest begins and ends to be felt; no other rest, from `latest` on or before `earliest`, feels it."""
    first = int(np.searchsorted(time_s, time_s[rest.start] - _FADE_S))
    last = int(np.searchsorted(time_s, time_s[rest.stop - 1] + _FADE_S, side="right"))
    return slice(max(first, earliest), rest.start), slice(rest.stop, min(last, latest))


def _fading(away_s: FloatArray) -> FloatArray:
    """(F,) half a cosine from 1 to nothing, which comes sooner where another rest is near."""
    fade_s = min(_FADE_S, float(away_s.max()) if len(away_s) else _FADE_S)
    return 0.5 * (1.0 + np.cos(np.pi * np.minimum(away_s / fade_s, 1.0)))
