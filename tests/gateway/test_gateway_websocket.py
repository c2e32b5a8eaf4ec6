"""The WebSocket server with real clients: what they hear, and who is let in."""

from __future__ import annotations

import json
import socket
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import pytest
from gateway_samples import PATIENCE_S, instant, moment, pose, strange_moment, until
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from posewire.errors import SettingsError
from posewire.retarget import load_rig, retarget
from posewire.skeleton import REFERENCE, for_height
from posewire.wire import PoseMessage, SubjectMessage, decode
from posewire_gateway.moment import Moment
from posewire_gateway.people import parse_choice
from posewire_gateway.websocket import MOST_CLIENTS, WebSocketServer

ALL = parse_choice("all")


@pytest.fixture
def server() -> Iterator[WebSocketServer]:
    one = WebSocketServer(0, ALL)
    yield one
    one.close()


@contextmanager
def client(server: WebSocketServer, query: str = "", **more: Any) -> Generator[ClientConnection]:
    """A client that the server knows already: what is sent from now on, it hears."""
    before = server.status()
    with connect(f"ws://127.0.0.1:{server.port}/{query}", compression=None, proxy=None, **more) as one:
        until(lambda: server.status() != before)
        yield one


def knock(address: str, **more: Any) -> None:
    """Connects and goes again."""
    with connect(address, proxy=None, **more):
        pass


def heard(one: ClientConnection) -> Any:
    text = one.recv(timeout=PATIENCE_S)
    assert isinstance(text, str)
    return json.loads(text)


def test_a_page_hears_the_subject_then_poses(server: WebSocketServer) -> None:
    person = pose(3)
    with client(server) as one:
        server.send(moment(person, time_s=0.5))
        subject, first = heard(one), heard(one)
        assert (subject["kind"], first["kind"]) == ("subject", "pose")
        assert tuple(subject["names"]) == REFERENCE.names and tuple(subject["parents"]) == REFERENCE.parents
        assert subject["people"] == [{"id": 3, "name": "person 3", "skeleton": first["people"][0]["skeleton"]}]
        np.testing.assert_allclose(subject["skeletons"][first["people"][0]["skeleton"]], REFERENCE.offsets_m, atol=1e-6)
        np.testing.assert_allclose(first["people"][0]["rotations_wxyz"], person.rotations_wxyz, atol=1e-6)
        assert first["media_time_s"] == 0.5 and first["people"][0]["contacts"][3] is None


def test_the_subject_comes_again_only_when_it_changes(server: WebSocketServer) -> None:
    with client(server) as one:
        kinds: list[str] = []
        for skeleton in (REFERENCE, REFERENCE, for_height(1.9)):
            now = instant(pose())
            server.send(moment(pose()) if skeleton is REFERENCE else _with(skeleton))
            kinds.append(heard(one)["kind"])
            if kinds[-1] == "subject":
                kinds.append(heard(one)["kind"])
        assert now and kinds == ["subject", "pose", "pose", "subject", "pose"]


def _with(skeleton: Any) -> Moment:
    from posewire.wire import poses_of, subjects_of
    from posewire_gateway.moment import Received

    now = instant(pose())
    now = type(now)(now.media_time_s, 0, now.camera, now.poses, {0: skeleton})
    (subject,), (message,) = subjects_of(now, "a", ""), poses_of(now, "a", 0, 0)
    return Moment.of(Received(message, subject, None, None))


def test_binary_is_the_wire_format(server: WebSocketServer) -> None:
    with client(server, "?format=binary") as one:
        server.send(moment(pose()))
        subject, first = (decode(bytes(one.recv(timeout=PATIENCE_S))) for _ in range(2))
    assert isinstance(subject, SubjectMessage) and isinstance(first, PoseMessage)
    np.testing.assert_allclose(first.people[0].rotations_wxyz, pose().rotations_wxyz, atol=1e-6)


def test_a_rig_is_retargeted_as_the_engine_does_it(server: WebSocketServer) -> None:
    person = pose()
    with client(server, "?rig=vrm") as one:
        server.send(moment(person))
        subject, first = heard(one), heard(one)
    expected = retarget(person, REFERENCE, load_rig("vrm"))
    assert tuple(subject["names"]) == load_rig("vrm").names and first["rig"] == "vrm"
    np.testing.assert_allclose(first["people"][0]["rotations_wxyz"], expected.rotations_wxyz, atol=1e-5)


def test_clients_with_different_wishes_are_served_at_once(server: WebSocketServer) -> None:
    with client(server) as native, client(server, "?rig=mixamo") as mixamo:
        server.send(moment(pose()))
        assert (heard(native)["rig"], heard(mixamo)["rig"]) == ("", "mixamo")


def test_a_client_that_does_not_read_loses_frames_and_holds_nobody_up(server: WebSocketServer) -> None:
    crowd = moment(*map(pose, range(10)))
    with client(server, max_queue=1) as slow, client(server) as quick:
        for number in range(400):
            server.send(Moment(crowd.subject, _numbered(crowd, number), None))
        last = heard(quick)
        while last.get("sequence") != 399:
            last = heard(quick)
        slow_numbers = [heard(slow).get("sequence")]
        while slow_numbers[-1] != 399:
            slow_numbers.append(heard(slow).get("sequence"))
        assert len(slow_numbers) < 400


def _numbered(crowd: Moment, number: int) -> PoseMessage:
    message = crowd.message
    return PoseMessage("a", "", number, 0.0, 0, 0, None, message.people)


@pytest.mark.parametrize("origin", ["http://localhost:5173", "http://127.0.0.1", "https://[::1]:8000", None])
def test_pages_of_this_machine_are_let_in(server: WebSocketServer, origin: str | None) -> None:
    with client(server, origin=origin) as one:
        server.send(moment(pose()))
        assert heard(one)["kind"] == "subject"


@pytest.mark.parametrize(
    "origin", ["https://example.org", "null", "http://localhost.example.org", "http://127.0.0.1.example.org", "file://"]
)
def test_other_pages_are_not(server: WebSocketServer, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        knock(f"ws://127.0.0.1:{server.port}", origin=origin)
    assert refused.value.response.status_code == 403


def test_an_origin_that_was_allowed_is_let_in() -> None:
    server = WebSocketServer(0, ALL, ["https://example.org"])
    with client(server, origin="https://example.org"):
        pass
    server.close()
    with pytest.raises(SettingsError, match="--origin"):
        WebSocketServer(0, ALL, ["example.org/page"])


@pytest.mark.parametrize("query", ["?rig=nobody", "?rig=../../x.json", "?format=xml"])
def test_a_wish_that_cannot_be_met_is_answered(server: WebSocketServer, query: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        knock(f"ws://127.0.0.1:{server.port}/{query}")
    assert refused.value.response.status_code == 400
    assert b"allowed" in (refused.value.response.body or b"")


def test_only_this_machine_is_listened_to(server: WebSocketServer) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as here:
        assert here.getpeername()[0] == "127.0.0.1"
    with pytest.raises(OSError), socket.create_connection(("127.0.0.2", server.port), timeout=2):
        pass


def test_a_port_in_use_is_said(server: WebSocketServer) -> None:
    with pytest.raises(SettingsError, match="--port"):
        WebSocketServer(server.port, ALL)


def test_there_is_an_end_to_clients(server: WebSocketServer) -> None:
    with ExitStack() as stack:
        connected = [stack.enter_context(client(server)) for _ in range(MOST_CLIENTS)]
        with pytest.raises(InvalidStatus) as refused:
            knock(f"ws://127.0.0.1:{server.port}")
        assert refused.value.response.status_code == 503
        connected.pop().close()
        until(lambda: f"({MOST_CLIENTS - 1} connected)" in server.status())


def test_closing_says_goodbye() -> None:
    server = WebSocketServer(0, ALL)
    with client(server) as one:
        server.close()
        with pytest.raises(ConnectionClosed) as closed:
            one.recv(timeout=PATIENCE_S)
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 1001


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\n", b"\x00\xff" * 600, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"])
def test_a_connection_that_comes_to_nothing_is_no_reason_for_a_traceback(
    server: WebSocketServer, said: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """Browsers open some in advance. What is logged lands on the terminal, for the gateway asks for no other place."""
    with socket.create_connection(("127.0.0.1", server.port)) as one:
        one.sendall(said)
    with client(server) as other:  # the one before was dealt with
        server.send(moment(pose()))
        heard(other)
    assert caplog.records == []


@pytest.mark.parametrize(
    "said",
    [b"\x81\xff" + b"\x7f" * 8 + bytes(4), b"\x81\x84" + bytes(4) + b"\xff\xfe\xfd\xfc", b"\x81\x04abcd", b"\xff" * 9],
    ids=["huge length", "bad UTF-8", "unmasked", "reserved bits"],
)
def test_a_client_that_breaks_the_protocol_is_put_out_and_the_others_go_on(
    server: WebSocketServer, said: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with client(server) as other, client(server) as bad:
        bad.socket.sendall(said)

        def is_out() -> bool:
            server.send(moment(pose()))
            return "(1 connected)" in server.status()

        until(is_out)
        heard(other)
    assert caplog.records == []


def test_a_rig_that_the_stream_cannot_drive_is_told_to_its_client_and_the_others_go_on(server: WebSocketServer) -> None:
    with client(server) as native, client(server, "?rig=vrm") as vrm:
        server.send(strange_moment())
        assert [heard(native)["kind"] for _ in range(2)] == ["subject", "pose"]
        with pytest.raises(ConnectionClosed) as closed:
            vrm.recv(timeout=PATIENCE_S)
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 1008
        assert "rig 'vrm' asks for joints that the skeleton lacks" in closed.value.rcvd.reason
        until(lambda: "(1 connected)" in server.status())
        server.send(strange_moment())
        assert heard(native)["kind"] == "pose"
