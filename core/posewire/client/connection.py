"""The connection of a client: one SUB socket, and what its reader may do with it."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Literal

import zmq
from zmq.utils.monitor import recv_monitor_message

from posewire.client.received import Received
from posewire.client.stream import Statistics, Stream
from posewire.errors import WireError
from posewire.keys import ClientKey, load_client
from posewire.wire import DEFAULT_ADDRESS, VIEW_TOPIC, SubjectMessage, ViewMessage, parse_address, topic
from posewire.wire.limits import MAX_MESSAGE_BYTES

Status = Literal["connecting", "connected", "refused"]

_HIGH_WATER_MARK = 1000
"""About 16 s at 60 Hz: `newest` finds the newest pose also after its caller slept. Beyond it the publisher drops."""
_MOST_AT_ONCE = 10 * _HIGH_WATER_MARK
"""Messages that one call of `newest` takes, so that a flood cannot hold it."""
_CARE_PERIOD_S = 1.0
"""How often a waiting client looks after its connection."""
_REFILL_S = 0.005
"""ZeroMQ's thread refills a queue that was full from the system's buffers within this time."""


def connect(
    address: str = DEFAULT_ADDRESS,
    *,
    key_file: str | PathLike[str] | None = None,
    rig: str | None = None,
    timeout_s: float | None = None,
    view: bool = False,
) -> Client:
    """A client of the publisher at `address`, which need not run yet.

    Args:
        address: tcp://HOST:PORT.
        key_file: What `posewire keys add NAME` wrote; None = the stream is in clear.
        rig: A rig that the publisher repeats with --rig; None = the native skeleton.
        timeout_s: The longest wait of `receive` and of the iteration; None = for ever.
        view: Also hear what the method saw in each picture: `Client.view`.

    Raises:
        WireError: the address or the key file is not usable.
    """
    return Client(address, None if key_file is None else load_client(Path(key_file)), rig or "", timeout_s, view=view)


class Client:
    """One connection; made by `connect`. Also a context manager, and an iterator over every pose."""

    def __init__(self, address: str, key: ClientKey | None, rig: str, timeout_s: float | None, *, view: bool = False) -> None:
        where = parse_address(address, bind=False)
        topics = (topic("s", rig), topic("p", rig), *((VIEW_TOPIC,) if view else ()))
        self.address = str(where)
        self._timeout_s = timeout_s
        self._stream = Stream(rig=rig, same_clock=where.is_loopback)
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.SUB)
        for option, value in _OPTIONS.items():
            self._socket.setsockopt(option, value)
        self._socket.setsockopt(zmq.IPV6, int(where.is_ipv6))  # a name is its IPv4 address: that is where publishers bind
        if key is not None:
            self._socket.curve_serverkey = key.server_public.encode()
            self._socket.curve_publickey = key.pair.public.encode()
            self._socket.curve_secretkey = key.pair.secret.encode()
        for name in topics:
            self._socket.subscribe(name)
        self._monitor = self._socket.get_monitor_socket(_EVENTS)
        self._status: Status = "connecting"
        self._given_up_s: float | None = None
        self._connect()

    def receive(self, timeout_s: float | None = None) -> Received:
        """The next pose, in order; waits for it.

        Raises:
            WireError: none came in time; the text says whether there is a connection at all.
        """
        timeout_s = self._timeout_s if timeout_s is None else timeout_s
        until_s = math.inf if timeout_s is None else time.monotonic() + timeout_s
        while True:
            parts = self._next(until_s - time.monotonic())
            received = None if parts is None else self._stream.take(parts)
            if received is not None:
                return received
            if time.monotonic() >= until_s:
                raise self._nothing_came(timeout_s)

    def newest(self) -> Received | None:
        """The newest pose that arrived since the last call, or None; never waits, so lag cannot grow."""
        newest: Received | None = None
        for count in range(_MOST_AT_ONCE):
            parts = self._next(_REFILL_S if count >= _HIGH_WATER_MARK else 0.0)
            if parts is None:
                break
            newest = self._stream.take(parts) or newest
        return newest

    def _next(self, wait_s: float) -> list[bytes] | None:
        """The next ZeroMQ message; None = none within the time."""
        if self._socket.closed:
            raise WireError("The client is closed.", hint="connect again")
        until_s = time.monotonic() + wait_s
        while True:
            self._socket.setsockopt(zmq.RCVTIMEO, max(0, math.ceil(1000 * min(wait_s, _CARE_PERIOD_S))))
            try:
                return self._socket.recv_multipart()
            except zmq.Again:
                self._care()
            wait_s = until_s - time.monotonic()
            if wait_s <= 0:
                return None

    def _care(self) -> None:
        """Reads what happened to the connection, and connects again where ZeroMQ itself has given up."""
        while True:
            try:
                event = recv_monitor_message(self._monitor, zmq.NOBLOCK)["event"]
            except zmq.Again:
                break
            self._status = _status_after(event, self._status)
            self._given_up_s = time.monotonic() if event & _FAILURES else None
        if self._given_up_s is not None and time.monotonic() > self._given_up_s + _CARE_PERIOD_S:
            self._given_up_s = None
            self._connect()

    def _connect(self) -> None:
        """Also takes the place of an earlier connection, of which ZeroMQ may or may not know any more."""
        with contextlib.suppress(zmq.ZMQError):
            self._socket.disconnect(self.address)
        self._socket.connect(self.address)

    def __iter__(self) -> Iterator[Received]:
        """Every pose in order, for ever or until none comes within the client's `timeout_s` (a WireError)."""
        while True:
            yield self.receive()

    @property
    def subject(self) -> SubjectMessage | None:
        """The last subject message; None = none yet."""
        return self._stream.subject

    @property
    def view(self) -> ViewMessage | None:
        """The last view message; None = none yet, or `connect` was not asked for them."""
        return self._stream.view

    @property
    def status(self) -> Status:
        """connecting: nobody answers (yet); refused: somebody answers, but not to this key."""
        if not self._socket.closed:
            self._care()
        return self._status

    @property
    def statistics(self) -> Statistics:
        """The stream's numbers up to now."""
        return self._stream.statistics()

    def close(self) -> None:
        """Disconnects; may be called twice."""
        self._context.destroy(linger=0)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _nothing_came(self, timeout_s: float | None) -> WireError:
        problem, hint = _EXPLANATIONS[self.status]
        got = f"no pose from {self.address} within {timeout_s:g} s"
        statistics = self.statistics
        if self.status == "connected" and statistics.malformed and not statistics.fps:
            problem = "What the publisher sends cannot be read."
            got = f"{statistics.malformed} malformed messages from {self.address}, the last one: {statistics.last_error}"
            hint = "pip install --upgrade posewire, here and where it publishes"
        return WireError(problem, got=got, hint=hint)


_OPTIONS = {
    zmq.LINGER: 0,
    zmq.RCVHWM: _HIGH_WATER_MARK,
    zmq.MAXMSGSIZE: MAX_MESSAGE_BYTES,
    zmq.HEARTBEAT_IVL: 1000,
    zmq.HEARTBEAT_TIMEOUT: 5000,
    zmq.HANDSHAKE_IVL: 5000,
    zmq.RECONNECT_IVL: 100,
    zmq.RECONNECT_IVL_MAX: 1000,
}
_REFUSALS = zmq.EVENT_HANDSHAKE_FAILED_AUTH | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
_FAILURES = zmq.EVENT_DISCONNECTED | _REFUSALS
"""A failure that no EVENT_CONNECT_RETRIED follows: after a breach of protocol or a refusal ZeroMQ does not try again."""
_EVENTS = zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_CONNECT_RETRIED | _FAILURES
_EXPLANATIONS: dict[Status, tuple[str, str]] = {
    "connecting": ("Nobody publishes at this address.", "start it there: posewire run SOURCE --publish"),
    "connected": ("The publisher is there but sends nothing.", "is its video at an end, its camera covered, or --rig another?"),
    "refused": (
        "The publisher does not let this client in: their keys do not fit.",
        "posewire keys add NAME on its machine, then use that key file; without keys there, use none here",
    ),
}


def _status_after(event: int, status: Status) -> Status:
    if event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
        return "connected"
    if event & _REFUSALS:
        return "refused"
    return "refused" if status == "refused" else "connecting"
