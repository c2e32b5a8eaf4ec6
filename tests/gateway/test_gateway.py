"""The whole gateway between a real publisher and real receivers."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zmq
from gateway_samples import ANYWHERE, PATIENCE_S, Receiver, instant, pose, until
from websockets.sync.client import connect as connect_websocket

from posewire import keys
from posewire.client import connect
from posewire.data import SkeletonPose
from posewire.publish import Publisher
from posewire.skeleton import for_height
from posewire.wire import encode, poses_of, subjects_of
from posewire_gateway import Gateway, Options, open_outputs
from posewire_gateway.websocket import WebSocketServer


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with Publisher(ANYWHERE) as publisher:
        yield publisher


def vmc(publisher: Publisher, receiver: Receiver) -> Gateway:
    return Gateway(connect(publisher.address), open_outputs(["vmc"], [receiver.address], Options()))


def test_a_pose_goes_through(publisher: Publisher, receiver: Receiver) -> None:
    with vmc(publisher, receiver) as gateway:
        until(lambda: gateway.pump(0.01), meanwhile=lambda: publisher.send(instant(pose())))
        assert ("/VMC/Ext/OK", [1, 3, 0, 1]) in receiver.messages()
        assert gateway.counts.sent == 1 and str(receiver.port) in gateway.status()


def test_of_poses_that_wait_only_the_newest_goes_on(publisher: Publisher, receiver: Receiver) -> None:
    with vmc(publisher, receiver) as gateway:
        until(lambda: gateway.pump(0.01), meanwhile=lambda: publisher.send(instant(pose())))
        for number in range(1, 51):
            publisher.send(instant(pose(), time_s=float(number)))
        times: list[float] = []

        def pump() -> None:
            if gateway.pump(0.01):
                times.extend(values[0] for address, values in receiver.messages() if address == "/VMC/Ext/T")

        until(lambda: times[-1:] == [50.0], meanwhile=pump)
        assert len(times) < 50 and gateway.counts.passed_over > 0


def test_outputs_of_every_kind_work_side_by_side(publisher: Publisher) -> None:
    receivers = {kind: Receiver() for kind in ("vmc", "osc", "json", "trackers")}
    to = [f"{kind}={receiver.address}" for kind, receiver in receivers.items()]
    outputs = open_outputs(["vmc", "osc", "json", "trackers", "ws"], to, Options(port=0))
    (server,) = (output for output in outputs if isinstance(output, WebSocketServer))
    with Gateway(connect(publisher.address), outputs) as gateway, ExitStack() as stack:
        page = stack.enter_context(connect_websocket(f"ws://127.0.0.1:{server.port}/", proxy=None))
        until(lambda: "(1 connected)" in server.status())
        until(lambda: gateway.pump(0.01), meanwhile=lambda: publisher.send(instant(pose())))
        assert receivers["vmc"].messages()[0][0] == "/VMC/Ext/OK"
        assert receivers["osc"].messages()[0][0] == "/posewire/frame"
        assert list(json.loads(receivers["json"].datagrams()[0])) == ["person 0"]
        assert receivers["trackers"].messages()[0][0] == "/tracking/trackers/1/position"
        assert json.loads(page.recv(timeout=PATIENCE_S))["kind"] == "subject"
    for receiver in receivers.values():
        receiver.close()


def test_when_the_stream_stops_receivers_are_told_once(publisher: Publisher, receiver: Receiver) -> None:
    with vmc(publisher, receiver) as gateway:
        until(lambda: gateway.pump(0.01), meanwhile=lambda: publisher.send(instant(pose())))
        while not receiver.is_silent():
            receiver.datagrams()
        publisher.close()
        until(lambda: not receiver.is_silent(), meanwhile=lambda: gateway.pump(0.05))
        assert receiver.messages()[0] == ("/VMC/Ext/OK", [1, 3, 0, 0])
        for _ in range(30):
            gateway.pump(0.05)
        assert receiver.is_silent()


def test_a_publisher_that_comes_back_is_found(publisher: Publisher, receiver: Receiver) -> None:
    with vmc(publisher, receiver) as gateway:
        until(lambda: gateway.pump(0.01), meanwhile=lambda: publisher.send(instant(pose())))
        publisher.close()
        with Publisher(publisher.address) as second:
            sent = gateway.counts.sent
            until(lambda: gateway.counts.sent > sent, meanwhile=lambda: (second.send(instant(pose())), gateway.pump(0.01)))


def test_the_rate_is_limited(publisher: Publisher, receiver: Receiver) -> None:
    outputs = open_outputs(["vmc"], [receiver.address], Options())
    with Gateway(connect(publisher.address), outputs, max_rate_hz=0.1) as gateway:
        until(lambda: gateway.pump(0.01), meanwhile=lambda: publisher.send(instant(pose())))
        for _ in range(20):
            publisher.send(instant(pose()))
            gateway.pump(0.02)
        assert gateway.counts.sent == 1 and gateway.counts.passed_over > 0


def test_stop_ends_run_from_another_thread(publisher: Publisher, receiver: Receiver) -> None:
    with vmc(publisher, receiver) as gateway:
        thread = threading.Thread(target=gateway.run)
        thread.start()
        gateway.stop()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


@pytest.fixture
def raw() -> Iterator[zmq.Socket[bytes]]:
    """A publisher that says whatever it is told."""
    context = zmq.Context()
    socket = context.socket(zmq.XPUB)
    socket.linger = 0
    socket.bind("tcp://127.0.0.1:*")
    yield socket
    context.destroy(linger=0)


def behind(raw: zmq.Socket[bytes], receiver: Receiver) -> Gateway:
    """A gateway that has subscribed to everything it wants."""
    address = raw.get_string(zmq.LAST_ENDPOINT)
    gateway = Gateway(connect(address), open_outputs(["vmc"], [receiver.address], Options()))
    for _ in range(2):
        assert raw.recv()[:1] == b"\x01"
    return gateway


def messages(person: SkeletonPose, sequence: int, **more: Any) -> list[bytes]:
    """Subject and pose as a publisher says them."""
    now = instant(person, **more)
    return [*map(encode, subjects_of(now, "a", "")), *map(encode, poses_of(now, "a", sequence, time.time_ns()))]


BAD = {
    "garbage": b"p//" + bytes(range(256)),
    "hostile length": b"p//\x81\xa6people\xdd\xff\xff\xff\xff",
    "deep nesting": b"p//\x81\xa1x" + b"\x91" * 5000 + b"\xc0",
    "cut": messages(pose(), 0)[1][:-20],
    "not a number": messages(pose(), 0)[1].replace(b"\xa6root_m\xc4\x0c", b"\xa6root_m\xc4\x0c\x00\x00\xc0\x7f")[:-4],
    "another version": messages(pose(), 0)[1].replace(b"version\x01", b"version\x02"),
    "the same person twice": messages(pose(), 0)[1].replace(b"people\x91", b"people\x92") * 1
    + messages(pose(), 0)[1].partition(b"people\x91")[2],
}


@pytest.mark.parametrize("bad", BAD.values(), ids=list(BAD))
def test_what_is_wrong_on_the_stream_is_counted_and_the_next_pose_goes_through(
    raw: zmq.Socket[bytes], receiver: Receiver, bad: bytes
) -> None:
    with behind(raw, receiver) as gateway:
        raw.send(bad)
        assert not gateway.pump(0.2) and receiver.is_silent()
        for data in messages(pose(), 1):
            raw.send(data)
        until(lambda: gateway.pump(0.01))
        assert receiver.messages()[0] == ("/VMC/Ext/OK", [1, 3, 0, 1])
        assert "malformed 1: " in gateway.status()


def test_jumps_of_sequence_and_clock_are_counted_and_followed(raw: zmq.Socket[bytes], receiver: Receiver) -> None:
    with behind(raw, receiver) as gateway:
        for sequence, time_s in ((0, 5.0), (100, 1e6), (3, -4.0), (4, 0.0)):
            for data in messages(pose(), sequence, time_s=time_s):
                raw.send(data)
            until(lambda: gateway.pump(0.01))
            got = dict(receiver.messages())
            assert got["/VMC/Ext/T"] == [time_s] and np.isfinite(got["/VMC/Ext/Bone/Pos"][1:]).all()
        assert "dropped 99" in gateway.status()


def test_a_skeleton_that_changes_mid_stream_is_the_new_one_at_once(raw: zmq.Socket[bytes], receiver: Receiver) -> None:
    lengths_m: list[float] = []
    with behind(raw, receiver) as gateway:
        for sequence, height_m in enumerate((1.5, 2.0, 1.5)):
            for data in messages(pose(), sequence, skeleton=for_height(height_m)):
                raw.send(data)
            until(lambda: gateway.pump(0.01))
            bones = {values[0]: values[1:4] for address, values in receiver.messages() if address == "/VMC/Ext/Bone/Pos"}
            lengths_m.append(float(np.linalg.norm(bones["LeftLowerArm"])))
    assert lengths_m[0] == lengths_m[2]
    assert lengths_m[1] == pytest.approx(lengths_m[0] * 2.0 / 1.5, rel=1e-3)


def test_a_client_without_the_key_is_told_so(receiver: Receiver, tmp_path: Path) -> None:
    wrong = keys.add("stranger", tmp_path / "elsewhere")
    keys.add("studio", tmp_path / "keys")
    with Publisher(ANYWHERE, keys=tmp_path / "keys") as publisher:
        client = connect(publisher.address, key_file=wrong)
        with Gateway(client, open_outputs(["vmc"], [receiver.address], Options())) as gateway:
            until(lambda: not gateway.pump(0.05) and gateway.status().startswith("refused"), patience_s=30.0)
        assert receiver.is_silent()
