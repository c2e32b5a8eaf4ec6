"""Where datagrams go, and that it is said when they do not."""

from __future__ import annotations

import socket
import sys
from typing import Any

import pytest
from gateway_samples import Receiver, moment, pose, strange_moment

from posewire.errors import SettingsError, WireError
from posewire_gateway import Options, open_outputs
from posewire_gateway.people import parse_choice
from posewire_gateway.targets import Datagrams, Target, parse_target, told


def test_a_name_of_both_kinds_means_its_ipv4_address(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `localhost` on Windows and macOS, whose first address is ::1, while VMC receivers listen at 127.0.0.1."""

    def both(host: str, port: int, **kind: Any) -> list[Any]:
        return [(socket.AF_INET6, socket.SOCK_DGRAM, 17, "", ("::1", port, 0, 0)), *lookup("127.0.0.1", port, **kind)]

    lookup = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", both)
    datagrams = Datagrams(Target("localhost", receiver.port))
    datagrams.send([b"hello"])
    assert receiver.datagrams() == [b"hello"]
    datagrams.close()


def test_a_link_local_address_is_known_with_its_interface() -> None:
    Datagrams(parse_target(f"[fe80::1%{socket.if_nameindex()[0][0]}]:39539")).close()
    assert parse_target("[fe80::1%eth0]:39539") == Target("fe80::1%eth0", 39539)


def test_an_ipv6_address_is_sent_to() -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as there:
        try:
            there.bind(("::1", 0))
        except OSError:
            pytest.skip("this machine has no IPv6")
        there.settimeout(10.0)
        datagrams = Datagrams(parse_target(f"[::1]:{there.getsockname()[1]}"))
        datagrams.send([b"hello"])
        assert there.recv(100) == b"hello"
        datagrams.close()


@pytest.mark.skipif(sys.platform != "linux", reason="on other systems not every loopback address is there")
def test_who_names_a_broadcast_address_broadcasts() -> None:
    datagrams = Datagrams(parse_target("127.255.255.255:39539"))
    datagrams.send([b"hello"])
    assert (datagrams.sent, datagrams.failed) == (1, 0)
    datagrams.close()


@pytest.mark.parametrize("kind", ["vmc", "osc", "json", "trackers"])
def test_every_output_says_how_many_datagrams_were_not_taken(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def send_too_long(self: Datagrams, datagrams: list[bytes]) -> None:
        send(self, [data + bytes(65536) for data in datagrams])

    send = Datagrams.send
    (output,) = open_outputs([kind], ["127.0.0.1:39539"], Options())
    assert "not taken" not in output.status()
    monkeypatch.setattr(Datagrams, "send", send_too_long)
    output.send(moment(pose()))
    assert "127.0.0.1:39539 (" in output.status() and "datagrams not taken)" in output.status()
    output.close()


def test_told_names_every_port() -> None:
    ports = [Datagrams(Target("127.0.0.1", port)) for port in (7000, 7001)]
    ports[1].failed = 2
    assert told(*ports) == "127.0.0.1:7000, 127.0.0.1:7001 (2 datagrams not taken)"
    for port in ports:
        port.close()


def test_people_whose_ports_do_not_exist_are_refused_before_anybody_comes() -> None:
    with pytest.raises(SettingsError, match="a port up to 65504"):
        open_outputs(["vmc"], ["127.0.0.1:65530"], Options(people=parse_choice("all")))
    for output in open_outputs(["vmc"], ["127.0.0.1:65535"], Options()):
        output.close()


def test_a_stream_of_another_skeleton_has_no_trackers_and_that_is_said(receiver: Receiver) -> None:
    (output,) = open_outputs(["trackers"], [receiver.address], Options())
    with pytest.raises(WireError, match=r"not Posewire's own(.|\n)*no chest, head"):
        output.send(strange_moment())
    output.close()
