"""What the tracker remembers of one person. Private to the tracking room, changed in place, owned by the tracker's thread."""

from __future__ import annotations

import math

import numpy as np

from posewire.data import Detections, FloatArray, Track

_VELOCITY_MEMORY_S = 0.1
"""Time constant of the averaged image velocity: a few frames, so that one bad detection does not throw the prediction."""
_SIZE_MEMORY_S = 1.0
"""Time constant of a person's size in the picture: a single half-seen body must not shrink the gate around the person."""
_PREDICT_S = 0.5
"""A person is expected to go on moving for this long after the last sighting, and then to stay."""

_GROWTH_PER_S = 0.5
"""By so much the allowed jump of a person's size grows in each second without a sighting."""


class Person:
    """A known person, or a candidate (person_id 0) that has not been seen for long enough."""

    def __init__(self, detections: Detections, row: int, time_s: float) -> None:
        self.person_id = 0
        self.sightings = 1
        self.missed_frames = 0
        self.seen_s = time_s
        self.velocity_px_s = np.zeros(2)
        self.appearance: FloatArray | None = None
        self.appearance_s = -math.inf
        self.doubts = 0
        self._appearances = 0
        self._take(detections, row)
        self.size_px = diagonal_px(body_box(self.box_px, self.keypoints_px))
        self._sure = self.keypoints_px, self.box_px, time_s

    def _take(self, detections: Detections, row: int) -> None:
        self.keypoints_px = detections.keypoints_px[row]
        self.confidence = detections.confidence[row]
        self.box_px = detections.boxes_px[row]
        self.keypoints_m = None if detections.keypoints_m is None else detections.keypoints_m[row]

    def see(self, detections: Detections, row: int, time_s: float, *, continuous: bool) -> None:
        """Takes a sighting; `continuous` is False after a jump (a cut, a return): no velocity is drawn from it."""
        step_s = time_s - self.seen_s
        if not continuous:
            self.velocity_px_s = np.zeros(2)
        elif step_s > 0:
            moved = _median_row(detections.keypoints_px[row] - self.keypoints_px)
            trust = 1.0 - math.exp(-step_s / _VELOCITY_MEMORY_S)
            self.velocity_px_s = self.velocity_px_s + trust * (moved / step_s - self.velocity_px_s)
        self.seen_s, self.missed_frames = time_s, 0
        self.sightings += 1
        self._take(detections, row)
        size_px = diagonal_px(body_box(self.box_px, self.keypoints_px))
        self.size_px += (1.0 - math.exp(-abs(step_s) / _SIZE_MEMORY_S)) * (size_px - self.size_px)

    def predicted_px(self, time_s: float) -> FloatArray:
        """Keypoints (J, 2) expected now, at constant image velocity."""
        return self.keypoints_px + self._way_px(time_s)

    def predicted_box_px(self, time_s: float) -> FloatArray:
        """Box (4,) expected now."""
        return body_box(self.box_px, self.keypoints_px) + np.tile(self._way_px(time_s), 2)

    def _way_px(self, time_s: float) -> FloatArray:
        return self.velocity_px_s * min(max(time_s - self.seen_s, 0.0), _PREDICT_S)

    def be_sure(self) -> None:
        """Who is followed here still looks like the person."""
        self.doubts = 0
        self._sure = self.keypoints_px, self.box_px, self.seen_s

    def go_back(self) -> None:
        """Somebody else was followed for a while: the person is missing since the last sure place."""
        self.keypoints_px, self.box_px, self.seen_s = self._sure
        self.keypoints_m, self.velocity_px_s, self.doubts = None, np.zeros(2), 0

    def largest_jump(self, at_once: float, time_s: float) -> float:
        """How many times larger or smaller the person can be now."""
        return at_once * (1.0 + _GROWTH_PER_S * max(time_s - self.seen_s, 0.0))

    def look(self, histogram: FloatArray | None, time_s: float, memory_s: float) -> None:
        """Averages a fresh histogram in: evenly over the first ones, then with the time constant `memory_s`."""
        if histogram is None:
            return
        self._appearances += 1
        if self.appearance is None:
            self.appearance = histogram
        else:
            trust = max(1.0 / self._appearances, 1.0 - math.exp(-max(time_s - self.appearance_s, 0.0) / memory_s))
            self.appearance = (1.0 - trust) * self.appearance + trust * histogram
        self.appearance_s = time_s

    def track(self) -> Track:
        """The person as seen in this frame."""
        return Track(self.person_id, self.keypoints_px, self.confidence, self.box_px, self.keypoints_m, self.appearance)


def body_box(box_px: FloatArray, keypoints_px: FloatArray) -> FloatArray:
    """The method's box (4,), or the keypoints' own bounds where it gives none."""
    if np.isfinite(box_px).all():
        return box_px
    return np.concatenate([np.nanmin(keypoints_px, axis=0), np.nanmax(keypoints_px, axis=0)])


def diagonal_px(box_px: FloatArray) -> float:
    """Length of a box's diagonal."""
    return math.hypot(box_px[2] - box_px[0], box_px[3] - box_px[1])


def _median_row(steps_px: FloatArray) -> FloatArray:
    """Per-axis upper median (2,) of the rows (J, 2) without NaN; zero when there is none. numpy's own takes ten times as long."""
    finite = steps_px[np.isfinite(steps_px).all(axis=1)]
    return np.sort(finite, axis=0)[len(finite) // 2] if len(finite) else np.zeros(2)
