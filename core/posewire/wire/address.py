"""Addresses of the form tcp://HOST:PORT, checked before ZeroMQ sees them so that the error can say what to type."""

from __future__ import annotations

import ipaddress
import re
import socket
import sys
from dataclasses import dataclass
from typing import NoReturn

from posewire.errors import WireError
from posewire.settings import DEFAULT_ADDRESS

_FORM = re.compile(r"tcp://(?P<host>\[[0-9A-Fa-f:.]+(%[\w.-]+)?\]|[^:/\[\]\s]+):(?P<port>[0-9]{1,5}|\*)", re.ASCII)
_HOST_NAME = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*\.?")
_ANY_HOST = ("*", "0.0.0.0", "::")


@dataclass(frozen=True, slots=True)
class Address:
    """A checked address."""

    host: str
    """IP address or name, without brackets; localhost has become 127.0.0.1."""
    port: int
    """0 = let the system choose (only to publish)."""

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"tcp://{host}:{self.port or '*'}"

    @property
    def is_loopback(self) -> bool:
        """True when only this machine can be reached."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def is_ipv6(self) -> bool:
        """True for an IPv6 address; ZeroMQ wants to be told."""
        return ":" in self.host


def parse_address(text: str, *, bind: bool) -> Address:
    """An address to publish at (`bind`) or to connect to.

    Raises:
        WireError: it is not of the form tcp://HOST:PORT, or not usable for this end.
    """
    match = _FORM.fullmatch(text.strip())
    if match is None:
        _refuse(text, "tcp://HOST:PORT", f"the usual address is {DEFAULT_ADDRESS}")
    host = match["host"].strip("[]")
    host = "127.0.0.1" if host.lower() == "localhost" else host
    port = 0 if match["port"] == "*" else int(match["port"])
    _check_host(text, host, bind)
    if port > 65535 or (port == 0 and not bind):
        _refuse(text, "a port from 1 to 65535", f"the usual address is {DEFAULT_ADDRESS}")
    return Address(host, port)


def _check_host(text: str, host: str, bind: bool) -> None:
    if bind and not (host == "*" or _is_ip(host)):
        _refuse(text, "an IP address of this machine, or * for all", f"only this machine: {DEFAULT_ADDRESS}")
    if not bind and host in _ANY_HOST:
        _refuse(text, "the address of one machine", f"on this machine: {DEFAULT_ADDRESS}")
    if not bind and not (_is_ip(host) or _HOST_NAME.fullmatch(host)):
        _refuse(text, "an IP address or a host name", f"on this machine: {DEFAULT_ADDRESS}")
    _check_zone(text, host)


def _check_zone(text: str, host: str) -> None:
    """fe80::1%eth0 means that address behind eth0; ZeroMQ would wait for ever behind an interface that is not there."""
    zone = host.partition("%")[2]
    needed = _is_ip(host) and ":" in host and ipaddress.ip_address(host).is_link_local
    interfaces = [str(one[0]) if sys.platform == "win32" else one[1] for one in socket.if_nameindex()]
    if (zone or needed) and zone not in interfaces and not zone.isdecimal():
        allowed = "the network interface that leads there, after a %: " + ", ".join(interfaces)
        _refuse(text, allowed, f"like tcp://[fe80::1%{interfaces[-1]}]:5577")


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _refuse(text: str, allowed: str, hint: str) -> NoReturn:
    raise WireError("The address is not usable.", got=text, allowed=allowed, hint=hint)
