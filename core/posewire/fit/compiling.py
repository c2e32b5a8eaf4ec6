"""Says that something is being compiled, but only when it takes more than a moment."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager

MOMENT_S = 1.0


@contextmanager
def telling(report: Callable[[str], None] | None, message: str) -> Generator[None]:
    """`report` is told the message, from another thread, if the block is not done after MOMENT_S."""
    notice = threading.Timer(MOMENT_S, report or _silent, [message])
    notice.start()
    try:
        yield
    finally:
        notice.cancel()


def _silent(_: str) -> None:
    return None
