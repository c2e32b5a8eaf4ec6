# SPDX-License-Identifier: GPL-3.0-or-later
"""A ZeroMQ subscriber without ZeroMQ: ZMTP 3.0 (rfc.zeromq.org/spec/23), mechanism NULL, over one non-blocking socket.

The fallback where no wheel of pyzmq fits. No encryption, so only for a publisher on this machine. Nothing happens outside
of `receive`, which never waits: it connects, reads what the system has, answers heartbeats and tries again after a loss.
"""

from __future__ import annotations

import errno
import select
import socket
import struct
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress

from .protocol import MAX_MESSAGE_BYTES

_MORE, _LONG, _COMMAND = 1, 2, 4
_GREETING = b"\xff" + bytes(8) + b"\x7f" + b"\x03\x00" + b"NULL".ljust(20, b"\0") + bytes(32)
_GREETING_BYTES = 64
_RETRY_S = 0.25
_PATIENCE_S = 5.0
"""A connection that is silent for as long is made anew; the publisher pings every second."""
_MOST_BYTES = 16 << 20
"""Read by one call, so that a flood cannot hold it."""
_IN_PROGRESS = (errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EAGAIN, 10035)


class _BrokenError(Exception):
    """The peer does not speak ZMTP, or has gone."""


class ZmtpSubscriber:
    """Messages of the topics of one publisher."""

    def __init__(self, host: str, port: int, topics: Sequence[bytes]) -> None:
        self.status = "connecting"
        """connecting, connected, or refused (it answers, but wants a key or is no ZeroMQ publisher)."""
        self._where, self._topics = (host, port), topics
        self._socket: socket.socket | None = None
        self._buffer = bytearray()
        self._greeted = self._ready = False
        self._next_try_s = self._heard_s = 0.0

    def receive(self) -> list[bytes]:
        """Every whole message that waits; reconnects by itself."""
        messages: list[bytes] = []
        try:
            if self._socket is None:
                self._connect()
            if self._socket is not None:
                alive = self._read()
                messages.extend(self._messages())  # also the last words of a publisher that has closed
                if not alive:
                    raise OSError("closed by the publisher, or silent for too long")
        except (_BrokenError, OSError) as error:
            hung_up = self._greeted and not self._ready  # in the handshake, maybe without a word: it wants a key
            self._drop(refused=hung_up or isinstance(error, _BrokenError))
        return messages

    def close(self) -> None:
        """Disconnects; may be called twice."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _connect(self) -> None:
        now_s = time.monotonic()
        if now_s < self._next_try_s:
            return
        self._next_try_s = now_s + _RETRY_S
        self._buffer.clear()
        self._greeted = self._ready = False
        self._heard_s = now_s
        self._socket = socket.socket(socket.AF_INET6 if ":" in self._where[0] else socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        code = self._socket.connect_ex(self._where)
        if code not in (0, *_IN_PROGRESS):
            raise OSError(code, "cannot connect")

    def _drop(self, *, refused: bool) -> None:
        self.close()
        if self.status != "refused" or self._ready:  # a refusal stays shown while it is tried again
            self.status = "refused" if refused else "connecting"

    def _read(self) -> bool:
        """False when the connection is at its end."""
        assert self._socket is not None
        with suppress(BlockingIOError, InterruptedError):  # nothing more waits
            if not self._greeted:
                self._send_greeting()
            while self._greeted and len(self._buffer) < _MOST_BYTES:
                data = self._socket.recv(1 << 18)
                if not data:
                    return False
                self._buffer += data
                self._heard_s = time.monotonic()
        return time.monotonic() < self._heard_s + _PATIENCE_S

    def _send_greeting(self) -> None:
        """As soon as the connection stands."""
        assert self._socket is not None
        problem = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if problem:
            raise OSError(problem, "cannot connect")
        _, writable, _ = select.select([], [self._socket], [], 0.0)
        if writable:
            self._socket.sendall(_GREETING)
            self._greeted = True

    def _messages(self) -> Iterator[bytes]:
        if not self._greeted or (not self._ready and not self._shake_hands()):
            return
        whole = True
        for flags, body in self._frames():
            if flags & _COMMAND:
                self._obey(body)
            elif whole and not flags & _MORE:
                yield body
            whole = bool(flags & _COMMAND) or not flags & _MORE  # Posewire sends single frames; others are skipped

    def _shake_hands(self) -> bool:
        """True when both sides are ready."""
        if len(self._buffer) < _GREETING_BYTES:
            if bytes(self._buffer[:1]) not in (b"", b"\xff"):
                raise _BrokenError("no ZeroMQ")
            return False
        greeting = bytes(self._buffer[:_GREETING_BYTES])
        if greeting[9:10] != b"\x7f" or greeting[10] < 3 or greeting[12:32].rstrip(b"\0") != b"NULL":
            raise _BrokenError("no ZeroMQ, too old, or it wants a key")
        del self._buffer[:_GREETING_BYTES]
        self._send(_COMMAND, b"\x05READY" + b"\x0bSocket-Type" + struct.pack(">I", 3) + b"SUB")
        for name in self._topics:
            self._send(0, b"\x01" + name)
        self._ready = True
        return True

    def _frames(self) -> Iterator[tuple[int, bytes]]:
        at = 0
        try:
            while True:
                head = 9 if len(self._buffer) > at and self._buffer[at] & _LONG else 2
                if len(self._buffer) < at + head:
                    return
                size = int.from_bytes(self._buffer[at + 1 : at + head], "big")
                if self._buffer[at] > 7 or size > MAX_MESSAGE_BYTES:
                    raise _BrokenError("not a frame of this stream")
                if len(self._buffer) < at + head + size:
                    return
                yield self._buffer[at], bytes(self._buffer[at + head : at + head + size])
                at += head + size
        finally:
            del self._buffer[:at]

    def _obey(self, command: bytes) -> None:
        name = command[1 : 1 + command[0]] if command else b""
        if name == b"READY":
            self.status = "connected"
        elif name == b"PING":
            self._send(_COMMAND, b"\x04PONG" + command[7:])
        elif name == b"ERROR":
            raise _BrokenError("refused")

    def _send(self, flags: int, body: bytes) -> None:
        """Short and rare, so the system's buffer always has room; where it has not, the connection is made anew."""
        assert self._socket is not None
        self._socket.sendall(bytes([flags, len(body)]) + body)
