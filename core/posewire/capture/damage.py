"""What was found wrong with a file while it was read, one line per kind of damage."""

from __future__ import annotations


class DamageReport:
    """Counts damage by kind, with the media time of its first and last place."""

    def __init__(self) -> None:
        self._times_s: dict[str, tuple[int, float, float]] = {}

    def note(self, kind: str, time_s: float) -> None:
        """One more case of `kind` after the frame at `time_s`."""
        count, first_s, _ = self._times_s.get(kind, (0, time_s, time_s))
        self._times_s[kind] = count + 1, first_s, time_s

    def lines(self) -> list[str]:
        """For the user: how often, what, and where."""
        return [
            f"{count} x {kind} (at {first_s:.2f} s)" if count == 1 else f"{count} x {kind} ({first_s:.2f} to {last_s:.2f} s)"
            for kind, (count, first_s, last_s) in self._times_s.items()
        ]
