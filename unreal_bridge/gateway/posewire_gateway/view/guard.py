"""Keeps pages of elsewhere away from the viewer: viser binds 127.0.0.1, but checks no Origin and has no hook for it.

So the hook is put where viser starts its server, in websockets' `serve`, for just that moment; and then a handshake as a
foreign page would send it must fail, so that a viser that starts its server in another way is found out at once.
"""

from __future__ import annotations

import http.client
import logging
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from http import HTTPStatus
from typing import Any, TypeAlias

from websockets.asyncio import server as websockets_server
from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

from posewire.errors import PosewireError
from posewire_gateway.origins import is_loopback

Answer: TypeAlias = "Response | None"
ProcessRequest: TypeAlias = Callable[[ServerConnection, Request], Answer]
_FOREIGN = {
    "Origin": "https://elsewhere.invalid",
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": "cG9zZXdpcmUtdmlld2VyIQ==",
    "Sec-WebSocket-Version": "13",
}
_PATIENCE_S = 10.0
_QUIET = logging.getLogger(__name__)
_QUIET.setLevel(logging.CRITICAL)  # a browser opens connections that it does not use: no reason for a traceback


@contextmanager
def pages_of_this_machine_only() -> Generator[None]:
    """WebSocket servers that start inside refuse every page whose origin is not this machine."""
    serve = websockets_server.serve

    def guarded(*arguments: Any, process_request: ProcessRequest | None = None, **options: Any) -> Any:
        return serve(*arguments, process_request=_guard(process_request), logger=_QUIET, **options)

    websockets_server.serve = guarded  # pyright: ignore[reportAttributeAccessIssue]
    try:
        yield
    finally:
        websockets_server.serve = serve


def check_guard(host: str, port: int) -> None:
    """Tries to get in as a foreign page.

    Raises:
        PosewireError: it got in.
    """
    with closing(http.client.HTTPConnection(host, port, timeout=_PATIENCE_S)) as connection:
        connection.request("GET", "/", headers=_FOREIGN)
        status = connection.getresponse().status
    if status != HTTPStatus.FORBIDDEN:
        hint = 'pip install "viser>=1.1,<1.2"'
        raise PosewireError("This version of viser would show the stream to other pages.", got=f"status {status}", hint=hint)


def _guard(process_request: ProcessRequest | None) -> ProcessRequest:
    def admit(connection: ServerConnection, request: Request) -> Answer:
        if any(not is_loopback(origin) for origin in request.headers.get_all("Origin")):
            return connection.respond(HTTPStatus.FORBIDDEN, "Only pages of this machine are let in.\n")
        return None if process_request is None else process_request(connection, request)

    return admit
