"""A live source: a thread reads the device and keeps only the newest picture; a lost device is opened again.

Threads: the reader thread alone opens, reads and closes the device. `_Slot` is shared under its lock. One thread iterates;
any thread may read `status` and `dropped` and call `close`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from posewire.capture.framing import FrameMaker
from posewire.data import Frame, ImageArray
from posewire.errors import SourceError
from posewire.methods import SourceOptions

RETRY_WAITS_S = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Waits before each further attempt to open a lost device; the last one repeats."""
_JOIN_S = 0.5
"""How long close() waits for the reader; a device that hangs is left to its own time limit."""


class Device(Protocol):
    """An open camera or stream."""

    def read(self) -> ImageArray:
        """Waits for the next picture: (H, W, 3) uint8 RGB. Raises SourceError when the device is lost."""
        ...

    def close(self) -> None:
        """Releases the device."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class _Shot:
    image: ImageArray
    time_s: float
    index: int
    unix_ns: int


class LiveSource:
    """A Source over a Device. Made when the first picture is there; its time_s is 0.

    Args:
        open_device: Opens the device; raises SourceError when it is not there.
        retry_waits_s: Waits before each attempt to open a lost device again.

    Raises:
        SourceError: the device cannot be opened or gives no picture.
    """

    live = True
    frame_count = None

    def __init__(
        self, open_device: Callable[[], Device], options: SourceOptions, *, retry_waits_s: Sequence[float] = RETRY_WAITS_S
    ) -> None:
        self._open_device, self._retry_waits_s = open_device, retry_waits_s
        self._maker = FrameMaker(options)
        self._slot = _Slot()
        self._stop = threading.Event()
        self._error: Exception | None = None
        self._status = "connecting"
        self._losses: list[str] = []
        self._produced, self._start_s = 0, 0.0
        self._thread = threading.Thread(target=self._run, name="posewire-capture", daemon=True)
        self._thread.start()
        self._slot.wait_for_first()
        self._raise_error()

    @property
    def status(self) -> str:
        """connected, "lost: retrying in 2 s", reconnecting or closed: for the user to read."""
        return self._status

    @property
    def dropped(self) -> int:
        """Pictures that nobody took before a newer one came."""
        return self._slot.dropped

    @property
    def problems(self) -> list[str]:
        """When and why the device was lost, one line each."""
        return list(self._losses)

    def __iter__(self) -> Iterator[Frame]:
        """The newest picture each time, waiting for one that was not handed out before; ends after close()."""
        while (shot := self._slot.take()) is not None:
            yield self._maker.frame(shot.image, shot.time_s, shot.index, shot.unix_ns)
        self._raise_error()

    def close(self) -> None:
        """Ends the reader and the iteration; may be called twice, from any thread."""
        self._stop.set()
        self._slot.close()
        self._status = "closed"
        if threading.current_thread() is not self._thread:
            self._thread.join(_JOIN_S)

    def _raise_error(self) -> None:
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            self._read_until_closed()
        except Exception as error:  # noqa: BLE001 - raised again in the thread that iterates
            self._error = error
        finally:
            self._slot.close()

    def _read_until_closed(self) -> None:
        attempts = 0
        while not self._stop.is_set():
            produced = self._produced
            try:
                self._read_until_lost()
            except SourceError as error:
                if self._produced == 0:
                    raise
                attempts = 1 if self._produced > produced else attempts + 1
                self._wait_to_retry(error, attempts)

    def _read_until_lost(self) -> None:
        device = self._open_device()
        try:
            while not self._stop.is_set():
                self._keep(device.read())
        finally:
            device.close()

    def _keep(self, image: ImageArray) -> None:
        now_s, unix_ns = time.perf_counter(), time.time_ns()
        if self._produced == 0:
            self._start_s = now_s
        self._slot.put(_Shot(image, now_s - self._start_s, self._produced, unix_ns))
        self._produced += 1
        self._set_status("connected")

    def _wait_to_retry(self, error: SourceError, attempts: int) -> None:
        if attempts == 1:
            self._losses.append(f"lost at {time.perf_counter() - self._start_s:.1f} s: {error.problem}")
        wait_s = self._retry_waits_s[min(attempts, len(self._retry_waits_s)) - 1]
        self._set_status(f"lost: retrying in {wait_s:g} s")
        self._stop.wait(wait_s)
        self._set_status("reconnecting")

    def _set_status(self, status: str) -> None:
        if not self._stop.is_set():
            self._status = status


class _Slot:
    """Holds at most one item: the newest that was not taken yet."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._item: _Shot | None = None
        self._closed = False
        self.dropped = 0

    def put(self, item: _Shot) -> None:
        with self._changed:
            self.dropped += self._item is not None
            self._item = item
            self._changed.notify_all()

    def take(self) -> _Shot | None:
        """Waits for an item; None once the slot is closed."""
        with self._changed:
            self._wait()
            item, self._item = self._item, None
            return None if self._closed else item

    def wait_for_first(self) -> None:
        """Waits until an item is there or the slot is closed; takes nothing."""
        with self._changed:
            self._wait()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _wait(self) -> None:
        # In steps, because Windows delivers Ctrl+C only between waits.
        while not self._closed and self._item is None:
            self._changed.wait(0.2)
