"""The publisher with real sockets: who hears what, and that nobody can make it wait."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

import pytest
import zmq
from wire_samples import ANYWHERE, PATIENCE_S, instant, pose, until

from posewire.client import connect
from posewire.errors import WireError
from posewire.publish import Publisher
from posewire.skeleton import REFERENCE, for_height
from posewire.wire import PoseMessage, RigInstant, SubjectMessage, decode, topic


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with Publisher(ANYWHERE, method="blazepose") as publisher:
        yield publisher


Socket = zmq.Socket[bytes]
Subscribe = Callable[..., Socket]


@pytest.fixture
def context() -> Iterator[zmq.Context[Socket]]:
    context = zmq.Context()
    yield context
    context.destroy(linger=0)


@pytest.fixture
def subscribe(context: zmq.Context[Socket], publisher: Publisher) -> Iterator[Subscribe]:
    """Makes bare subscribers of the publisher, apart from posewire.client."""
    sockets: list[Socket] = []

    def subscribe(*topics: bytes) -> Socket:
        socket = context.socket(zmq.SUB)
        sockets.append(socket)
        socket.rcvtimeo = int(1000 * PATIENCE_S)
        for name in topics:
            socket.subscribe(name)
        socket.connect(publisher.address)
        return socket

    yield subscribe
    for socket in sockets:
        socket.close()


def test_a_late_joiner_hears_the_subject_although_the_pipeline_is_silent(publisher: Publisher, subscribe: Subscribe) -> None:
    publisher.send(instant())
    for _ in range(3):
        message = decode(subscribe(topic("s")).recv())
        assert isinstance(message, SubjectMessage) and message.method == "blazepose"


def test_each_new_subscriber_is_told_at_once_and_not_only_by_the_repetition(
    publisher: Publisher, subscribe: Subscribe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("posewire.publish.SUBJECT_PERIOD_S", 1e9)
    publisher.send(instant())
    until(lambda: publisher._repeat_at_s > 1e8)
    for _ in range(3):
        assert subscribe(topic("s")).recv()


def test_the_subject_is_repeated_while_the_pipeline_is_silent(publisher: Publisher, subscribe: Subscribe) -> None:
    publisher.send(instant())
    socket = subscribe(topic("s"))
    assert len({socket.recv() for _ in range(3)}) == 1


def test_a_subject_that_changed_comes_before_the_pose_that_needs_it(publisher: Publisher, subscribe: Subscribe) -> None:
    socket = subscribe(b"")
    publisher.send(instant())
    while not isinstance(first := decode(socket.recv()), SubjectMessage):
        pass  # who joins in the middle of an instant may hear the rest of it first
    known, tall = set(first.skeletons), for_height(1.9)
    publisher.send(instant(skeletons={0: tall}))
    while True:
        message = decode(socket.recv())
        if isinstance(message, SubjectMessage):
            known |= message.skeletons.keys()
        else:
            digests = {person.skeleton for person in message.people}
            assert digests <= known
            if digests == {tall.digest}:
                return


def test_native_and_rig_subscribers_hear_only_their_own(publisher: Publisher, subscribe: Subscribe) -> None:
    native = subscribe(topic("p"))
    rig = subscribe(topic("p", "vrm"))
    now = instant(rigs={"vrm": RigInstant(REFERENCE, (), {}), "vrm0": RigInstant(REFERENCE, (), {})})

    def both_heard() -> bool:
        publisher.send(now)
        return bool(native.poll(0) and rig.poll(0))

    until(both_heard)
    for socket, name in ((native, ""), (rig, "vrm")):
        while socket.poll(0):
            message = decode(socket.recv())
            assert isinstance(message, PoseMessage) and message.rig == name


def test_the_sequence_counts_instants_and_is_the_same_on_every_rig(publisher: Publisher, subscribe: Subscribe) -> None:
    socket = subscribe(b"p/")
    now = instant(rigs={"vrm": RigInstant(REFERENCE, (), {})})
    until(lambda: socket.poll(0), meanwhile=lambda: publisher.send(now))
    for _ in range(5):
        publisher.send(now)
    heard = [decode(socket.recv()) for _ in range(9)]
    numbers = [(m.sequence, m.rig) for m in heard if isinstance(m, PoseMessage)]
    numbers = numbers[numbers[0][1] == "vrm" :][:8]  # who joins in the middle of an instant hears the rest of it
    first = numbers[0][0]
    assert numbers == [(first + i // 2, ("", "vrm")[i % 2]) for i in range(8)]


SLEEPER = """
import sys, time, zmq
socket = zmq.Context().socket(zmq.SUB)
socket.rcvhwm = 2
socket.subscribe(b"")
socket.connect(sys.argv[1])
socket.recv()
print("listening", flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("frozen", [False, pytest.param(True, marks=pytest.mark.skipif(os.name == "nt", reason="needs SIGSTOP"))])
def test_a_subscriber_that_stopped_reading_neither_slows_nor_starves_the_others(publisher: Publisher, frozen: bool) -> None:
    sleeper = subprocess.Popen([sys.executable, "-c", SLEEPER, publisher.address], stdout=subprocess.PIPE)
    crowd = instant(*(pose(i) for i in range(20)))  # 13 kB: fills every buffer on the way soon
    try:
        publisher.send(crowd)
        assert sleeper.stdout is not None and sleeper.stdout.readline()
        if frozen:
            os.kill(sleeper.pid, signal.SIGSTOP)
        with connect(publisher.address, timeout_s=PATIENCE_S) as client:
            until(client.newest, meanwhile=lambda: publisher.send(crowd))
            for _ in range(1500):  # 20 MB: a publisher that waited would wait here for ever
                publisher.send(crowd)
                last = client.receive()
            assert last.sequence >= 1500
    finally:
        sleeper.kill()
        sleeper.communicate()


def test_what_subscribers_send_upstream_does_no_harm(
    publisher: Publisher, subscribe: Subscribe, context: zmq.Context[Socket]
) -> None:
    publisher.send(instant())
    with context.socket(zmq.XSUB) as hostile:
        hostile.connect(publisher.address)
        for noise in (b"", b"\x00", b"\x02garbage", b"\x01", b"\x01" + b"s" * 900, b"\xff" * 100_000):
            hostile.send(noise)
            hostile.send_multipart([b"\x01s//", noise])
        for i in range(2000):
            hostile.send(b"\x01s/%d" % i)
        assert subscribe(topic("s")).recv()


def test_many_threads_may_send(publisher: Publisher, subscribe: Subscribe) -> None:
    socket = subscribe(topic("p"))
    until(lambda: socket.poll(0), meanwhile=lambda: publisher.send(instant()))
    first = decode(socket.recv())
    threads = [threading.Thread(target=lambda: [publisher.send(instant()) for _ in range(5)]) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert isinstance(first, PoseMessage)
    numbers = [decode(socket.recv()).sequence for _ in range(30)]  # type: ignore[union-attr]
    assert numbers == sorted(numbers) and len(set(numbers)) == 30


def test_a_closed_publisher_says_so_and_closes_twice() -> None:
    publisher = Publisher(ANYWHERE)
    publisher.close()
    publisher.close()
    with pytest.raises(WireError, match="closed"):
        publisher.send(instant())


def test_an_address_in_use_is_an_error_that_names_another(publisher: Publisher) -> None:
    with pytest.raises(WireError, match="already publishes") as caught:
        Publisher(publisher.address)
    assert "--publish tcp://127.0.0.1:" in str(caught.value)


def test_an_address_of_another_machine_is_an_error() -> None:
    with pytest.raises(WireError, match="Cannot publish"):
        Publisher("tcp://192.0.2.1:5577", insecure=True)


@pytest.mark.parametrize("address", ["tcp://0.0.0.0:*", "tcp://*:*", "tcp://192.0.2.1:5577", "tcp://[::]:*"])
def test_an_address_open_to_others_needs_keys_or_consent(address: str) -> None:
    with pytest.raises(WireError, match=r"(?s)posewire keys add NAME.*--insecure"):
        Publisher(address)


def test_consent_opens_the_address_to_others() -> None:
    with Publisher("tcp://0.0.0.0:*", insecure=True) as publisher:
        port = publisher.address.rpartition(":")[2]
        with connect(f"tcp://127.0.0.1:{port}") as client:
            until(client.newest, meanwhile=lambda: publisher.send(instant()))
