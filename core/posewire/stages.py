"""What a pipeline's stages run on: a thread that works ahead of its reader, each stage's times, who may use the cores."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import Generic, TypeVar, cast

import cv2
import numpy as np

T = TypeVar("T")


_MOST_TIMES = 36_000
"""Ten minutes at 60 Hz: what runs for days must not grow."""


@dataclass(slots=True)
class StageTimes:
    """Seconds that each stage took, one entry a frame; of a long run its last 36,000 frames."""

    seconds: dict[str, deque[float]] = field(default_factory=dict[str, deque[float]])

    def timed(self, stage: str, function: Callable[[], T]) -> T:
        """Calls the function and books its time under `stage`."""
        start = perf_counter()
        try:
            return function()
        finally:
            self.seconds.setdefault(stage, deque(maxlen=_MOST_TIMES)).append(perf_counter() - start)

    def median_ms(self) -> dict[str, float]:
        """Median of each stage in milliseconds."""
        return {stage: 1e3 * float(np.median(times)) for stage, times in self.seconds.items()}

    def p95_ms(self) -> dict[str, float]:
        """95th percentile of each stage in milliseconds."""
        return {stage: 1e3 * float(np.percentile(times, 95)) for stage, times in self.seconds.items()}


class Ahead(Generic[T]):
    """Iterates on a thread of its own, at most `size` items before the reader; an error reaches the reader in its place."""

    def __init__(self, items: Iterable[T], name: str, size: int) -> None:
        self._items = items
        self._queue: queue.Queue[tuple[str, object]] = queue.Queue(size)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"posewire-{name}", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        try:
            for item in self._items:
                if not self._put("item", item):
                    return
            self._put("end", None)
        except BaseException as error:  # noqa: BLE001  every error of another thread belongs to the reader
            self._put("error", error)

    def _put(self, kind: str, value: object) -> bool:
        while not self._stop.is_set():
            try:
                self._queue.put((kind, value), timeout=0.1)
            except queue.Full:
                continue
            return True
        return False

    def __iter__(self) -> Iterator[T]:
        while not self._stop.is_set():
            try:
                kind, value = self._queue.get(timeout=0.1)  # a short wait keeps Ctrl-C alive on Windows
            except queue.Empty:
                continue
            if kind == "end":
                return
            if kind == "error":
                raise cast(BaseException, value)
            yield cast(T, value)

    def close(self) -> None:
        """Stops the thread; the reader's iteration ends."""
        self._stop.set()
        self._thread.join(timeout=5.0)


@contextmanager
def one_opencv_thread() -> Generator[None]:
    """OpenCV works on the calling thread alone meanwhile: the stages' own threads fill the cores.

    Its workers wait for their next task in a busy loop, which took a fifth of two cores from the decoder and the network. The
    setting is the process's, so it is put back afterwards.
    """
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)
