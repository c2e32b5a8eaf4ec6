"""The document's first filter: One-Euro on the 2D, before the 3D is read at it (Mehta 2020, 8.2.1; Casiez et al. 2012)."""

from __future__ import annotations

import numpy as np

from posewire.data import FloatArray
from posewire.filters import NEVER, make_state, smooth_points

MINIMUM_HZ = 1.7
"""Section 8.2.1: f_c_min of the 2D."""
SLOPE = 6.0
"""Hz per window side a second. The document's 0.3 has no unit, and a window is a third more than a person's height."""
_SPEED_HZ = 1.0


class SteadyPoints:
    """Filters J points. One thread."""

    def __init__(self, joints: int) -> None:
        self._state = make_state(joints, 2)

    def __call__(self, points_px: FloatArray, time_s: float, side_px: float) -> FloatArray:
        """Points (J, 2) of a person seen in a window of this side, to the filtered ones; NaN stays NaN."""
        out = np.array(points_px, dtype=np.float64)
        smooth_points(self._state, out, time_s, MINIMUM_HZ, SLOPE / side_px, _SPEED_HZ, out)
        return out

    def reset(self) -> None:
        """Forgets everything."""
        self._state.time_s[:] = NEVER
