"""People for the gateway's tests, receivers that know nothing of Posewire, and the stream between them."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from pythonosc.osc_packet import OscPacket

from posewire import camera, rotation
from posewire.client import Received
from posewire.data import Camera, FloatArray, SkeletonPose
from posewire.skeleton import REFERENCE, Skeleton
from posewire.wire import Instant, PersonPose, PoseMessage, SubjectMessage, poses_of, subjects_of
from posewire_gateway import Moment

ANYWHERE = "tcp://127.0.0.1:*"
PATIENCE_S = 10.0
"""Longer than anything takes on a busy machine; only a failing test waits for so long."""
ASSUMED = camera.assumed(640, 480)
CALIBRATED = Camera(640, 480, ASSUMED.K, origin="calibrated")


def pose(person: int = 0, *, seed: int = 0, root_m: tuple[float, float, float] | None = None) -> SkeletonPose:
    """Somebody in a random pose inside the limits, facing anywhere."""
    rng = np.random.default_rng((seed, person))
    lower, upper = REFERENCE.limits_rad.T
    angles = lower + (upper - lower) * rng.uniform(0.1, 0.9, len(lower))
    rotations = REFERENCE.joint_rotations(angles, rotation.normalise(rng.normal(size=4)))
    return made(person, rng.uniform(-2, 2, 3) if root_m is None else np.array(root_m), rotations)


def standing(person: int = 0, root_m: tuple[float, float, float] | None = None) -> SkeletonPose:
    """Somebody in the T-pose, on the ground at the origin unless told otherwise."""
    at_m = REFERENCE.offsets_m[0] if root_m is None else np.array(root_m)
    return made(person, at_m, rotation.identity(len(REFERENCE.names)))


def made(person: int, root_m: FloatArray, rotations: FloatArray) -> SkeletonPose:
    """A pose of these numbers."""
    joints = len(REFERENCE.names)
    positions = REFERENCE.positions_m(root_m, rotations)
    confidence = np.linspace(0.0, 1.0, joints)
    contacts = np.array([0.25, 0.5, 0.75, np.nan])
    return SkeletonPose(person, 0.0, root_m, np.zeros(len(REFERENCE.dofs)), rotations, positions, confidence, contacts)


def instant(
    *poses: SkeletonPose, time_s: float = 0.0, seen_by: Camera = ASSUMED, skeleton: Skeleton = REFERENCE, **more: Any
) -> Instant:
    """These people now."""
    known: Mapping[int, Skeleton] = {p.person_id: skeleton for p in poses}
    return Instant(time_s, time.time_ns(), seen_by, poses, known, **more)


def moment(*poses: SkeletonPose, time_s: float = 0.0, session: str = "a", **more: Any) -> Moment:
    """These people now, as a gateway receives them."""
    now = instant(*poses, time_s=time_s, **more)
    (subject,), (message,) = subjects_of(now, session, ""), poses_of(now, session, 0, time.time_ns())
    return Moment.of(Received(message, subject, None, None))


class Receiver:
    """A UDP socket on this machine."""

    def __init__(self, port: int = 0) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", port))
        self._socket.settimeout(PATIENCE_S)
        self.port: int = self._socket.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"

    def datagrams(self) -> list[bytes]:
        """The next datagram, and all that came with it."""
        got = [self._socket.recv(65536)]
        self._socket.setblocking(False)
        try:
            while True:
                got.append(self._socket.recv(65536))
        except BlockingIOError:
            self._socket.settimeout(PATIENCE_S)
        return got

    def is_silent(self) -> bool:
        """Nothing came."""
        self._socket.setblocking(False)
        try:
            self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        finally:
            self._socket.settimeout(PATIENCE_S)
        return False

    def messages(self) -> list[tuple[str, list[Any]]]:
        """Address and arguments of the OSC messages in `datagrams`, read by python-osc."""
        return [(m.message.address, m.message.params) for data in self.datagrams() for m in OscPacket(data).messages]

    def close(self) -> None:
        self._socket.close()


def free_port() -> int:
    """A UDP port for a program that must be told one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def neighbours() -> tuple[Receiver, Receiver]:
    """Receivers on two ports that follow each other."""
    for _ in range(20):
        first = Receiver()
        try:
            return first, Receiver(first.port + 1)
        except (OSError, OverflowError):
            first.close()
    raise AssertionError("no two free ports in a row")


def until(
    happened: Callable[[], object], *, meanwhile: Callable[[], object] = lambda: None, patience_s: float = PATIENCE_S
) -> None:
    """Waits for a condition of another thread or process; fails when it does not come."""
    waited_s = 0.0
    while not happened():  # a round counts a tenth of a second at most: a paused machine is not waited for
        assert waited_s < patience_s, "waited in vain"
        start_s = time.monotonic()
        meanwhile()
        time.sleep(0.005)
        waited_s += min(0.1, time.monotonic() - start_s)


def angle_deg(a: FloatArray, b: FloatArray) -> FloatArray:
    """(...) between vectors (..., 3); by the sine and the cosine, exact also near zero."""
    return np.degrees(np.arctan2(np.linalg.norm(np.cross(a, b), axis=-1), np.sum(a * b, axis=-1)))


def strange_moment() -> Moment:
    """One person of another engine, whose skeleton is not Posewire's."""
    rod = Skeleton(("foot", "top"), (-1, 0), np.eye(3)[[1, 1]], ())
    subject = SubjectMessage("a", "", "another engine", "", rod.names, rod.parents, (), {"d": rod}, (), np.eye(4), "assumed")
    person = PersonPose(1, "d", np.zeros(3), np.tile([1.0, 0.0, 0.0, 0.0], (2, 1)), np.ones(2), np.zeros(4))
    return Moment.of(Received(PoseMessage("a", "", 0, 0.0, 0, 0, None, (person,)), subject, None, None))
