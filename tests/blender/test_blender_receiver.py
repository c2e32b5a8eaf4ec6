"""Both ways of receiving, by pyzmq and by our own ZMTP, against the engine's real Publisher."""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from posewire_live.errors import LiveError
from posewire_live.receiver import Subscriber, ZmqSubscriber, load_key, parse_address, subscribe
from posewire_live.stream import Received, Stream
from posewire_live.zmtp import ZmtpSubscriber
from wire_samples import ANYWHERE, instant, pose, until

from posewire import keys
from posewire.publish import Publisher

TOPICS = (b"s//", b"p//")


def by_zmq(address: str) -> Subscriber:
    return ZmqSubscriber(parse_address(address), None)


def by_zmtp(address: str) -> Subscriber:
    where = parse_address(address)
    return ZmtpSubscriber(where.host, where.port, TOPICS)


@pytest.fixture(params=[by_zmq, by_zmtp], ids=["pyzmq", "own ZMTP"])
def way(request: pytest.FixtureRequest) -> Callable[[str], Subscriber]:
    return request.param


class Listener:
    """A subscriber and its stream, asked until something has happened."""

    def __init__(self, subscriber: Subscriber) -> None:
        self.subscriber, self.stream = subscriber, Stream(same_clock=True)
        self.received: list[Received] = []

    def pump(self) -> None:
        for data in self.subscriber.receive():
            received = self.stream.take(data)
            if received is not None:
                self.received.append(received)

    def until(self, happened: Callable[[], object], meanwhile: Callable[[], object] = lambda: None) -> None:
        def both() -> None:
            meanwhile()
            self.pump()

        until(happened, meanwhile=both)


@pytest.fixture
def listening() -> Iterator[Callable[[Subscriber], Listener]]:
    made: list[Listener] = []

    def listen(subscriber: Subscriber) -> Listener:
        made.append(Listener(subscriber))
        return made[-1]

    yield listen
    for listener in made:
        listener.subscriber.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_poses_arrive_with_their_subject(way: Any, listening: Any) -> None:
    with Publisher(ANYWHERE) as publisher:
        listener = listening(way(publisher.address))
        listener.until(lambda: listener.received, lambda: publisher.send(instant(pose(3))))
        assert listener.subscriber.status == "connected"
        received = listener.received[-1]
        assert [person.person_id for person in received.pose.people] == [3]
        assert received.subject.names[0] == "pelvis"
        assert received.subject.name_of(3) == "person 3"


def test_nothing_is_lost_while_the_reader_sleeps_for_a_moment(way: Any, listening: Any) -> None:
    with Publisher(ANYWHERE) as publisher:
        listener = listening(way(publisher.address))
        listener.until(lambda: listener.received, lambda: publisher.send(instant()))
        for number in range(30):
            publisher.send(instant(time_s=100.0 + number))
        listener.until(lambda: listener.received[-1].pose.media_time_s == 129.0)
        assert listener.stream.numbers().dropped == 0
        assert listener.stream.numbers().latency_p50_s is not None


def test_a_publisher_that_dies_and_returns_is_found_again(way: Any, listening: Any) -> None:
    address = f"tcp://127.0.0.1:{free_port()}"
    listener = listening(way(address))
    listener.pump()
    assert listener.subscriber.status == "connecting"
    for _ in range(2):
        with Publisher(address) as publisher:
            listener.received.clear()
            listener.until(lambda: listener.received, lambda publisher=publisher: publisher.send(instant()))
        listener.until(lambda: listener.subscriber.status == "connecting")


def test_a_server_of_another_protocol_is_refused_and_asked_again(way: Any, listening: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        stop = threading.Event()

        def answer() -> None:
            server.settimeout(0.1)
            while not stop.is_set():
                try:
                    connection, _ = server.accept()
                except TimeoutError:
                    continue
                with connection:
                    connection.sendall(b"HTTP/1.0 400 Bad Request\r\nContent-Length: 0\r\n\r\n" + b"x" * 200)
                    time.sleep(0.05)

        thread = threading.Thread(target=answer)
        thread.start()
        try:
            listener = listening(way(f"tcp://127.0.0.1:{server.getsockname()[1]}"))
            listener.until(lambda: listener.subscriber.status == "refused")
        finally:
            stop.set()
            thread.join()


def test_garbage_frames_are_counted_and_the_next_pose_arrives(way: Any, listening: Any) -> None:
    import zmq

    with Publisher(ANYWHERE) as publisher:
        listener = listening(way(publisher.address))
        listener.until(lambda: listener.received, lambda: publisher.send(instant()))
        with publisher._lock:  # its own socket says what a broken publisher would say
            for data in (b"p//", b"s//\xff\xff", b"p//\xdd\xff\xff\xff\xff", b"p//" + bytes(100_000)):
                publisher._socket.send(data, zmq.NOBLOCK)
        publisher.send(instant(time_s=77.0))
        listener.until(lambda: listener.received[-1].pose.media_time_s == 77.0)
        assert listener.stream.numbers().malformed == 4


def test_a_long_stream_over_our_own_zmtp_answers_heartbeats(listening: Any) -> None:
    """The publisher would drop a silent subscriber after five seconds."""
    with Publisher(ANYWHERE) as publisher:
        listener = listening(by_zmtp(publisher.address))
        end_s = time.monotonic() + 6.5
        statuses: set[str] = set()
        while time.monotonic() < end_s:
            publisher.send(instant())
            listener.pump()
            if listener.received:
                statuses.add(listener.subscriber.status)
            time.sleep(0.02)
        assert statuses == {"connected"}
        assert listener.stream.numbers().dropped == 0


def test_a_key_file_lets_us_in_and_another_does_not(tmp_path: Path, listening: Any) -> None:
    ours = keys.add("blender", tmp_path / "here")
    other = keys.add("stranger", tmp_path / "there")
    with Publisher(ANYWHERE, keys=tmp_path / "here") as publisher:
        address = parse_address(publisher.address)
        listener = listening(subscribe(address, load_key(ours)))
        listener.until(lambda: listener.received, lambda: publisher.send(instant()))
        for stranger in (listening(subscribe(address, load_key(other))), listening(subscribe(address, None))):
            until(lambda stranger=stranger: stranger.subscriber.status == "refused", meanwhile=stranger.pump)
        plain = listening(by_zmtp(publisher.address))
        until(lambda: plain.subscriber.status == "refused", meanwhile=plain.pump)


def test_without_pyzmq_only_this_machine_can_be_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zmq", None)
    assert isinstance(subscribe(parse_address("tcp://localhost:5577"), None), ZmtpSubscriber)
    with pytest.raises(LiveError, match="only listen on this computer"):
        subscribe(parse_address("tcp://192.168.1.2:5577"), None)


@pytest.mark.parametrize(
    "text", ["", "127.0.0.1:5577", "tcp://127.0.0.1", "tcp://*:5577", "tcp://h:0", "tcp://h:70000", "udp://h:1"]
)
def test_an_unusable_address_is_an_error_that_shows_a_usable_one(text: str) -> None:
    with pytest.raises(LiveError, match=r"tcp://127\.0\.0\.1:5577"):
        parse_address(text)


def test_a_file_that_is_no_key_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}")
    (tmp_path / "b.json").write_text("[1]")
    for name in ("a.json", "b.json", "missing.json"):
        with pytest.raises(LiveError, match="key"):
            load_key(tmp_path / name)
