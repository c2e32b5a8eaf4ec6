"""Messages to ZeroMQ: a Publisher that never waits for anybody.

Threading contract: `send` and `close` may be called from any thread. One lock guards the socket and the state that goes
with it; `send` holds it while it encodes and hands over, and XPUB drops for a slow subscriber instead of waiting.
A service thread takes the same lock to answer new subscriptions with the subject messages and to repeat these every
second, also while the pipeline is silent. It waits on the socket's file descriptor, outside the lock: that touches no
socket state. The authenticator's socket belongs to the service thread alone.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Hashable, Iterable
from pathlib import Path
from types import TracebackType

import zmq

from posewire.admission import Admission
from posewire.errors import WireError
from posewire.wire import (
    DEFAULT_ADDRESS,
    VIEW_TOPIC,
    Address,
    Instant,
    encode,
    encode_view,
    parse_address,
    poses_of,
    subject_mark,
    subjects_of,
    topic,
)

SUBJECT_PERIOD_S = 1.0
_TICK_MS = 50
_HIGH_WATER_MARK = 64
"""Messages kept for a subscriber that does not read; later ones are dropped for it."""
_UPSTREAM_BYTES = 1024
"""Longest message that a subscriber may send: it has nothing to say but its subscriptions."""
_MOST_REQUESTS = 256
"""Subscriptions handled in one go, so that a flood of them cannot hold the lock."""


class Publisher:
    """Publishes instants until it is closed; also a context manager.

    Args:
        address: Where to bind, tcp://IP:PORT; port * lets the system choose (see `address`).
        method: Name of the pose method, for the subject message.
        keys: A folder of posewire.keys: only its clients are let in, and the stream is encrypted.
        insecure: Consent to an address beyond this machine without keys.

    Raises:
        WireError: the address is not usable or taken, or it is open to others and has neither keys nor consent.
    """

    def __init__(
        self, address: str = DEFAULT_ADDRESS, *, method: str = "", keys: Path | None = None, insecure: bool = False
    ) -> None:
        where = parse_address(address, bind=True)
        _check_consent(where, keys, insecure)
        self.session = secrets.token_hex(8)
        self._method = method
        self._sequence = 0
        self._subjects: dict[bytes, bytes] = {}
        self._viewers: set[bytes] = set()
        self._mark: Hashable = None
        self._repeat_at_s = 0.0
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._context = zmq.Context()
        try:
            self._admission = None if keys is None else Admission(self._context, keys)
            self._socket = self._bind(where)
        except BaseException:
            self._context.destroy(linger=0)
            raise
        self.address = self._socket.get_string(zmq.LAST_ENDPOINT)
        self._thread = threading.Thread(target=self._serve, name="posewire-publisher", daemon=True)
        self._thread.start()

    def send(self, instant: Instant) -> None:
        """Publishes everybody at one instant; the subject messages first where they changed.

        Raises:
            WireError: the publisher is closed.
        """
        with self._lock:
            if self._closing.is_set():
                raise WireError("The publisher is closed.", hint="make a new Publisher")
            self._answer_subscriptions()
            self._tell_changes(instant)
            self._tell(map(encode, poses_of(instant, self.session, self._sequence, time.time_ns())))
            if instant.view is not None and self._viewers:
                self._tell([encode_view(instant.view, self.session, self._sequence)])
            self._sequence += 1

    def close(self) -> None:
        """Stops at once; what was not sent yet is dropped. May be called twice."""
        self._closing.set()
        self._thread.join()
        with self._lock:
            if self._admission is not None:
                self._admission.close()
            self._context.destroy(linger=0)

    def __enter__(self) -> Publisher:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _bind(self, where: Address) -> zmq.Socket[bytes]:
        socket = self._context.socket(zmq.XPUB)
        for option, value in _OPTIONS.items():
            socket.setsockopt(option, value)
        socket.setsockopt(zmq.IPV6, int(where.is_ipv6))
        if self._admission is not None:
            self._admission.guard(socket)
        try:
            socket.bind(str(where))
        except zmq.ZMQError as error:
            raise _bind_error(where, error) from error
        return socket

    def _tell_changes(self, instant: Instant) -> None:
        mark = subject_mark(instant)
        if mark != self._mark:
            subjects = subjects_of(instant, self.session, self._method)
            self._subjects = {topic("s", subject.rig): encode(subject) for subject in subjects}
            self._mark = mark
            self._tell(self._subjects.values())

    def _serve(self) -> None:
        poller = zmq.Poller()
        poller.register(self._socket.getsockopt(zmq.FD), zmq.POLLIN)
        if self._admission is not None:
            poller.register(self._admission.socket, zmq.POLLIN)
        while not self._closing.is_set():
            poller.poll(_TICK_MS)
            if self._admission is not None:
                self._admission.answer()
            with self._lock:
                self._answer_subscriptions()
                self._repeat_subjects()

    def _answer_subscriptions(self) -> None:
        """Every new subscriber hears the subject messages that it asked for."""
        asked: set[bytes] = set()
        for _ in range(_MOST_REQUESTS):
            try:
                request = self._socket.recv(zmq.NOBLOCK)
            except zmq.Again:
                break
            if request[:1] == b"\x01":
                asked.add(request[1:])
            self._note_viewers(request)
        self._tell(data for name, data in self._subjects.items() if any(name.startswith(prefix) for prefix in asked))

    def _note_viewers(self, request: bytes) -> None:
        """View messages are made only while somebody asks for them; XPUB tells when the last one of a topic has left."""
        if request[:1] == b"\x01" and VIEW_TOPIC.startswith(request[1:]):
            self._viewers.add(request[1:])
        elif request[:1] == b"\x00":
            self._viewers.discard(request[1:])

    def _repeat_subjects(self) -> None:
        """For late joiners whose first subject message was dropped, and to show that the publisher is alive."""
        now_s = time.monotonic()
        if now_s >= self._repeat_at_s:
            self._repeat_at_s = now_s + SUBJECT_PERIOD_S
            self._tell(self._subjects.values())

    def _tell(self, messages: Iterable[bytes]) -> None:
        for data in messages:
            self._socket.send(data, zmq.NOBLOCK)


_OPTIONS = {
    zmq.XPUB_VERBOSE: 1,
    zmq.LINGER: 0,
    zmq.SNDHWM: _HIGH_WATER_MARK,
    zmq.MAXMSGSIZE: _UPSTREAM_BYTES,
    zmq.HEARTBEAT_IVL: 1000,
    zmq.HEARTBEAT_TIMEOUT: 5000,
    zmq.HANDSHAKE_IVL: 5000,
}


def _check_consent(where: Address, keys: Path | None, insecure: bool) -> None:
    if keys is None and not insecure and not where.is_loopback:
        raise WireError(
            "Others on the network could watch this stream.",
            got=str(where),
            allowed=f"{DEFAULT_ADDRESS} (this machine only), or keys",
            hint="posewire keys add NAME makes a key for a client; --insecure publishes to everybody in clear",
        )


def _bind_error(where: Address, error: zmq.ZMQError) -> WireError:
    if error.errno == zmq.EADDRINUSE:
        another = Address(where.host, where.port % 65535 + 1)
        hint = f"stop the other Posewire, or publish elsewhere: --publish {another}"
        return WireError("Something else already publishes at this address.", got=str(where), hint=hint)
    return WireError(
        "Cannot publish at this address.",
        got=f"{where}: {zmq.strerror(error.errno or 0)}",
        allowed="an IP address of this machine and a free port above 1023",
        hint=f"only this machine: --publish {DEFAULT_ADDRESS}",
    )
