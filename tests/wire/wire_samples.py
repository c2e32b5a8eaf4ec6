"""People for the stream's tests: random poses inside the limits, from fixed seeds, and instants made of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from posewire.camera import assumed
from posewire.data import SkeletonPose
from posewire.skeleton import REFERENCE, Skeleton
from posewire.wire import Instant

CAMERA = assumed(640, 480)
ANYWHERE = "tcp://127.0.0.1:*"
PATIENCE_S = 10.0
"""Longer than anything takes on a busy machine; only a failing test waits for so long."""


def pose(person: int = 0, *, seed: int = 0, skeleton: Skeleton = REFERENCE, **changes: Any) -> SkeletonPose:
    """Somebody in a random pose."""
    rng = np.random.default_rng((seed, person))
    lower, upper = skeleton.limits_rad.T
    angles = lower + (upper - lower) * rng.uniform(0.1, 0.9, len(lower))
    root_wxyz = rng.normal(size=4)
    root_m = rng.uniform(-2, 2, 3)
    rotations = skeleton.joint_rotations(angles, root_wxyz / np.linalg.norm(root_wxyz))
    values: dict[str, Any] = {
        "person_id": person,
        "time_s": 0.0,
        "root_m": root_m,
        "angles_rad": angles,
        "rotations_wxyz": rotations,
        "positions_m": skeleton.positions_m(root_m, rotations),
        "confidence": rng.uniform(0, 1, len(skeleton.names)),
        "contacts": rng.uniform(0, 1, 4),
    }
    return SkeletonPose(**values | changes)


def instant(*poses: SkeletonPose, time_s: float = 0.0, skeletons: Mapping[int, Skeleton] | None = None, **more: Any) -> Instant:
    """These people now; one person by default."""
    poses = poses or (pose(),)
    known = skeletons if skeletons is not None else {p.person_id: REFERENCE for p in poses}
    return Instant(time_s, time.time_ns(), CAMERA, poses, known, **more)


def until(happened: Callable[[], object], *, meanwhile: Callable[[], object] = lambda: None) -> None:
    """Waits for a condition of another thread or process; fails when it does not come.

    A machine that stands still meanwhile (a busy or paused one) is not waited for: a round counts a tenth of a second at most.
    """
    waited_s = 0.0
    while not happened():
        assert waited_s < PATIENCE_S, "waited in vain"
        start_s = time.monotonic()
        meanwhile()
        time.sleep(0.005)
        waited_s += min(0.1, time.monotonic() - start_s)
