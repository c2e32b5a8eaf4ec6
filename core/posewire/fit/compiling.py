"""Compiling undisturbed, and saying so, but only when it takes longer than reading from the slowest disk would."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType

from posewire.machine_code import is_kept

MESSAGE = "Compiling {} for this machine: up to a minute, once; it is kept on disk."
NOT_KEPT = "Compiling {} for this machine: up to a minute, at every start. NUMBA_CACHE_DIR=FOLDER keeps it in a folder of yours."
MOMENT_S = 5.0


@contextmanager
def telling(report: Callable[[str], None] | None, what: str) -> Generator[None]:
    """`report` is told, from another thread, that `what` is being compiled, if the block is not done after MOMENT_S. One Ctrl-C
    counts when the block ends, a second one at once."""
    notice = threading.Timer(MOMENT_S, report or _silent, [(MESSAGE if is_kept() else NOT_KEPT).format(what)])
    notice.start()
    try:
        with _undisturbed():
            yield
    finally:
        notice.cancel()


@contextmanager
def _undisturbed() -> Generator[None]:
    """LLVM calls Python back, where a KeyboardInterrupt is swallowed, or ends the process: the first signal waits."""
    if threading.current_thread() is not threading.main_thread():  # signals come to the main thread
        yield
        return
    waiting: list[tuple[int, FrameType | None]] = []
    handlers: dict[int, Callable[[int, FrameType | None], object]] = {
        int(number): handler for number in signal.valid_signals() if callable(handler := signal.getsignal(number))
    }

    def wait(number: int, frame: FrameType | None) -> None:
        if waiting:
            handlers[number](number, frame)
        waiting.append((number, frame))

    for number in handlers:
        signal.signal(number, wait)
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    for number, frame in waiting[:1]:
        handlers[number](number, frame)


def _silent(_: str) -> None:
    return None
