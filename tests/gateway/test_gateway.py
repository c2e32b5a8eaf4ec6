"""The whole gateway between a real publisher and real receivers."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator

import pytest
from gateway_samples import ANYWHERE, PATIENCE_S, Receiver, instant, pose, until
from websockets.sync.client import connect as connect_websocket

from posewire.client import connect
from posewire.publish import Publisher
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
    with Gateway(connect(publisher.address), outputs) as gateway:
        page = connect_websocket(f"ws://127.0.0.1:{server.port}/", proxy=None)
        until(lambda: "(1 connected)" in server.status())
        until(lambda: gateway.pump(0.01), meanwhile=lambda: publisher.send(instant(pose())))
        assert receivers["vmc"].messages()[0][0] == "/VMC/Ext/OK"
        assert receivers["osc"].messages()[0][0] == "/posewire/frame"
        assert list(json.loads(receivers["json"].datagrams()[0])) == ["person 0"]
        assert receivers["trackers"].messages()[0][0] == "/tracking/trackers/1/position"
        assert json.loads(page.recv(timeout=PATIENCE_S))["kind"] == "subject"
        page.close()
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


def test_garbage_on_the_stream_changes_nothing(receiver: Receiver) -> None:
    import zmq

    context = zmq.Context()
    socket = context.socket(zmq.PUB)
    socket.linger = 0
    port = socket.bind_to_random_port("tcp://127.0.0.1")
    with Gateway(connect(f"tcp://127.0.0.1:{port}"), open_outputs(["vmc"], [receiver.address], Options())) as gateway:
        until(lambda: "connected" in str(gateway._client.status))  # pyright: ignore[reportPrivateUsage]
        for _ in range(50):
            socket.send(b"p//" + bytes(range(256)))
            assert not gateway.pump(0.01)
        assert receiver.is_silent()
    context.destroy(linger=0)
