"""What the tracker remembers of one person. Private to the tracking room, changed in place, owned by the tracker's thread."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TypeAlias

import numpy as np

from posewire.data import Detections, FloatArray, Track
from posewire.tracking import appearance

_VELOCITY_MEMORY_S = 0.1
"""Time constant of the averaged image velocity: a few frames, so that one bad detection does not throw the prediction."""
_SIZE_MEMORY_S = 1.0
"""Time constant of a person's size in the picture: a single half-seen body must not shrink the gate around the person."""
_COURSE_MEMORY_S = 0.7
"""The same of the velocity at which a missing person is expected to go on: what the last frames said, half hidden, is not it."""
_PREDICT_S = 1.0
"""A person is expected to go on moving for this long after the last sighting, and then to stay."""
_GROWTH_PER_S = 0.5
"""By so much the allowed jump of a person's size grows in each second without a sighting."""
_MOVED = 0.25
"""Of a box diagonal."""
NOBODY = 0
"""The id of a candidate, and of a thing that is followed by mistake."""


class Person:
    """A known person, or a candidate (person_id 0) that has not been seen for long enough."""

    def __init__(self, detections: Detections, row: int, time_s: float) -> None:
        self.person_id = NOBODY
        self.sightings = 1
        self.missed_frames = 0
        self.seen_s = time_s
        self.velocity_px_s = np.zeros(2)
        self._course_px_s = np.zeros(2)
        self.appearance: FloatArray | None = None
        self.appearance_s = -math.inf
        self.suspicions: dict[int, float] = {}
        """By id: what speaks for somebody else being followed here (mistakes)."""
        self.beside: set[int] = set()
        """Ids of those who were seen clearly apart from this candidate."""
        self.slipped = False
        """A candidate that began as a track gone wrong."""
        self._appearances = 0
        self._take(detections, row)
        self.size_px = diagonal_px(body_box(self.box_px, self.keypoints_px))
        self._sure = self.keypoints_px, self.box_px, self._course_px_s, time_s
        self._start_px = self.keypoints_px

    def _take(self, detections: Detections, row: int) -> None:
        self.keypoints_px = detections.keypoints_px[row]
        self.confidence = detections.confidence[row]
        self.box_px = detections.boxes_px[row]
        self.keypoints_m = None if detections.keypoints_m is None else detections.keypoints_m[row]

    def see(self, detections: Detections, row: int, time_s: float, *, continuous: bool) -> None:
        """Takes a sighting; `continuous` is False after a jump (a cut, a return): no velocity is drawn from it."""
        step_s = time_s - self.seen_s
        if not continuous:
            self.velocity_px_s = self._course_px_s = np.zeros(2)
        elif step_s > 0:
            velocity_px_s = _median_row(detections.keypoints_px[row] - self.keypoints_px) / step_s
            trust, course_trust = (1.0 - math.exp(-step_s / memory_s) for memory_s in (_VELOCITY_MEMORY_S, _COURSE_MEMORY_S))
            self.velocity_px_s = self.velocity_px_s + trust * (velocity_px_s - self.velocity_px_s)
            self._course_px_s = self._course_px_s + course_trust * (velocity_px_s - self._course_px_s)
        self.seen_s, self.missed_frames = time_s, 0
        self.sightings += 1
        self._take(detections, row)
        size_px = diagonal_px(body_box(self.box_px, self.keypoints_px))
        self.size_px += (1.0 - math.exp(-abs(step_s) / _SIZE_MEMORY_S)) * (size_px - self.size_px)

    def become(self, candidate: Person) -> None:
        """Was this candidate all the time since it was first seen: its velocity is the person's."""
        self.velocity_px_s, self._course_px_s = candidate.velocity_px_s, candidate._course_px_s

    def predicted_px(self, time_s: float) -> FloatArray:
        """Keypoints (J, 2) expected now, at constant image velocity."""
        return self.keypoints_px + self._way_px(time_s)

    def predicted_box_px(self, time_s: float) -> FloatArray:
        """Box (4,) expected now."""
        return body_box(self.box_px, self.keypoints_px) + np.tile(self._way_px(time_s), 2)

    def _way_px(self, time_s: float) -> FloatArray:
        velocity_px_s = self._course_px_s if self.missed_frames else self.velocity_px_s
        return velocity_px_s * min(max(time_s - self.seen_s, 0.0), _PREDICT_S)

    def suspect(self, gains: Mapping[int, float], drift: float) -> None:
        """Adds up what speaks for others being followed here; where nothing does, the person is here for sure."""
        totals = {other: self.suspicions.get(other, 0.0) + gain - drift for other, gain in gains.items()}
        self.suspicions = {other: total for other, total in totals.items() if total > 0.0}
        if not self.suspicions:
            self._sure = self.keypoints_px, self.box_px, self._course_px_s, self.seen_s

    def fade(self, drift: float) -> None:
        """Nothing can be read just now: suspicions that nothing feeds do not last."""
        self.suspicions = {other: total - drift for other, total in self.suspicions.items() if total > drift}

    def is_doubtful(self, least: float) -> bool:
        """Whether enough speaks for somebody else not to show this as the person."""
        return max(self.suspicions.values(), default=0.0) >= least

    def go_back(self) -> None:
        """Somebody else was followed for a while: the person is missing since the last sure place."""
        self.keypoints_px, self.box_px, self._course_px_s, self.seen_s = self._sure
        self.keypoints_m, self.suspicions = None, {}

    def has_moved(self) -> bool:
        """Whether the person has left the place of the first sighting: people do, things do not."""
        return float(np.linalg.norm(_median_row(self.keypoints_px - self._start_px))) > _MOVED * self.size_px

    def largest_jump(self, at_once: float, time_s: float) -> float:
        """How many times larger or smaller the person can be now."""
        return at_once * (1.0 + _GROWTH_PER_S * max(time_s - self.seen_s, 0.0))

    def look(self, histogram: FloatArray | None, time_s: float, memory_s: float) -> None:
        """Averages a fresh histogram in: evenly over the first ones, then with the time constant `memory_s`."""
        if histogram is None:
            return
        self._appearances += 1
        trust = max(1.0 / self._appearances, 1.0 - math.exp(-max(time_s - self.appearance_s, 0.0) / memory_s))
        self.appearance = appearance.blended(self.appearance, histogram, trust)
        self.appearance_s = time_s

    def track(self) -> Track:
        """The person as seen in this frame."""
        return Track(self.person_id, self.keypoints_px, self.confidence, self.box_px, self.keypoints_m, self.appearance)


def body_box(box_px: FloatArray, keypoints_px: FloatArray) -> FloatArray:
    """The method's box (4,), or the keypoints' own bounds where it gives none."""
    if all(map(math.isfinite, box_px.tolist())):
        return box_px
    return np.concatenate([np.nanmin(keypoints_px, axis=0), np.nanmax(keypoints_px, axis=0)])


def diagonal_px(box_px: FloatArray) -> float:
    """Length of a box's diagonal."""
    return math.hypot(box_px[2] - box_px[0], box_px[3] - box_px[1])


def _median_row(steps_px: FloatArray) -> FloatArray:
    """Per-axis upper median (2,) of the rows (J, 2) without NaN; zero when there is none. numpy's own takes ten times as long."""
    finite = steps_px[np.isfinite(steps_px).all(axis=1)]
    return np.sort(finite, axis=0)[len(finite) // 2] if len(finite) else np.zeros(2)


Pairs: TypeAlias = list[tuple[Person, int]]
"""People and rows of the detections."""
