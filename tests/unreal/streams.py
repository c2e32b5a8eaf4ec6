"""People and publishers for the tests of the C++ programs: the real Python publisher on a thread, at a steady rate."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from posewire.camera import assumed
from posewire.data import SkeletonPose
from posewire.publish import Publisher
from posewire.skeleton import REFERENCE, Skeleton
from posewire.wire import Instant

ANYWHERE = "tcp://127.0.0.1:*"
CAMERA = assumed(640, 480)


def pose(person: int, skeleton: Skeleton = REFERENCE) -> SkeletonPose:
    """Somebody in a random pose inside the limits."""
    rng = np.random.default_rng(person)
    lower, upper = skeleton.limits_rad.T
    angles = lower + (upper - lower) * rng.uniform(0.1, 0.9, len(lower))
    root_wxyz = rng.normal(size=4)
    rotations = skeleton.joint_rotations(angles, root_wxyz / np.linalg.norm(root_wxyz))
    root_m = rng.uniform(-2, 2, 3)
    positions = skeleton.positions_m(root_m, rotations)
    confidence = rng.uniform(0, 1, len(skeleton.names))
    return SkeletonPose(person, 0.0, root_m, angles, rotations, positions, confidence, rng.uniform(0, 1, 4))


@contextmanager
def publishing(
    poses: Sequence[SkeletonPose], *, address: str = ANYWHERE, keys: Path | None = None, skeleton: Skeleton = REFERENCE
) -> Generator[Publisher]:
    """A publisher that sends these people 60 times a second until the block ends."""
    done = threading.Event()
    known = {person.person_id: skeleton for person in poses}

    def run(publisher: Publisher) -> None:
        index = 0
        while not done.wait(1 / 60):
            publisher.send(Instant(index / 60, time.time_ns(), CAMERA, poses, known))
            index += 1

    with Publisher(address, keys=keys) as publisher:
        thread = threading.Thread(target=run, args=(publisher,))
        thread.start()
        try:
            yield publisher
        finally:
            done.set()
            thread.join()
