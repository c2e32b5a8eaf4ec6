"""The client with real sockets: nothing missed, nothing late, nothing believed that is wrong."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import make_golden
import numpy as np
import pytest
import zmq
from wire_samples import ANYWHERE, PATIENCE_S, instant, pose, until

from posewire.client import Client, connect
from posewire.client.stream import Stream
from posewire.errors import WireError
from posewire.publish import Publisher
from posewire.skeleton import REFERENCE, for_height
from posewire.wire import Instant, encode, poses_of, subjects_of


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with Publisher(ANYWHERE) as publisher:
        yield publisher


@pytest.fixture
def client(publisher: Publisher) -> Iterator[Client]:
    """Connected, and nothing is on its way."""
    with connect(publisher.address, timeout_s=PATIENCE_S) as client:
        until(client.newest, meanwhile=lambda: publisher.send(instant()))
        publisher.send(instant(time_s=-1))
        while client.receive().media_time_s != -1:
            pass
        yield client


def messages(now: Instant, session: str = "a", sequence: int = 0) -> tuple[bytes, bytes]:
    """The subject's and the pose's bytes."""
    (subject,), (message,) = subjects_of(now, session, ""), poses_of(now, session, sequence, time.time_ns())
    return encode(subject), encode(message)


def test_receive_gives_every_pose_in_order(publisher: Publisher, client: Client) -> None:
    for number in range(20):
        publisher.send(instant(time_s=number / 60))
    times_s = [client.receive().media_time_s for _ in range(20)]
    assert times_s == [number / 60 for number in range(20)]
    assert client.statistics.dropped == 0 and client.statistics.malformed == 0


def test_iteration_is_receive_again_and_again(publisher: Publisher, client: Client) -> None:
    for number in range(5):
        publisher.send(instant(time_s=number))
    assert [received.media_time_s for _, received in zip(range(5), client, strict=False)] == [0, 1, 2, 3, 4]


def test_newest_passes_over_what_is_old_and_never_waits(publisher: Publisher, client: Client) -> None:
    assert client.newest() is None
    seen: list[float] = []
    for number in range(600):
        publisher.send(instant(time_s=number))
        if number % 60 == 59:  # a reader that looks now and then: what it sees in the end is what was sent last
            while seen[-1:] != [number]:
                seen += [received.media_time_s for received in [client.newest()] if received]
            assert client.newest() is None
    assert seen == sorted(seen)


def test_a_pose_arrives_as_it_was_sent(publisher: Publisher, client: Client) -> None:
    sent = pose(3)
    publisher.send(instant(sent, time_s=0.5))
    received = client.receive()
    (got,) = received.people
    assert (got.person_id, got.time_s) == (3, 0.5)
    for name in ("root_m", "rotations_wxyz", "angles_rad", "positions_m", "confidence", "contacts"):
        np.testing.assert_allclose(getattr(got, name), getattr(sent, name), atol=2e-6, err_msg=name)
    assert received.skeletons[3].digest == REFERENCE.digest


def test_a_skeleton_that_changes_is_the_new_one_from_the_same_pose_on(publisher: Publisher, client: Client) -> None:
    for height_m in (1.5, 1.9, 1.7):
        skeleton = for_height(height_m)
        publisher.send(instant(skeletons={0: skeleton}))
        assert client.receive().skeletons[0].digest == skeleton.digest


def test_latency_is_known_on_this_machine(publisher: Publisher, client: Client) -> None:
    publisher.send(instant())
    received = client.receive()
    assert received.latency_s is not None and received.transport_s is not None
    assert 0 <= received.transport_s <= received.latency_s < PATIENCE_S
    statistics = client.statistics
    assert statistics.latency_p50_s is not None and statistics.latency_p95_s is not None
    assert statistics.latency_p50_s <= statistics.latency_p95_s
    assert statistics.fps > 0


def test_a_publisher_that_comes_back_is_found_again_and_its_sequence_starts_anew() -> None:
    with Publisher(ANYWHERE) as publisher:
        address = publisher.address
        with connect(address, timeout_s=PATIENCE_S) as client:
            until(client.newest, meanwhile=lambda: publisher.send(instant()))
            for _ in range(300):
                publisher.send(instant())
                before = client.receive()
            publisher.close()
            until(lambda: client.status == "connecting")
            with Publisher(address) as second:
                until(client.newest, meanwhile=lambda: second.send(instant()))
                second.send(instant(skeletons={0: for_height(1.6)}))
                while (after := client.receive()).skeletons[0].digest == REFERENCE.digest:
                    pass
            assert after.message.session == second.session != before.message.session
            assert after.sequence < before.sequence and client.statistics.dropped == 0
            assert after.skeletons[0].digest == for_height(1.6).digest


def test_waiting_in_vain_says_that_nobody_publishes() -> None:
    with Publisher(ANYWHERE) as publisher:
        address = publisher.address
    with (
        connect(address, timeout_s=0.05) as client,
        pytest.raises(WireError, match=r"(?s)Nobody publishes.*--publish"),
    ):
        client.receive()


def test_waiting_in_vain_says_when_the_publisher_is_there_but_silent(publisher: Publisher) -> None:
    with connect(publisher.address) as client:
        until(lambda: client.status == "connected")
        with pytest.raises(WireError, match="sends nothing"):
            client.receive(0.05)


@pytest.mark.parametrize(("address", "ipv6"), [("tcp://studio-pc:5577", 0), ("tcp://192.168.1.20:5577", 0), ("tcp://[::1]:1", 1)])
def test_a_name_is_looked_up_where_publishers_bind(address: str, ipv6: int) -> None:
    """ZeroMQ with IPv6 switched on tries only the IPv6 address of a name that has both, and the publisher is not there."""
    with connect(address) as client:
        assert client._socket.getsockopt(zmq.IPV6) == ipv6  # pyright: ignore[reportPrivateUsage]


def test_a_publisher_at_an_ipv6_address_is_heard_there() -> None:
    try:
        publisher = Publisher("tcp://[::1]:*")
    except WireError:
        pytest.skip("this machine has no IPv6")
    with publisher, connect(publisher.address) as client:
        until(client.newest, meanwhile=lambda: publisher.send(instant()))


def test_a_closed_client_says_so_and_closes_twice(publisher: Publisher) -> None:
    client = connect(publisher.address)
    client.close()
    client.close()
    with pytest.raises(WireError, match="closed"):
        client.receive(0.1)
    with pytest.raises(WireError, match="closed"):
        client.newest()


def test_a_rig_is_heard_only_by_who_asked_for_it(publisher: Publisher) -> None:
    with connect(publisher.address, rig="vrm") as client:
        publisher.send(instant())
        with pytest.raises(WireError):
            client.receive(0.2)
        assert client.statistics.malformed == 0


@pytest.fixture
def hostile() -> Iterator[tuple[str, Callable[..., None]]]:
    """Address of a publisher that sends whatever it is told, once somebody listens."""
    context = zmq.Context()
    socket = context.socket(zmq.XPUB)
    socket.setsockopt(zmq.XPUB_VERBOSE, 1)  # a reconnect is reported even if the broken connection is not yet forgotten
    port = socket.bind_to_random_port("tcp://127.0.0.1")

    def send(*frames: list[bytes], meanwhile: Callable[[], object] = lambda: None) -> None:
        wanted = {b"\x01s//", b"\x01p//"}
        while wanted:
            until(lambda: socket.poll(0), meanwhile=meanwhile)
            wanted.discard(socket.recv())
        for frame in frames:
            socket.send_multipart(frame)

    yield f"tcp://127.0.0.1:{port}", send
    context.destroy(linger=0)


def test_garbage_is_counted_and_the_stream_goes_on(hostile: tuple[str, Callable[..., None]]) -> None:
    address, send = hostile
    subject, message = messages(instant(), sequence=5)
    garbage = [data for data, _ in make_golden.MALFORMED.values() if data[:3] in (b"p//", b"s//")]
    several_frames = [[message, b"more"], [b"p//", message]]
    with connect(address, timeout_s=PATIENCE_S) as client:
        send([subject], *([data] for data in garbage), *several_frames, [message])
        assert client.receive().sequence == 5
        assert client.statistics.malformed == len(garbage) + len(several_frames)


def test_waiting_in_vain_for_another_version_names_both(hostile: tuple[str, Callable[..., None]]) -> None:
    address, send = hostile
    with connect(address) as client:
        send(*[[make_golden.MALFORMED["bad_version_2"][0]]] * 2)
        until(lambda: not client.newest() and client.statistics.malformed == 2)
        with pytest.raises(WireError, match=r"(?s)cannot be read.*another version.*got: 2 allowed: 1"):
            client.receive(0.05)


def test_a_flood_of_garbage_does_not_outlast_the_time_limit(hostile: tuple[str, Callable[..., None]]) -> None:
    address, send = hostile
    with connect(address) as client:
        send(*([b"p//garbage"] for _ in range(900)))
        until(lambda: client.status == "connected")
        with pytest.raises(WireError):
            client.receive(0.0)


def test_a_message_beyond_the_limit_never_reaches_the_client(hostile: tuple[str, Callable[..., None]]) -> None:
    address, send = hostile
    subject, message = messages(instant())
    with connect(address, timeout_s=PATIENCE_S) as client:
        send([b"p//" + bytes(1 << 21)])
        send([subject], [message], meanwhile=client.newest)  # ZeroMQ broke the connection and gave up; the client did not
        assert client.receive().sequence == 0
        assert client.statistics.malformed == 0


def stream(**changes: object) -> Stream:
    return Stream(**({"rig": "", "same_clock": True} | changes))  # type: ignore[arg-type]


def test_a_pose_is_held_back_until_its_subject_comes() -> None:
    subject, message = messages(instant(time_s=7))
    waiting = stream()
    assert waiting.take([message]) is None
    received = waiting.take([subject])
    assert received is not None and received.media_time_s == 7
    assert waiting.take([subject]) is None


def test_of_several_poses_without_a_subject_the_newest_is_kept() -> None:
    waiting = stream()
    for number in range(3):
        subject, message = messages(instant(), sequence=number)
        assert waiting.take([message]) is None
    received = waiting.take([subject])
    assert received is not None and received.sequence == 2


def test_a_pose_of_a_new_session_waits_for_the_subject_of_that_session() -> None:
    restarted = stream()
    old_subject, old_message = messages(instant(), "old", 90)
    new_subject, new_message = messages(instant(), "new", 0)
    assert restarted.take([old_subject]) is None and restarted.take([old_message]) is not None
    assert restarted.take([new_message]) is None
    assert restarted.take([old_subject]) is None
    received = restarted.take([new_subject])
    assert received is not None and received.message.session == "new"
    assert restarted.statistics().dropped == 0


def test_a_pose_that_waits_is_forgotten_when_a_newer_one_came_through() -> None:
    known, tall = instant(), instant(skeletons={0: for_height(1.9)})
    late = stream()
    late.take([messages(known)[0]])
    assert late.take([messages(tall, sequence=1)[1]]) is None
    assert late.take([messages(known, sequence=2)[1]]) is not None
    assert late.take([messages(tall)[0]]) is None


def test_joining_a_new_session_late_is_no_gap() -> None:
    late = stream()
    for session, number in (("old", 7), ("new", 500)):
        for data in messages(instant(), session, number):
            late.take([data])
    assert late.statistics().dropped == 0


def test_gaps_of_the_sequence_are_counted_as_dropped() -> None:
    gappy = stream()
    gappy.take([messages(instant())[0]])
    for number in (0, 1, 4, 5, 9):
        gappy.take([messages(instant(), sequence=number)[1]])
    statistics = gappy.statistics()
    assert (statistics.received, statistics.dropped) == (5, 2 + 3)


def test_a_pose_with_another_number_of_bones_than_its_subject_is_malformed() -> None:
    subject, _ = messages(instant())
    person = make_golden.person(skeleton=REFERENCE.digest)
    wrong = stream()
    wrong.take([subject])
    assert wrong.take([make_golden.message("p//", make_golden.pose(person, session="a"))]) is None
    assert wrong.statistics().malformed == 1


def test_a_message_for_another_rig_is_malformed() -> None:
    other = stream(rig="vrm")
    assert other.take([messages(instant())[0]]) is None
    assert other.statistics().malformed == 1


def test_latency_is_unknown_across_machines_without_a_capture_time_and_after_a_clock_was_set() -> None:
    def latency(seen: Stream, capture_unix_ns: int) -> float | None:
        now = Instant(0.0, capture_unix_ns, instant().camera, (), {})
        subject, message = messages(now)
        seen.take([subject])
        received = seen.take([message])
        assert received is not None
        return received.latency_s

    assert latency(stream(), time.time_ns()) is not None
    assert latency(stream(same_clock=False), time.time_ns()) is None
    assert latency(stream(), 0) is None
    assert latency(stream(), time.time_ns() + 10**12) is None
    assert stream().statistics().latency_p50_s is None


def test_fps_is_the_senders_rate_however_the_reader_reads() -> None:
    burst = stream()
    subject, _ = messages(instant())
    burst.take([subject])
    for number in range(60):
        (message,) = poses_of(instant(), "a", number, 10**18 + number * 20_000_000)
        burst.take([encode(message)])
    assert burst.statistics().fps == pytest.approx(50.0)


def test_angles_come_back_from_rotations_for_every_degree_of_freedom() -> None:
    for seed in range(20):
        sent = pose(seed=seed)
        alone = stream()
        for data in messages(instant(sent)):
            received = alone.take([data])
        assert received is not None
        np.testing.assert_allclose(received.people[0].angles_rad, sent.angles_rad, atol=1e-5)
