"""Addresses are checked before ZeroMQ sees them."""

from __future__ import annotations

import socket
import sys

import pytest

from posewire.errors import WireError
from posewire.wire import DEFAULT_ADDRESS, parse_address


@pytest.mark.parametrize(
    ("text", "normal", "loopback"),
    [
        (DEFAULT_ADDRESS, "tcp://127.0.0.1:5577", True),
        ("tcp://localhost:5577", "tcp://127.0.0.1:5577", True),
        ("tcp://127.0.0.1:*", "tcp://127.0.0.1:*", True),
        ("tcp://127.0.0.1:0", "tcp://127.0.0.1:*", True),
        ("tcp://127.9.9.9:1", "tcp://127.9.9.9:1", True),
        ("tcp://[::1]:5577", "tcp://[::1]:5577", True),
        ("tcp://0.0.0.0:5577", "tcp://0.0.0.0:5577", False),
        ("tcp://*:5577", "tcp://*:5577", False),
        ("tcp://[::]:5577", "tcp://[::]:5577", False),
        ("tcp://192.168.1.20:65535", "tcp://192.168.1.20:65535", False),
    ],
)
def test_an_address_to_publish_at(text: str, normal: str, loopback: bool) -> None:
    address = parse_address(text, bind=True)
    assert (str(address), address.is_loopback) == (normal, loopback)


@pytest.mark.parametrize(
    "text", ["tcp://studio-pc:5577", "tcp://studio.local:5577", "tcp://192.168.1.20:5577", "tcp://[fd00::1]:1"]
)
def test_an_address_to_connect_to(text: str) -> None:
    assert str(parse_address(text, bind=False)) == text


NO_ADDRESSES = ["", "5577", "127.0.0.1:5577", "udp://127.0.0.1:5577", "ipc:///tmp/x", "tcp://127.0.0.1", "tcp://:5577"]
NO_ADDRESSES += ["tcp://127.0.0.1:port", "tcp://127.0.0.1:5577/x", "tcp://127.0.0.1:-1", "tcp://127.0.0.1:65536"]
NO_ADDRESSES += ["tcp://::1:5577", "tcp://a b:5577", "tcp://127.0.0.1:5577;tcp://*:1", "tcp://127.0.0.1:٣"]


@pytest.mark.parametrize("bind", [True, False])
@pytest.mark.parametrize("text", NO_ADDRESSES)
def test_what_is_no_address_is_an_error_that_shows_one(text: str, bind: bool) -> None:
    with pytest.raises(WireError, match="5577"):
        parse_address(text, bind=bind)


@pytest.mark.parametrize("text", ["tcp://*:5577", "tcp://0.0.0.0:5577", "tcp://[::]:5577", "tcp://127.0.0.1:*", "tcp://-x:1"])
def test_one_can_connect_only_to_one_machine_and_port(text: str) -> None:
    with pytest.raises(WireError):
        parse_address(text, bind=False)


def test_one_can_publish_only_at_an_ip_address() -> None:
    with pytest.raises(WireError, match="IP address"):
        parse_address("tcp://studio-pc:5577", bind=True)


NUMBER, NAME = socket.if_nameindex()[0]


@pytest.mark.parametrize("bind", [True, False])
@pytest.mark.parametrize("zone", [f"{NUMBER}"] if sys.platform == "win32" else [f"{NUMBER}", NAME])
def test_a_link_local_address_names_its_interface(zone: str, bind: bool) -> None:
    address = parse_address(f"tcp://[fe80::1%{zone}]:5577", bind=bind)
    assert (str(address), address.is_ipv6, address.is_loopback) == (f"tcp://[fe80::1%{zone}]:5577", True, False)


@pytest.mark.parametrize("bind", [True, False])
@pytest.mark.parametrize("host", ["fe80::1", "fe80::1%nowhere0", "::1%nowhere0", "fe80::1%25nowhere0"])
def test_an_interface_that_is_missing_or_not_there_is_an_error_that_lists_those_of_this_machine(host: str, bind: bool) -> None:
    """ZeroMQ would wait for ever."""
    with pytest.raises(WireError, match=rf"allowed:.*\b{NUMBER if sys.platform == 'win32' else NAME}\b"):
        parse_address(f"tcp://[{host}]:5577", bind=bind)
