"""Follows people from frame to frame: each one's region turns with the body; the detectors run only when somebody is missing.

One person: as MediaPipe's pose pipeline does it. Several: person boxes start regions, and are looked for again at
intervals and on loss, so that newcomers appear and the cost stays low.
"""

from __future__ import annotations

import math

import numpy as np

from posewire.data import Detections, FloatArray, Frame
from posewire.methods import MethodOptions
from posewire.runtime import Session, checked_file, open_session
from posewire_blazepose.body_detector import BodyDetector
from posewire_blazepose.landmarks import Body, LandmarkNet
from posewire_blazepose.names import KEYPOINT_NAMES
from posewire_blazepose.person_detector import PersonBox, PersonDetector
from posewire_blazepose.regions import CircleFilter, Region, intersection_over_union

_MINIMUM_SCORE = 0.5
_SEARCH_EVERY = 10
"""Frames between two looks for newcomers, while there is room for them."""
_SEARCH_LOST_EVERY, _LOST_FRAMES = 4, 100
"""The same for so many frames after somebody was lost: who was hidden comes out again soon, and near to others."""
_COLLAPSE = 0.5
"""A region that loses half its size from one frame to the next has slipped to a part of the body."""
_SAME_PERSON = 0.12
"""Median distance of two views' keypoints, in region sizes, below which they are the same person (two people who walk
side by side are 0.2 apart)."""
_SAME_BOX_IOU = 0.3
_CANDIDATES_A_PLACE = 2
"""Boxes that are tried for each free place: some boxes are nobody."""
_TURNS_RAD = (0.0, math.pi / 2, -math.pi / 2, math.pi)
"""A body that hangs or bends is not understood in an upright region: try these, the first that is sure wins, else the best."""
_UPRIGHT = _TURNS_RAD[:1]
_MINIMUM_START = 0.7
"""Who is followed already may be half hidden; a newcomer must be clear, unless nobody else is there."""
_SURE_START = 0.9
"""Surer than this no other turn is tried. Where nobody else is there, faint and turned boxes are tried, too, and who is found so
must be as sure: of 288 empty rooms and places somebody is then seen in 16, with 0.5 in 41; of athletes' joints (LSPET) at most
0.4 of 100 are lost."""
_SURE_BOX = 0.4
"""Below it a box is tried upright only, unless nobody else is there: a turned region finds bodies in signposts."""


class _Followed:
    """One person from frame to frame."""

    def __init__(self, body: Body) -> None:
        self.body = body
        self._filter = CircleFilter(body.circle_px)
        self.next_region = body.region

    def collapses_to(self, body: Body) -> bool:
        """Whether this view is only a part of the person."""
        return body.region.size_px < _COLLAPSE * self.body.region.size_px

    def move_to(self, body: Body) -> None:
        """Takes the person's next view."""
        self.body = body
        circle_px = self._filter(body.circle_px)
        self.next_region = Region.from_body_circle(circle_px[0], circle_px[1])


class BlazePose:
    """The estimator. Owned by one thread."""

    def __init__(
        self, landmarks: LandmarkNet, body_detector: BodyDetector, person_detector: PersonDetector, max_people: int
    ) -> None:
        self._landmarks, self._body_detector, self._person_detector = landmarks, body_detector, person_detector
        self._max_people = max_people
        self.reset()

    def reset(self) -> None:
        """Forgets everybody."""
        self._followed: list[_Followed] = []
        self._frames_since_search = self._frames_since_loss = _LOST_FRAMES

    def estimate(self, frame: Frame) -> Detections:
        """Everybody in the frame, those already followed first, at most max_people."""
        before = len(self._followed)
        self._follow(frame)
        if self._max_people == 1 and not self._followed:
            self._add(self._most_prominent(frame))
        self._frames_since_search += 1
        if self._should_search(before):
            self._frames_since_search = 0
            self._add(self._newcomers(frame))
        return _detections([person.body for person in self._followed])

    def _follow(self, frame: Frame) -> None:
        bodies = self._landmarks.look(frame, [person.next_region for person in self._followed])
        kept = _distinct([body for person, body in zip(self._followed, bodies, strict=True) if not person.collapses_to(body)])
        for person, body in zip(self._followed, bodies, strict=True):
            person.move_to(body)
        self._followed = [person for person in self._followed if person.next_region.usable and _is_one_of(person.body, kept)]

    def _should_search(self, before: int) -> bool:
        self._frames_since_loss = 0 if len(self._followed) < before else self._frames_since_loss + 1
        hidden = self._max_people > 1 and self._frames_since_loss < _LOST_FRAMES
        every = _SEARCH_LOST_EVERY if hidden else _SEARCH_EVERY
        due = len(self._followed) < self._max_people and self._frames_since_search >= every
        return self._frames_since_loss == 0 or due

    def _add(self, newcomers: list[Body]) -> None:
        kept = _distinct([person.body for person in self._followed] + newcomers)
        new = [_Followed(body) for body in newcomers if _is_one_of(body, kept)]
        still = [person for person in self._followed if _is_one_of(person.body, kept)]
        self._followed = (still + new)[: self._max_people]

    def _most_prominent(self, frame: Frame) -> list[Body]:
        region = self._body_detector.find(frame)
        return self._landmarks.look(frame, [region] if region is not None and region.usable else [])

    def _newcomers(self, frame: Frame) -> list[Body]:
        known = [person.body for person in self._followed]
        found = self._person_detector.find(frame)
        new = [person for person in found if not any(_covers(body, person.box_px) for body in known)]
        started = self._start_all(frame, new, eager=False)
        if not started and not known:
            turned = self._start_all(frame, found + self._person_detector.find_turned(frame), eager=True)
            surest = max(turned, key=lambda body: body.score, default=None)  # alone; the next look finds the others
            started = [surest] if surest and surest.score >= _SURE_START else []
        return started

    def _start_all(self, frame: Frame, people: list[PersonBox], *, eager: bool) -> list[Body]:
        candidates = people[: _CANDIDATES_A_PLACE * (self._max_people - len(self._followed))]
        started: list[Body] = []
        for person in candidates:
            turns_rad = _TURNS_RAD if eager or person.score >= _SURE_BOX else _UPRIGHT
            body = self._start(frame, person, turns_rad, _MINIMUM_SCORE if eager else _MINIMUM_START)
            if body is not None and not any(_covers(other, _box(body)) for other in started):
                started.append(body)
        return started

    def _start(self, frame: Frame, person: PersonBox, turns_rad: tuple[float, ...], minimum: float) -> Body | None:
        """The person of a box, seen a second time in the region turned with the body."""
        best: Body | None = None
        for turn_rad in turns_rad:
            body = self._landmarks.look(frame, [person.region.turned(turn_rad)])[0]
            if body.region.usable and body.score > (best.score if best else minimum):
                best = body
            if best and best.score >= _SURE_START:
                break
        if best is None:
            return None
        again = self._landmarks.look(frame, [best.region])[0]
        return again if again.score >= _MINIMUM_SCORE else best

    def close(self) -> None:
        """Frees the networks; may be called twice."""
        for part in (self._landmarks, self._body_detector, self._person_detector):
            part.close()


def open_blazepose(landmark_model: str, options: MethodOptions) -> BlazePose:
    """Opens the networks on the asked device."""

    def session(model: str) -> Session:
        return open_session(model, options.device, options.threads)

    checked_file("person_detector", options.device)
    return BlazePose(
        LandmarkNet(session(landmark_model)),
        BodyDetector(session("blazepose_detector")),
        PersonDetector(lambda: session("person_detector")),
        options.max_people,
    )


def _distinct(bodies: list[Body]) -> list[Body]:
    """Those who are there, without a second view of the same person; the surer view stays."""
    there = [body for body in bodies if body.score >= _MINIMUM_SCORE and body.region.usable]
    kept: list[Body] = []
    for body in sorted(there, key=lambda body: -body.score):
        if not any(_same_person(body, other) for other in kept):
            kept.append(body)
    return kept


def _is_one_of(body: Body, bodies: list[Body]) -> bool:
    return any(body is other for other in bodies)


def _same_person(body: Body, other: Body) -> bool:
    distances_px = np.linalg.norm(body.keypoints_px - other.keypoints_px, axis=1)
    size_px = min(body.region.size_px, other.region.size_px)
    return bool(np.isfinite(distances_px).any()) and float(np.nanmedian(distances_px)) < _SAME_PERSON * size_px


def _covers(body: Body, box_px: FloatArray) -> bool:
    return float(intersection_over_union(box_px, _box(body)[None])[0]) > _SAME_BOX_IOU


def _box(body: Body) -> FloatArray:
    """(4,) around the keypoints inside the region; NaN where there are none."""
    return np.concatenate([np.fmin.reduce(body.keypoints_px), np.fmax.reduce(body.keypoints_px)])


def _detections(bodies: list[Body]) -> Detections:
    if not bodies:
        return Detections.nobody(len(KEYPOINT_NAMES), with_3d=True)
    return Detections(
        np.stack([body.keypoints_px for body in bodies]),
        np.stack([body.confidence for body in bodies]),
        np.stack([_box(body) for body in bodies]),
        np.stack([body.keypoints_m for body in bodies]),
    )
