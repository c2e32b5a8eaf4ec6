"""Left and right confused by the method, mended against where the motion so far puts every point.

For arms, legs and face apart: cost of the labels as they came against the cost with the two sides exchanged, each the sum of
capped squared distances to the expected places. What was exchanged in the frame before still is, unless the labels are clearly
right again: where a confusion ends there are frames that fit neither way. One that lasts is believed: then the fit was wrong.
"""

from __future__ import annotations

from posewire.data import FloatArray
from posewire.fit.compiled import finite, kernel
from posewire.fit.observation import Observation
from posewire.fit.points import GROUPS, Points

_SIGMA_M, _SIGMA_PX_M, _CAP = 0.12, 0.06, 9.0
_SURELY, _CLEARLY = 0.5, 2.0
PATIENCE_S = 1.0


@kernel
def _distance2(
    seen: Observation, m: int, n: int, expected_m: FloatArray, expected_px: FloatArray, size_ratio: float, px_m: float
) -> float:
    """Capped squared distance, in deviations, of what was seen as n to where m is expected."""
    far3 = far2 = 0.0
    for i in range(3):
        far3 += (size_ratio * seen.raw_m[n, i] - expected_m[m, i]) ** 2
    for i in range(2):
        far2 += (px_m * (seen.pixel_px[n, i] - expected_px[m, i])) ** 2
    total = 0.0
    if finite(far3):
        total += min(far3 / _SIGMA_M**2, _CAP)
    if finite(far2):
        total += min(far2 / _SIGMA_PX_M**2, _CAP)
    return total


@kernel
def is_swapped(
    seen: Observation,
    points: Points,
    group: int,
    expected_m: FloatArray,
    expected_px: FloatArray,
    size_ratio: float,
    px_m: float,
    was: bool,
) -> bool:
    """Whether the sides of a group are exchanged: as in the frame before, unless the other way is clearly nearer to the expected
    places; px_m: metres per pixel."""
    kept = swapped = worth = 0.0
    for m in range(len(points.group)):
        if points.group[m] == group and min(seen.confidence[m], seen.confidence[points.partner[m]]) > 0.0:
            w = points.share[m]
            worth += w
            kept += w * _distance2(seen, m, m, expected_m, expected_px, size_ratio, px_m)
            swapped += w * _distance2(seen, m, points.partner[m], expected_m, expected_px, size_ratio, px_m)
    if was:
        return worth > 0.0 and not (kept < _SURELY * swapped and swapped - kept > _CLEARLY * worth)
    return worth > 0.0 and swapped < _SURELY * kept and kept - swapped > _CLEARLY * worth


@kernel
def exchange(seen: Observation, points: Points, group: int) -> None:
    """Exchanges the sides of a group."""
    for m in range(len(points.group)):
        n = points.partner[m]
        if points.group[m] == group and m < n:
            for i in range(3):
                seen.raw_m[m, i], seen.raw_m[n, i] = seen.raw_m[n, i], seen.raw_m[m, i]
            for i in range(2):
                seen.pixel_px[m, i], seen.pixel_px[n, i] = seen.pixel_px[n, i], seen.pixel_px[m, i]
            seen.confidence[m], seen.confidence[n] = seen.confidence[n], seen.confidence[m]


@kernel
def mend(
    seen: Observation,
    points: Points,
    expected_m: FloatArray,
    expected_px: FloatArray,
    size_ratio: float,
    px_m: float,
    step_s: float,
    swapped_s: FloatArray,
) -> None:
    """Mends each group; `swapped_s` (2, GROUPS) is for how long each has been exchanged, and 1 where it was in the last frame."""
    for group in range(GROUPS):
        was = swapped_s[1, group] > 0.0
        swapped_s[1, group] = 0.0
        if not is_swapped(seen, points, group, expected_m, expected_px, size_ratio, px_m, was):
            swapped_s[0, group] = max(0.0, swapped_s[0, group] - step_s)
        elif swapped_s[0, group] < PATIENCE_S:
            swapped_s[0, group] += step_s
            swapped_s[1, group] = 1.0
            exchange(seen, points, group)
