"""A take whose world moved, in the world where it ends.

`posewire run` finds the floor while it runs: from that frame on the world stands on the floor and no longer at the camera. An
animation in which everybody jumps there is of no use, so what came before is said in the later world. The camera stood still.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from posewire import rotation
from posewire.data import Camera, FloatArray
from posewire.take.batch import Batch, Run


class OneWorld:
    """Brings poses from before the floor was found into the world on the floor."""

    def __init__(self, cameras: Mapping[int, Camera]) -> None:
        self._moves = {camera_id: T for camera_id in cameras if (T := _move(cameras, camera_id)) is not None}
        """By id of the camera from before: (4, 4) its world to the later one."""

    def poses(self, batch: Batch, run: Run) -> tuple[FloatArray, FloatArray]:
        """Root (R, 3) and rotations (R, N, 4) of a run that has poses; what is not finite stays so."""
        assert run.pose is not None
        root_m, rotations_wxyz = run.pose["root_m"].astype(float), run.pose["rotations_wxyz"].astype(float)
        camera_id = batch.camera_id[run.rows]
        for moved, T in self._moves.items():
            rows = camera_id == moved
            if rows.any():
                root_m[rows] = root_m[rows] @ T[:3, :3].T + T[:3, 3]
                rotations_wxyz[rows, 0] = rotation.multiply(rotation.from_matrix(T[:3, :3]), rotations_wxyz[rows, 0])
        return root_m, rotations_wxyz


def _move(cameras: Mapping[int, Camera], camera_id: int) -> FloatArray | None:
    """From the world at a camera to that on the floor which was found by the same lens later; None = it was not."""
    before = cameras[camera_id]
    later = (cameras[i] for i in sorted(cameras) if i > camera_id and cameras[i].origin == "estimated")
    after = next((camera for camera in later if np.array_equal(camera.K, before.K)), None)
    if before.origin != "assumed" or after is None:
        return None
    return after.T_world_camera @ np.linalg.inv(before.T_world_camera)
