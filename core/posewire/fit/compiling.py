"""Says that something is being compiled, but only when it takes longer than reading it from the slowest disk would."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager

from posewire.machine_code import is_kept

MESSAGE = "Compiling {} for this machine: up to a minute, once; it is kept on disk."
NOT_KEPT = "Compiling {} for this machine: up to a minute, at every start. NUMBA_CACHE_DIR=FOLDER keeps it in a folder of yours."
MOMENT_S = 5.0


@contextmanager
def telling(report: Callable[[str], None] | None, what: str) -> Generator[None]:
    """`report` is told, from another thread, that `what` is being compiled, if the block is not done after MOMENT_S."""
    notice = threading.Timer(MOMENT_S, report or _silent, [(MESSAGE if is_kept() else NOT_KEPT).format(what)])
    notice.start()
    try:
        yield
    finally:
        notice.cancel()


def _silent(_: str) -> None:
    return None
