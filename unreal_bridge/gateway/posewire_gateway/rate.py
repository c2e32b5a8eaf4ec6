"""At most so many frames a second."""

from __future__ import annotations

import math

_EARLY = 0.25
"""Periods that a frame may come too early: a camera's frames tremble, and a limit at its own rate must drop none."""


class RateLimit:
    """Lets frames through at no more than a rate, evenly: 60 a second through 50 gives 50, not 30.

    Args:
        rate_hz: Frames a second; None = all.
    """

    def __init__(self, rate_hz: float | None) -> None:
        self._period_s = 0.0 if rate_hz is None else 1.0 / rate_hz
        self._due_s = -math.inf

    def allows(self, now_s: float) -> bool:
        """True when a frame may go now; `now_s` is a clock that never goes back."""
        if now_s < self._due_s - _EARLY * self._period_s:
            return False
        start_s = self._due_s if now_s - self._due_s < self._period_s else now_s  # no burst after a pause
        self._due_s = start_s + self._period_s
        return True
