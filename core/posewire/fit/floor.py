"""On a known floor, feet that rest show how far away a person is: the ray through them meets y = 0 there.

The distance is what a single view knows least, and an error of it lifts a person off the floor, or sinks him. What the feet say
of it joins the depth term (residuals/depth.py), so that a root neither floats nor rises, while the pixels still place the person
across the line of sight. A foot below the floor counts whether it rests or not. A person whose feet are far from the floor
stands on something else, or is of another size than assumed, and is left there.
"""

from __future__ import annotations

from posewire.data import FloatArray
from posewire.fit.compiled import finite, kernel
from posewire.fit.contacts import FEET, UNSURE
from posewire.fit.expectation import NEAREST_M
from posewire.fit.targets import Targets

_ABOVE_M = 0.2
"""A camera less high over the foot sees the floor edge-on."""
_STRANGE = 0.06
"""A foot this share of its distance from the floor keeps a quarter of its weight: people's sizes vary by as much."""


@kernel
def lean_on_floor(probability: FloatArray, weight: float, targets: Targets) -> None:
    """Adds to the depth term what the expected feet say, as probable as they rest (4,); weight: per m^2 of a foot's height."""
    T, depth = targets.T_camera_world, targets.depth
    camera_y = -(T[0, 1] * T[0, 3] + T[1, 1] * T[1, 3] + T[2, 1] * T[2, 3])
    total = further = points = 0.0
    for k in range(4):
        foot, p = targets.predicted_m[FEET[k]], probability[k]
        share = p if finite(p) and p > UNSURE else 1.0 if foot[1] < 0.0 else 0.0
        above_m = camera_y - foot[1]
        z = T[2, 0] * foot[0] + T[2, 1] * foot[1] + T[2, 2] * foot[2] + T[2, 3]
        if share > 0.0 and above_m > _ABOVE_M and z > NEAREST_M:
            short = foot[1] / above_m
            strange = 1.0 + (short / _STRANGE) ** 2
            w = share * weight * (above_m / z) ** 2 / (strange * strange)
            total, further, points = total + w, further + w * short * z, points + 1.0
    if total > 0.0:
        w = total / points
        depth[0] += further / total * w / (w + depth[1])
        depth[1] += w
