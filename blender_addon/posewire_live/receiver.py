# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection to a publisher: by pyzmq where its wheel is there, else by our own ZMTP on this machine only.

Belongs to Blender's main thread; every call returns at once. pyzmq's own thread keeps the connection and collects messages
between two calls; our own ZMTP leaves them to the system's socket buffer.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from .errors import LiveError
from .protocol import MAX_MESSAGE_BYTES, topic
from .zmtp import ZmtpSubscriber

DEFAULT_ADDRESS = "tcp://127.0.0.1:5577"
_FORM = re.compile(r"tcp://(?P<host>\[[0-9A-Fa-f:.%]+\]|[^:/\[\]\s]+):(?P<port>[0-9]{1,5})")
_TOPICS = (topic("s"), topic("p"))
_MOST_AT_ONCE = 5_000
"""Messages that one call takes, so that a flood cannot hold Blender."""
_RETRY_S = 1.0
_KEY_HINT = "posewire keys add NAME writes one on the publishing machine."


class Subscriber(Protocol):
    """What both ways of receiving have in common."""

    status: str
    """connecting: nobody answers; connected; refused: somebody answers, but not to us."""

    def receive(self) -> list[bytes]:
        """Every message that waits; never waits itself."""
        ...

    def close(self) -> None:
        """Disconnects; may be called twice."""
        ...


@dataclass(frozen=True)
class Address:
    """A checked tcp://HOST:PORT."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"tcp://[{self.host}]:{self.port}" if ":" in self.host else f"tcp://{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """True when the publisher is this machine."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


@dataclass(frozen=True)
class Key:
    """What a client needs where the publisher lets only known ones in; each key 40 characters of Z85."""

    server_public: str
    public: str
    secret: str


def parse_address(text: str) -> Address:
    """LiveError when it is not tcp://HOST:PORT."""
    match = _FORM.fullmatch(text.strip())
    port = int(match["port"]) if match else 0
    host = match["host"].strip("[]") if match else ""
    if not 0 < port < 65536 or host in ("*", "0.0.0.0", "::"):
        raise LiveError("The address {text!r} is not usable.", "It looks like {usual}.", text=text, usual=DEFAULT_ADDRESS)
    return Address("127.0.0.1" if host.lower() == "localhost" else host, port)


def load_key(path: Path) -> Key:
    """The key file that `posewire keys add NAME` writes."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        keys = [values[name] for name in ("server_public", "public", "secret")]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LiveError("The key file {path} cannot be read.", _KEY_HINT, path=path) from error
    if values.get("posewire_key") != 1 or not all(isinstance(key, str) and len(key) == 40 for key in keys):
        raise LiveError("The file {path} is no Posewire key.", _KEY_HINT, path=path)
    return Key(*keys)


def subscribe(address: Address, key: Key | None) -> Subscriber:
    """A subscriber of the native stream; LiveError when this Blender cannot be one."""
    try:
        return ZmqSubscriber(address, key)
    except ImportError as error:
        if key is None and address.is_loopback:
            return ZmtpSubscriber(address.host, address.port, _TOPICS)
        raise LiveError(
            "This build of the add-on has no ZeroMQ library, so it can only listen on this computer, without a key.",
            "Install the Posewire zip made for this platform and this version of Blender.",
        ) from error


class ZmqSubscriber:
    """By pyzmq. Raises ImportError where there is none."""

    def __init__(self, address: Address, key: Key | None) -> None:
        import zmq  # the wheel may not fit this Python: then the fallback takes over

        self._zmq = zmq
        self.status = "connecting"
        self._address = str(address)
        self._context = zmq.Context()
        self._socket: Any = self._context.socket(zmq.SUB)
        self._set_options(key)
        for name in _TOPICS:
            self._socket.subscribe(name)
        self._monitor = self._socket.get_monitor_socket(self._events())
        self._given_up_s: float | None = None
        self._connect()

    def receive(self) -> list[bytes]:
        """See Subscriber."""
        messages: list[bytes] = []
        while len(messages) < _MOST_AT_ONCE:
            try:
                parts = self._socket.recv_multipart(self._zmq.NOBLOCK)
            except self._zmq.Again:
                break
            if len(parts) == 1:  # Posewire sends single frames; others are skipped
                messages.append(parts[0])
        self._watch()
        return messages

    def close(self) -> None:
        """See Subscriber."""
        self._context.destroy(linger=0)

    def _set_options(self, key: Key | None) -> None:
        zmq, sock = self._zmq, self._socket
        options = {
            zmq.LINGER: 0,
            zmq.RCVHWM: 1000,
            zmq.MAXMSGSIZE: MAX_MESSAGE_BYTES,
            zmq.HEARTBEAT_IVL: 1000,
            zmq.HEARTBEAT_TIMEOUT: 5000,
            zmq.HANDSHAKE_IVL: 5000,
            zmq.RECONNECT_IVL: 100,
            zmq.RECONNECT_IVL_MAX: 1000,
            zmq.IPV6: int("[" in self._address),  # a name is its IPv4 address: that is where publishers bind
        }
        for option, value in options.items():
            sock.setsockopt(option, value)
        if key is not None:
            try:
                sock.curve_serverkey = key.server_public.encode()
                sock.curve_publickey = key.public.encode()
                sock.curve_secretkey = key.secret.encode()
            except (zmq.ZMQError, ValueError) as error:
                self._context.destroy(linger=0)
                raise LiveError("The key file is damaged.", "posewire keys add NAME writes a new one.") from error

    def _events(self) -> int:
        zmq = self._zmq
        self._refusals = (
            zmq.EVENT_HANDSHAKE_FAILED_AUTH | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
        )
        return zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_DISCONNECTED | zmq.EVENT_CONNECT_RETRIED | self._refusals

    def _watch(self) -> None:
        """Reads what happened to the connection; after a refusal or a breach of protocol ZeroMQ itself does not try again."""
        from zmq.utils.monitor import recv_monitor_message

        while True:
            try:
                event = recv_monitor_message(self._monitor, self._zmq.NOBLOCK)["event"]
            except self._zmq.Again:
                break
            self._note(event)
        if self._given_up_s is not None and time.monotonic() > self._given_up_s + _RETRY_S:
            self._given_up_s = None
            self._connect()

    def _note(self, event: int) -> None:
        if event == self._zmq.EVENT_HANDSHAKE_SUCCEEDED:
            self.status = "connected"
        elif event & self._refusals or self.status == "refused":
            self.status = "refused"
        else:
            self.status = "connecting"
        lost = event & (self._refusals | self._zmq.EVENT_DISCONNECTED)
        self._given_up_s = time.monotonic() if lost else None  # a connection that is tried again says so next

    def _connect(self) -> None:
        """Also takes the place of an earlier connection, of which ZeroMQ may or may not know any more."""
        with contextlib.suppress(self._zmq.ZMQError):
            self._socket.disconnect(self._address)
        self._socket.connect(self._address)
