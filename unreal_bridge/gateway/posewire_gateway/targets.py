"""Where a gateway sends to: HOST:PORT as typed, resolved once."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from typing import Any

from posewire.errors import SettingsError

_FORM = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+(%[\w.-]+)?\]|[^:/\[\]\s]+):(?P<port>[0-9]{1,5})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Target:
    """A UDP receiver."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def parse_target(text: str) -> Target:
    """HOST:PORT, the host an IP address or a name.

    Raises:
        SettingsError: it is of another form.
    """
    match = _FORM.fullmatch(text.strip())
    if match is None or not 1 <= int(match["port"]) <= 65535:
        raise SettingsError("--to does not name a receiver.", got=text, allowed="HOST:PORT", hint="--to 127.0.0.1:39539")
    return Target(match["host"].strip("[]"), int(match["port"]))


class Datagrams:
    """Sends datagrams to one receiver, which need not be there; never waits.

    A datagram that the system does not take (no route, its buffer full) is counted in `failed` and dropped, as UDP may
    do anywhere on the way.

    Args:
        target: The receiver.

    Raises:
        SettingsError: the name of the host is not known.
    """

    def __init__(self, target: Target) -> None:
        self.target = target
        self.sent = 0
        self.failed = 0
        family, self._address = _resolve(target)
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)  # who names a broadcast address means it

    def send(self, datagrams: list[bytes]) -> None:
        """Sends each as one datagram."""
        for data in datagrams:
            try:
                self._socket.sendto(data, self._address)
                self.sent += 1
            except OSError:
                self.failed += 1

    def close(self) -> None:
        """Gives the socket back; may be called twice."""
        self._socket.close()


def told(*ports: Datagrams) -> str:
    """Where datagrams go, for people, and how many of them the system did not take."""
    failed = sum(port.failed for port in ports)
    return ", ".join(str(port.target) for port in ports) + (f" ({failed} datagrams not taken)" if failed else "")


def _resolve(target: Target) -> tuple[socket.AddressFamily, Any]:
    """A name that has addresses of both kinds means its IPv4 one: the programs that take VMC and OSC listen there."""
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_DGRAM)
    except OSError as error:
        raise SettingsError("The host is not known.", got=target, hint="an IP address always works") from error
    family, _, _, _, address = min(found, key=lambda one: one[0] != socket.AF_INET)
    return family, address
