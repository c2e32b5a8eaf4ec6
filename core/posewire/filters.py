"""The One-Euro filter on arrays of points.

Casiez, Roussel, Vogel 2012, "1 Euro Filter" (CHI): x^ = x^[-1] + alpha (x - x^[-1]),  alpha = 1 / (1 + 1 / (2 pi f_c dt)),
f_c = f_min + beta |speed|, the speed itself low-passed at `speed_cutoff_hz`. Here the speed of a point is the length of its
velocity, not one number per axis, so that the filter does not depend on the choice of axes. beta is in hertz per unit of speed:
it scales with 1 / unit. The time step may vary. A point that is NaN is left out: NaN out, its state untouched.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numba
import numpy as np

from posewire.data import FloatArray
from posewire.machine_code import is_kept

NEVER = -math.inf


@dataclass(frozen=True, slots=True)
class OneEuroSettings:
    """Cutoff of a point at rest, its growth with the point's speed, and the cutoff of the speed estimate."""

    min_cutoff_hz: float
    cutoff_per_speed: float
    """Hz per (unit / s)."""
    speed_cutoff_hz: float = 1.0


class OneEuroState(NamedTuple):
    """What the filter remembers of M points of C coordinates."""

    value: FloatArray
    """(M, C)"""
    velocity: FloatArray
    """(M, C) per second."""
    time_s: FloatArray
    """(M,) when each point was last seen; NEVER before."""


def make_state(points: int, coordinates: int) -> OneEuroState:
    """Nothing seen yet."""
    return OneEuroState(np.zeros((points, coordinates)), np.zeros((points, coordinates)), np.full(points, NEVER))


@numba.njit(error_model="numpy")
def share_of_new(cutoff_hz: float, step_s: float) -> float:
    """alpha of a first-order low pass."""
    return 1.0 / (1.0 + 1.0 / (2.0 * math.pi * cutoff_hz * step_s))


@numba.njit(error_model="numpy", cache=is_kept())
def smooth_points(
    state: OneEuroState,
    values: FloatArray,
    time_s: float,
    min_cutoff_hz: float,
    slope: float,
    speed_cutoff_hz: float,
    out: FloatArray,
) -> None:
    """One step for values (M, C) into out (M, C), which may be `values`."""
    points, coordinates = values.shape
    for m in range(points):
        known = True
        for c in range(coordinates):
            known = known and -1e300 < values[m, c] < 1e300
        if not known:
            out[m] = np.nan
            continue
        step_s = time_s - state.time_s[m]
        state.time_s[m] = time_s
        if not 0.0 < step_s < 1e300:
            for c in range(coordinates):
                state.value[m, c], state.velocity[m, c], out[m, c] = values[m, c], 0.0, values[m, c]
            continue
        _smooth_point(state, m, values[m], step_s, min_cutoff_hz, slope, speed_cutoff_hz, out[m])


@numba.njit(error_model="numpy")
def _smooth_point(
    state: OneEuroState,
    m: int,
    x: FloatArray,
    step_s: float,
    min_cutoff_hz: float,
    slope: float,
    speed_cutoff_hz: float,
    out: FloatArray,
) -> None:
    a, speed2 = share_of_new(speed_cutoff_hz, step_s), 0.0
    for c in range(len(x)):
        state.velocity[m, c] += a * ((x[c] - state.value[m, c]) / step_s - state.velocity[m, c])
        speed2 += state.velocity[m, c] ** 2
    a = share_of_new(min_cutoff_hz + slope * math.sqrt(speed2), step_s)
    for c in range(len(x)):
        state.value[m, c] += a * (x[c] - state.value[m, c])
        out[c] = state.value[m, c]
