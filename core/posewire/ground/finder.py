"""Floor and statures during a run: they collect what frames say and speak once, when they are certain.

Each is owned by one thread. Both keep a bounded past.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from posewire import camera as cameras
from posewire.data import Camera, FloatArray, SkeletonPose
from posewire.ground.floor import GroundEstimate, estimate_ground
from posewire.ground.stature import FEWEST_FRAMES, Stature, height_from_ground
from posewire.skeleton import REFERENCE

_FEET = [REFERENCE.index(f"{side}_{part}") for side in ("left", "right") for part in ("heel", "toe")]
_ANKLES = [REFERENCE.index("left_ankle"), REFERENCE.index("right_ankle")]
_HEAD = REFERENCE.index("head")
_PAST_FRAMES = 3600
_MOST_PEOPLE = 4
"""They stand on one floor: of more than one, it is less easily imagined."""
_EVERY_S = 1.0
"""Time between two attempts; one costs a few milliseconds."""
_PAST_STANDING = 120


class GroundFinder:
    """Gravity and floor from the feet of fitted poses. One camera that does not move."""

    def __init__(self) -> None:
        self._past: deque[tuple[float, FloatArray, FloatArray]] = deque(maxlen=_PAST_FRAMES)
        self._people: list[int | None] = [None] * _MOST_PEOPLE
        self._last_try_s = 0.0
        self.estimate: GroundEstimate | None = None
        """The newest estimate, certain or not."""

    def add(self, poses: Sequence[SkeletonPose], camera: Camera, time_s: float) -> Camera | None:
        """Takes a frame in; the camera on the floor once it is certain, else None."""
        if self._past and time_s <= self._past[-1][0]:
            self._past.clear()  # the source began anew: two stretches of time do not mix
            self._last_try_s = time_s
        if poses:
            self._past.append((time_s, *self._row(poses, camera)))
        if time_s - self._last_try_s < _EVERY_S or len(self._past) < 3:
            return None
        self._last_try_s = time_s
        times, feet_m, upright = (np.array(column) for column in zip(*self._past, strict=True))
        self.estimate = estimate_ground(feet_m.reshape(len(times), -1, 3), times, upright)
        return self.estimate.camera(camera) if self.estimate is not None and self.estimate.certain else None

    def _row(self, poses: Sequence[SkeletonPose], camera: Camera) -> tuple[FloatArray, FloatArray]:
        """Feet (P, 4, 3) and bodies, feet to head (P, 3), of as many people as there is room for; NaN: nobody."""
        feet_m, upright = np.full((_MOST_PEOPLE, len(_FEET), 3), np.nan), np.full((_MOST_PEOPLE, 3), np.nan)
        here = {pose.person_id for pose in poses}
        for pose in poses:
            if pose.person_id not in self._people:
                self._seat(pose.person_id, here)
            if pose.person_id in self._people:
                k, points_m = self._people.index(pose.person_id), cameras.to_camera(pose.positions_m, camera)
                feet_m[k], upright[k] = points_m[_FEET], points_m[_HEAD] - points_m[_ANKLES].mean(axis=0)
        return feet_m, upright

    def _seat(self, person_id: int, here: set[int]) -> None:
        """Gives somebody the row of one who is not here, if there is one."""
        for k, known in enumerate(self._people):
            if known not in here:
                self._people[k] = person_id
                return


class StatureFinder:
    """One person's height, said once: at the first moment that enough upright frames agree."""

    def __init__(self, keypoint_names: Sequence[str]) -> None:
        self._names = tuple(keypoint_names)
        self._past: deque[FloatArray] = deque(maxlen=_PAST_STANDING)
        self.stature: Stature | None = None

    def add(self, keypoints_px: ArrayLike, camera: Camera) -> Stature | None:
        """Takes a frame's keypoints (J, 2) in; the stature at the moment it becomes known, else None.

        Only a calibrated floor says metres: an estimated one was measured by the assumed stature itself.
        """
        if self.stature is not None or camera.origin != "calibrated":
            return None
        self._past.append(np.array(keypoints_px, dtype=np.float64))
        if len(self._past) < FEWEST_FRAMES:
            return None
        self.stature = height_from_ground(np.array(self._past), self._names, camera)
        return self.stature
