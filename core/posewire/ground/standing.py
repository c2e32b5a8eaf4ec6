"""The world of a run: at the camera until the floor is certain, then on the floor, once and for all.

Owned by one thread. A calibrated camera stays where it is.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from posewire.data import Camera, FloatArray, SkeletonPose
from posewire.ground.finder import GroundFinder
from posewire.ground.world import on_floor


class Standing:
    """Puts each frame's camera where the world is now, and looks for the floor in the poses."""

    def __init__(self, looks: bool) -> None:
        self._finder = GroundFinder() if looks else None
        self._T_world_camera: FloatArray | None = None
        self._lens: Camera | None = None
        self._before: tuple[Camera, Camera] | None = None

    def place(self, camera: Camera) -> Camera:
        """The camera of a frame, standing on the floor if that is known and nothing better is."""
        if self._finder is None or camera.origin != "assumed":
            return camera
        if self._lens is None or not _same_lens(self._lens, camera):
            self._forget(camera)
        if self._T_world_camera is None:
            return camera
        if self._before is None or self._before[0] is not camera:
            self._before = camera, on_floor(camera, self._T_world_camera, "estimated")
        return self._before[1]

    def look(self, poses: Sequence[SkeletonPose], camera: Camera, time_s: float) -> bool:
        """Takes the poses of a placed camera in; True at the moment when the world moves to the floor."""
        if self._finder is None or camera.origin != "assumed":
            return False
        found = self._finder.add(poses, camera, time_s)
        self._T_world_camera = None if found is None else found.T_world_camera
        return found is not None

    def _forget(self, camera: Camera) -> None:
        """Another lens is another camera, and the floor is to be found anew."""
        self._finder, self._lens, self._T_world_camera, self._before = GroundFinder(), camera, None, None


def _same_lens(a: Camera, b: Camera) -> bool:
    sizes = (a.width_px, a.height_px) == (b.width_px, b.height_px)
    return a is b or (sizes and np.array_equal(a.K, b.K) and np.array_equal(a.distortion, b.distortion))
