"""Lets into a CURVE socket exactly the clients on the list (posewire.keys): the answers to ZeroMQ's ZAP questions.

Without somebody who answers, libzmq would let every key in; so the domain is enforced and silence means no.
The list is read at each handshake: a client added or removed while the publisher runs counts from its next connection.
Contract: made in one thread, afterwards `answer` and `socket` belong to one thread; `close` when that thread has ended.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from pathlib import Path

import zmq
from zmq.auth import Authenticator

from posewire import keys
from posewire.errors import WireError

_DOMAIN = "posewire"
_log = logging.getLogger(__name__)


class Admission:
    """The door of one context's CURVE sockets.

    Raises:
        WireError: the folder holds no server pair or no client yet.
    """

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], folder: Path) -> None:
        self._pair = keys.load_server(folder)
        if not keys.clients(folder):
            raise WireError("No client is allowed in yet.", got=folder, hint="posewire keys add NAME")
        # Not pyzmq's ThreadAuthenticator: its thread needs an event loop that Windows has only with tornado installed.
        self._authenticator = Authenticator(context)
        self._authenticator.configure_curve_callback(_DOMAIN, _AllowList(folder))
        self._authenticator.start()

    @property
    def socket(self) -> zmq.Socket[bytes]:
        """Readable when somebody waits for an answer."""
        return self._authenticator.zap_socket

    def guard(self, socket: zmq.Socket[bytes]) -> None:
        """Makes `socket` ask here; call it before bind."""
        socket.curve_server = True
        socket.curve_publickey = self._pair.public.encode()
        socket.curve_secretkey = self._pair.secret.encode()
        socket.setsockopt_string(zmq.ZAP_DOMAIN, _DOMAIN)
        socket.setsockopt(zmq.ZAP_ENFORCE_DOMAIN, 1)

    def answer(self) -> None:
        """Answers everybody who waits."""
        while self.socket.poll(0):
            asyncio.run(self._authenticator.handle_zap_message(self.socket.recv_multipart()))

    def close(self) -> None:
        """Closes the door's own socket."""
        self._authenticator.stop()


@dataclass(frozen=True, slots=True)
class _AllowList:
    folder: Path

    def callback(self, domain: str, key: bytes) -> bool:
        """pyzmq's question: may the owner of this public key (Z85) come in?"""
        try:
            return key.decode() in keys.clients(self.folder).values()
        except (WireError, OSError) as error:
            _log.warning("Nobody is let in while the list of clients cannot be read: %s", error)
            return False
