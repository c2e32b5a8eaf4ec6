"""The other processes of the stream benchmark: one that publishes, one that is the rest of the audience."""

from __future__ import annotations

import multiprocessing
import socket
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from multiprocessing.connection import Connection
from typing import Any, Literal, NamedTuple

import numpy as np
import zmq

from posewire import camera, rotation
from posewire.data import SkeletonPose
from posewire.publish import Publisher
from posewire.skeleton import REFERENCE
from posewire.wire import Instant, encode, poses_of

_HOST = "127.0.0.1"
_LAST_MARKS = 5
_TICK_S = 0.01


class Block(NamedTuple):
    """What the publisher is to send next; its messages carry number + 1 as their time, the last ones its negative."""

    by: Literal["zmq", "udp"]
    number: int
    messages: int
    rate_hz: int


@contextmanager
def process(role: Callable[..., None], *arguments: Any) -> Generator[Connection]:
    """Runs `role(connection, *arguments)` in a process of its own; its end of the pipe is closed when it shall go."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    child = context.Process(target=role, args=(there, *arguments), daemon=True)
    child.start()
    there.close()
    try:
        yield here
    finally:
        here.close()
        child.join(5.0)
        child.kill()
        child.join()
        child.close()


def publish(orders: Connection) -> None:
    """Tells its address, takes the UDP ports, then sends the blocks that it is told."""
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with udp, Publisher(f"tcp://{_HOST}:*") as publisher:
        orders.send(publisher.address)
        ports: list[int] = orders.recv()

        def send_udp(instant: Instant) -> None:
            for message in poses_of(instant, publisher.session, 0, time.time_ns()):
                data = encode(message)
                for port in ports:
                    udp.sendto(data, (_HOST, port))

        senders = {"zmq": publisher.send, "udp": send_udp}
        for block in _orders(orders):
            _send_block(block, senders[block.by])


def attend(orders: Connection, address: str, readers: int, stalled: int) -> None:
    """So many subscribers by ZeroMQ and by UDP each, that read or do not, until it shall go. Tells its UDP ports.

    They read in ticks, as an animation program does: polling 50 sockets a thousand times a second would take the
    processor away from what is measured.
    """
    with ExitStack() as stack:
        context = stack.enter_context(zmq.Context())
        reading = [stack.enter_context(_subscriber(context, address)) for _ in range(readers)]
        _stalled = [stack.enter_context(_subscriber(context, address, buffer_bytes=4096)) for _ in range(stalled)]
        udp = [stack.enter_context(udp_socket()) for _ in range(readers + stalled)]
        for one in udp:
            one.setblocking(False)
        orders.send([one.getsockname()[1] for one in udp])
        while not orders.poll(_TICK_S):
            for one in reading:
                _empty(lambda one=one: one.recv(zmq.NOBLOCK))
            for one in udp[:readers]:
                _empty(lambda one=one: one.recv(65536))


def udp_socket() -> socket.socket:
    """A UDP socket on a port of its own."""
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind((_HOST, 0))
    return udp


def _orders(orders: Connection) -> Iterator[Block]:
    while True:
        try:
            yield orders.recv()
        except EOFError:
            return


def _send_block(block: Block, send: Callable[[Instant], None]) -> None:
    due_s = time.perf_counter()  # time.monotonic moves in steps of 16 ms on Windows
    for _ in range(block.messages):
        send(_instant(block.number + 1))
        due_s += 1.0 / block.rate_hz
        time.sleep(max(0.0, due_s - time.perf_counter()))
    for _ in range(_LAST_MARKS):
        send(_instant(-block.number - 1))
        time.sleep(0.01)


def _instant(time_s: float) -> Instant:
    return Instant(time_s, time.time_ns(), _CAMERA, (_POSE,), {0: REFERENCE})


def _standing() -> SkeletonPose:
    joints = len(REFERENCE.names)
    rotations, root_m = rotation.identity(joints), REFERENCE.offsets_m[0]
    angles = np.zeros(len(REFERENCE.dofs))
    positions = REFERENCE.positions_m(root_m, rotations)
    return SkeletonPose(0, 0.0, root_m, angles, rotations, positions, np.ones(joints), np.full(4, np.nan))


_CAMERA = camera.assumed(1920, 1080)
_POSE = _standing()


def _subscriber(context: zmq.Context[zmq.Socket[bytes]], address: str, *, buffer_bytes: int | None = None) -> zmq.Socket[bytes]:
    subscriber = context.socket(zmq.SUB)
    subscriber.linger = 0
    if buffer_bytes is not None:
        subscriber.rcvhwm, subscriber.rcvbuf = 1, buffer_bytes
    subscriber.subscribe(b"")
    subscriber.connect(address)
    return subscriber


def _empty(receive: Callable[[], bytes]) -> None:
    """Takes all that is there."""
    try:
        while True:
            receive()
    except (zmq.Again, BlockingIOError):
        return
