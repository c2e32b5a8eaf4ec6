"""How many processor cores there are to share."""

from __future__ import annotations

import os


def usable_cores() -> int:
    """Cores that this process may use (fewer in a container or under taskset); all where the system does not say."""
    if hasattr(os, "sched_getaffinity"):  # Windows and macOS have no such call
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
