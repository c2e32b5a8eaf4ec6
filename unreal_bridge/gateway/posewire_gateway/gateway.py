"""From one stream to any number of outputs: newest pose in, chosen, placed and at the asked rate out.

Threading contract: a Gateway belongs to one thread, which calls `pump` or `run`; `stop` may be called from any thread.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from threading import Event
from types import TracebackType
from typing import Self

from posewire.client import Client, Received
from posewire.errors import WireError
from posewire_gateway.moment import Moment
from posewire_gateway.output import Output
from posewire_gateway.placing import Placing
from posewire_gateway.rate import RateLimit

_LOST_S = 1.0
"""After so long without a pose receivers are told."""
_TICK_S = 0.25
"""The longest wait of one `pump`."""


@dataclass(slots=True)
class Counts:
    """What went through a gateway."""

    sent: int = 0
    passed_over: int = 0
    """Poses that the rate limit, or a newer pose, left out."""


class Gateway:
    """One stream, many outputs. A context manager; closing it closes the client and the outputs.

    Args:
        client: The stream, on the native skeleton.
        outputs: Where it goes.
        placing: Where people stand; None = as in the stream.
        max_rate_hz: The most frames a second; None = every one.
        mirror: Whether people are sent as a mirror shows them.
    """

    def __init__(
        self,
        client: Client,
        outputs: Sequence[Output],
        *,
        placing: Placing | None = None,
        max_rate_hz: float | None = None,
        mirror: bool = False,
    ) -> None:
        self._client = client
        self._outputs = tuple(outputs)
        self._placing = placing or Placing("stream")
        self._rate = RateLimit(max_rate_hz)
        self._mirror = mirror
        self._stop = Event()
        self._last_s = math.inf
        self.counts = Counts()
        self._stack = ExitStack()
        self._stack.callback(self._stop.set)
        self._stack.callback(client.close)
        for output in self._outputs:
            self._stack.callback(output.close)

    def pump(self, wait_s: float = _TICK_S) -> bool:
        """Waits for a pose, takes the newest and sends it; False when none came, or it came too early for the rate."""
        received = self._newest(wait_s)
        now_s = time.perf_counter()  # time.monotonic moves in steps of 16 ms on Windows
        if received is None:
            self._tell_lost(now_s)
            return False
        self._last_s = now_s
        if not self._rate.allows(now_s):
            self.counts.passed_over += 1
            return False
        self.send(Moment.of(received))
        return True

    def send(self, moment: Moment) -> None:
        """One moment to every output."""
        placed = self._placing(moment.mirrored() if self._mirror else moment)
        for output in self._outputs:
            output.send(placed)
        self.counts.sent += 1

    def run(self) -> None:
        """Pumps until `stop`."""
        while not self._stop.is_set():
            self.pump()

    def stop(self) -> None:
        """Ends `run` within a tick."""
        self._stop.set()

    def status(self) -> str:
        """A line for people."""
        statistics = self._client.statistics
        latency = "unknown" if statistics.latency_p50_s is None else f"{1e3 * statistics.latency_p50_s:.1f} ms"
        state = "no stream" if self._last_s == -math.inf else self._client.status
        outputs = "; ".join(output.status() for output in self._outputs)
        broken = f", malformed {statistics.malformed}: {statistics.last_error}" if statistics.malformed else ""
        return f"{state}, {statistics.fps:.0f} fps, latency {latency}, dropped {statistics.dropped}{broken} -> {outputs}"

    def close(self) -> None:
        """Disconnects and closes every output; may be called twice."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _newest(self, wait_s: float) -> Received | None:
        try:
            received = self._client.receive(wait_s)
        except WireError:  # nobody publishes yet, or the stream pauses: a gateway waits
            return None
        newer = self._client.newest()
        if newer is not None:
            self.counts.passed_over += newer.sequence - received.sequence
        return newer or received

    def _tell_lost(self, now_s: float) -> None:
        if now_s - self._last_s > _LOST_S:
            self._last_s = math.inf  # said once
            for output in self._outputs:
                output.lost()
