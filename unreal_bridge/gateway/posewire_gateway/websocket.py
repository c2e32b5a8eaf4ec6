"""A WebSocket server on this machine, for browsers and whoever else likes JSON: ws://127.0.0.1:PORT/?rig=vrm&format=json

`rig`: none for the native skeleton, or the name of a bundled rig. `format`: `json` (default) gives text messages, `binary`
the very frames of docs/WIRE.md, topic and msgpack. A client hears the subject first and again when it changes, and then the
newest pose whenever it is ready for one: a slow page loses frames, never time.

Only this machine can connect, and of its browsers only pages whose origin is this machine or is allowed by name: any
other web page that the user has open could otherwise watch.

Threading contract: `send` belongs to the gateway's thread. Each client has a thread and a Mailbox, the only state they
share; retargeting and encoding are done once for all clients of the same rig and format, in the gateway's thread.
"""

from __future__ import annotations

import contextlib
import logging
import re
import threading
import time
from collections.abc import Sequence
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode
from websockets.http11 import Request, Response
from websockets.sync.server import Server, ServerConnection, serve

from posewire.errors import PluginError, PosewireError, SettingsError
from posewire.rigs import bundled_rigs, load_rig
from posewire.wire import SubjectMessage
from posewire_gateway.mailbox import Mailbox, Payload
from posewire_gateway.messages import FORMATS, Format, pose_payload, subject_payload
from posewire_gateway.moment import Moment
from posewire_gateway.origins import is_loopback
from posewire_gateway.people import Choice, Places
from posewire_gateway.rigs import OnRig

DEFAULT_PORT = 8765
MOST_CLIENTS = 16
HOST = "127.0.0.1"
_PATIENCE_S = 1.0
"""How often an idle client's thread looks whether it is still there."""
_LONGEST_REQUEST = 1024
"""A client has nothing to say but its address."""
_LONGEST_REASON = 123
"""Bytes of a close frame's reason (RFC 6455, 5.5)."""
_QUIET = logging.getLogger(__name__)
_QUIET.setLevel(logging.CRITICAL)  # a browser opens connections that it does not use: no reason for a traceback


class Wish(NamedTuple):
    """What a client asked for."""

    rig: str
    """Empty = native."""
    format: Format


class WebSocketServer:
    """Serves people to WebSocket clients until it is closed.

    Args:
        port: Where to listen on 127.0.0.1; 0 lets the system choose (see `port`).
        choice: Whom to send.
        origins: Origins, besides this machine's, whose pages may connect: https://example.org

    Raises:
        SettingsError: the port is taken, or an origin is not one.
    """

    def __init__(self, port: int, choice: Choice, origins: Sequence[str] = ()) -> None:
        self._places = Places(choice)
        self._origins = frozenset(map(_checked_origin, origins))
        self._clients: dict[Mailbox, Wish] = {}
        self._lock = threading.Lock()
        """Guards _clients."""
        self._rigs: dict[str, OnRig] = {}
        self._told: dict[Wish, tuple[SubjectMessage, Payload]] = {}
        self._server = self._listen(port)
        self.port: int = self._server.socket.getsockname()[1]
        self._thread = threading.Thread(target=self._server.serve_forever, name="posewire-websocket", daemon=True)
        self._thread.start()

    def send(self, moment: Moment) -> None:
        """The newest pose for every client; the subject first where it is new."""
        chosen = moment.with_people(tuple(self._places.assign(moment.people, time.monotonic()).values()))
        with self._lock:
            clients = dict(self._clients)
        for wish in set(clients.values()):
            mailboxes = [mailbox for mailbox, wished in clients.items() if wished == wish]
            try:
                on_rig = self._on_rig(wish.rig, chosen)
            except PluginError as error:  # the stream's skeleton is not made for this rig: its clients hear so, the others go on
                for mailbox in mailboxes:
                    mailbox.close(refusal=" ".join(str(error).split()))
                continue
            subject, pose = self._subject(wish, on_rig.subject), pose_payload(on_rig, wish.format)
            for mailbox in mailboxes:
                mailbox.put(subject, pose)

    def lost(self) -> None:
        """Poses stop; a page sees it by its own clock."""

    def status(self) -> str:
        """Where to connect, and how many have."""
        with self._lock:
            return f"ws://{HOST}:{self.port} ({len(self._clients)} connected)"

    def close(self) -> None:
        """Closes the port and every connection."""
        with self._lock:
            clients = tuple(self._clients)
        for mailbox in clients:
            mailbox.close()
        self._server.shutdown()
        self._thread.join()

    def _listen(self, port: int) -> Server:
        try:
            return serve(
                self._attend, HOST, port, process_request=self._admit, compression=None, max_size=_LONGEST_REQUEST, logger=_QUIET
            )
        except OSError as error:
            hint = "another gateway runs; or choose another: --port 8766"
            raise SettingsError("The WebSocket port cannot be used.", got=f"{HOST}:{port}", hint=hint) from error

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        """None = welcome; else the answer that says why not."""
        origin = request.headers.get("Origin")
        if origin is not None and origin not in self._origins and not is_loopback(origin):
            return connection.respond(HTTPStatus.FORBIDDEN, f"Pages of {origin} are not allowed; see --origin.\n")
        with self._lock:
            if len(self._clients) >= MOST_CLIENTS:
                return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, f"{MOST_CLIENTS} clients are connected already.\n")
        try:
            _wish(request.path)
        except PosewireError as error:
            return connection.respond(HTTPStatus.BAD_REQUEST, f"{error}\n")
        return None

    def _attend(self, connection: ServerConnection) -> None:
        """The life of one client, in its own thread."""
        assert connection.request is not None
        mailbox = Mailbox()
        with self._lock:
            self._clients[mailbox] = _wish(connection.request.path)
        try:
            _deliver(connection, mailbox)
        except ConnectionClosed:
            return
        finally:
            with self._lock:
                del self._clients[mailbox]

    def _on_rig(self, rig: str, moment: Moment) -> Moment:
        if not rig:
            return moment
        if rig not in self._rigs:
            self._rigs[rig] = OnRig(load_rig(rig))
        return self._rigs[rig](moment)

    def _subject(self, wish: Wish, subject: SubjectMessage) -> Payload:
        if wish not in self._told or self._told[wish][0] is not subject:
            self._told[wish] = (subject, subject_payload(subject, wish.format))
        return self._told[wish][1]


def _deliver(connection: ServerConnection, mailbox: Mailbox) -> None:
    """Sends what comes into the mailbox until that or the connection is closed; what the client says is thrown away."""
    while (payloads := mailbox.take(_PATIENCE_S)) is not None:
        for payload in payloads:
            connection.send(payload)
        with contextlib.suppress(TimeoutError):
            connection.recv(timeout=0)
    reason = mailbox.refusal.encode()[:_LONGEST_REASON].decode(errors="ignore")
    connection.close(CloseCode.POLICY_VIOLATION if reason else CloseCode.GOING_AWAY, reason)


def _wish(path: str) -> Wish:
    """What the address asks for.

    Raises:
        PluginError: the rig is not known.
        SettingsError: the format is not.
    """
    query = parse_qs(urlsplit(path).query)
    rig, wanted = query.get("rig", [""])[-1], query.get("format", ["json"])[-1]
    if rig == "native":
        rig = ""
    names = [card.name for card in bundled_rigs()]  # only names: an address must not open files
    if rig and rig not in names:
        raise PluginError("There is no such rig.", got=rig, allowed=names)
    if wanted not in FORMATS:
        raise SettingsError("There is no such format.", got=wanted, allowed=FORMATS)
    return Wish(rig, FORMATS[FORMATS.index(wanted)])


def _checked_origin(origin: str) -> str:
    if not re.fullmatch(r"https?://[^/\s]+", origin):
        raise SettingsError("--origin is not the origin of a page.", got=origin, allowed="https://HOST or http://HOST:PORT")
    return origin
