# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the floor is: a take in one world, and people on the ground where nobody said how high the camera stood. No Blender here.

`posewire run` finds the floor while it runs: from then on the world stands on the floor and no longer at the camera. What came
before is said in that world, too, as the engine's exports do it. Where it was never found the lowest joints show it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from . import rotation
from .protocol import Skeleton

ASSUMED, ESTIMATED = "assumed", "estimated"
_LOWEST_PERCENT = 5.0
"""Of all instants of everybody: jumps lie above, a few bad frames below."""


class Camera(NamedTuple):
    """Where a camera stands, and who said so."""

    T_world_camera: np.ndarray
    """(4, 4)"""
    K: np.ndarray
    """(3, 3)"""
    origin: str


def moves(cameras: Mapping[int, Camera]) -> dict[int, np.ndarray]:
    """By id of a camera before the floor was found: (4, 4) its world to that on the floor. The camera itself stood still."""
    found: dict[int, np.ndarray] = {}
    for camera_id, before in cameras.items():
        later = (cameras[i] for i in sorted(cameras) if i > camera_id and cameras[i].origin == ESTIMATED)
        after = next((camera for camera in later if np.array_equal(camera.K, before.K)), None)
        if before.origin == ASSUMED and after is not None:
            found[camera_id] = after.T_world_camera @ np.linalg.inv(before.T_world_camera)
    return found


def move(T: np.ndarray, root_m: np.ndarray, rotations_wxyz: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Roots (R, 3) and rotations (R, N, 4) in another world; T (4, 4)."""
    turned = rotations_wxyz.copy()
    turned[:, 0] = rotation.multiply(rotation.from_matrix(T[:3, :3]), rotations_wxyz[:, 0])
    return root_m @ T[:3, :3].T + T[:3, 3], turned


def lowest_m(skeleton: Skeleton, root_m: np.ndarray, rotations_wxyz: np.ndarray) -> np.ndarray:
    """(R,) height of the lowest joint for roots (R, 3) and rotations (R, N, 4); heels and toes are soles."""
    places, turns = [root_m], [rotations_wxyz[:, 0]]
    for joint, parent in enumerate(skeleton.parents[1:], start=1):
        places.append(places[parent] + rotation.rotate(turns[parent], skeleton.offsets_m[joint]))
        turns.append(rotation.multiply(turns[parent], rotations_wxyz[:, joint]))
    return np.min([place[:, 1] for place in places], axis=0)


def floor_m(lowest: np.ndarray) -> float:
    """The height of the floor by the lowest joints (R,) of everybody."""
    return float(np.percentile(lowest, _LOWEST_PERCENT))
