"""The media clock: a container's presentation timestamps to strictly increasing seconds from the first frame."""

from __future__ import annotations

from fractions import Fraction

_NUDGE = 0.1
"""Part of a frame period by which a repeated timestamp is moved on."""
_JUMP_S = 1.0
"""A step back larger than this is a restarted clock (joined files), not a wrong stamp."""


class MediaClock:
    """time_s = (pts - first pts) * time_base. What is missing, repeated or runs backwards is repaired and counted.

    Args:
        time_base: Seconds per tick.
        period_s: The nominal frame period, for frames without a timestamp.
    """

    def __init__(self, time_base: Fraction, period_s: float) -> None:
        self._time_base, self._period_s = time_base, period_s
        self._first_pts: int | None = None
        self._shift_s = 0.0
        self._last_s = -period_s
        self.repaired = 0
        """Frames whose time is not the container's own."""

    def time_s(self, pts: int | None) -> float:
        """Seconds of the frame stamped `pts`, always later than the frame before it."""
        self._last_s = self._repair(self._stamped_s(pts))
        return self._last_s

    def _stamped_s(self, pts: int | None) -> float | None:
        if pts is None:
            return None
        if self._first_pts is None:
            # Frames without stamps may have come before: this one takes the next place.
            self._first_pts, self._shift_s = pts, self._last_s + self._period_s
        return float((pts - self._first_pts) * self._time_base) + self._shift_s

    def _repair(self, time_s: float | None) -> float:
        if time_s is not None and time_s > self._last_s:
            return time_s
        self.repaired += 1
        if time_s is None:
            return self._last_s + self._period_s
        if self._last_s - time_s < _JUMP_S:
            return self._last_s + _NUDGE * self._period_s
        next_s = self._last_s + self._period_s
        self._shift_s += next_s - time_s
        return next_s
