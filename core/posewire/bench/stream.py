"""stream: from the moment a pose is handed to the publisher until a client has decoded it, against raw UDP.

Both carry the same bytes between the same two processes; both times include making, encoding and decoding the message.
Publisher, measured client and the other subscribers are three processes, as they are in use. The peer is the system's
own UDP socket: it knows no connections, queues, late joiners or keys.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from socket import socket

import numpy as np

from posewire.bench.row import BenchRow, Peers
from posewire.bench.stream_roles import Block, attend, process, publish, udp_socket
from posewire.client import Client, connect
from posewire.errors import WireError
from posewire.wire import PoseMessage, decode

_PATIENCE_S = 20.0
_ROUNDS = 4


@dataclass(frozen=True, slots=True)
class Case:
    """How much is sent, and to how many."""

    rate_hz: int
    subscribers: int
    stalled: int = 0
    """Subscribers, besides the others, that never read."""

    @property
    def workload(self) -> str:
        """The case in words."""
        stalled = f", {self.stalled} more stalled" if self.stalled else ""
        return f"1 person at {self.rate_hz} Hz, {self.subscribers} subscriber{'s' * (self.subscribers > 1)}{stalled}"


CASES = (Case(60, 1), Case(60, 50), Case(1000, 1), Case(1000, 50), Case(1000, 1, stalled=1))


def run(peers: Peers, *, cases: tuple[Case, ...] = CASES, seconds: float = 4.0) -> list[BenchRow]:
    """A row for each case. The peer is part of the system, so `peers` has nothing to say."""
    return [_row(case, *_measure(case, seconds)) for case in cases]


def _row(case: Case, ours_s: list[float], udp_s: list[float]) -> BenchRow:
    ours_us, udp_us = (1e6 * np.percentile(values, [50, 99]) for values in (ours_s, udp_s))
    note = f"p99 {ours_us[1]:.0f} us, raw UDP {udp_us[1]:.0f} us"
    return BenchRow.against("stream", case.workload, "raw UDP", "us p50", float(ours_us[0]), float(udp_us[0]), note)


def _measure(case: Case, seconds: float) -> tuple[list[float], list[float]]:
    """Seconds from publish to decode by ZeroMQ and by UDP, in turns so that both meet the same disturbances."""
    ours_s: list[float] = []
    udp_s: list[float] = []
    with ExitStack() as stack:
        publisher = stack.enter_context(process(publish))
        address: str = publisher.recv()
        audience = stack.enter_context(process(attend, address, case.subscribers - 1, case.stalled))
        mine = stack.enter_context(udp_socket())
        mine.settimeout(_PATIENCE_S)
        ports: list[int] = audience.recv()
        ports.insert(len(ports) // 2, mine.getsockname()[1])  # neither served first nor last
        publisher.send(ports)
        client = stack.enter_context(connect(address, timeout_s=_PATIENCE_S))
        publisher.send(Block("zmq", 0, 50, 50))  # warms up, and gives everybody time to connect
        _receive_zmq(client, 0)
        count = round(seconds * case.rate_hz / _ROUNDS)
        for number in range(1, 2 * _ROUNDS, 2):
            publisher.send(Block("zmq", number, count, case.rate_hz))
            ours_s += _receive_zmq(client, number)
            publisher.send(Block("udp", number + 1, count, case.rate_hz))
            udp_s += _receive_udp(mine, number + 1)
    return ours_s, udp_s


def _receive_zmq(client: Client, block: int) -> list[float]:
    """Elapsed seconds of a block's messages; the block's last ones are marked by their negative time."""
    elapsed_s: list[float] = []
    for received in client:
        if received.media_time_s == -block - 1:
            return elapsed_s
        if received.media_time_s == block + 1 and received.transport_s is not None:
            elapsed_s.append(received.transport_s)
    raise WireError("The stream ended.")


def _receive_udp(udp: socket, block: int) -> list[float]:
    elapsed_s: list[float] = []
    for message, now_unix_ns in _udp_messages(udp):
        if message.media_time_s == -block - 1:
            break
        if message.media_time_s == block + 1:
            elapsed_s.append((now_unix_ns - message.send_unix_ns) * 1e-9)
    return elapsed_s


def _udp_messages(udp: socket) -> Iterator[tuple[PoseMessage, int]]:
    while True:
        message = decode(udp.recv(65536))
        if isinstance(message, PoseMessage):
            yield message, time.time_ns()
