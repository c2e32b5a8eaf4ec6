"""Finds the person at the start and after a loss: detectors first, else windows of several sizes over the whole picture.

Mehta 2020, 8.2.2, starts with the network alone on the whole picture at several scales. Here the bundled detectors propose where
to look: they are faster, say how the body is turned, and know what is nobody, which a network trained on crops of people was
never told. The network looks at each proposal at several scales and has the last word. Where they find nobody (somebody who
fills the picture, say), the document's search is made, and more is asked of its answer.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np

from posewire.data import FloatArray, Frame
from posewire_blazepose.body_detector import BodyDetector
from posewire_blazepose.person_detector import PersonDetector
from posewire_vnect.crop_tracker import window_around
from posewire_vnect.extent import whole_body
from posewire_vnect.location_net import LocationNet
from posewire_vnect.person import Person, seen_in
from posewire_vnect.window import Window

LEAST_SCORE = 0.15
"""Of a person whom a detector saw."""
LEAST_SCORE_ALONE = 0.4
"""Of a person whom no detector saw."""
_SURE_SCORE = 0.5
"""A surer one needs no further look."""
_BOXES = 2
_BOX_FILLS = 0.75
"""Share of the window's side that a person's box takes: the middle of what the network was trained on (0.5 to 0.95)."""
_SCALES = (1.0, 0.75)
_SCALES_AGAIN = (1.0, 0.85, 1.2)
"""At which whoever was found is looked at once more: joints that one sight gets wrong, others get right."""
_TURNS_RAD = (math.pi / 2, -math.pi / 2, math.pi)
_PICTURE_SCALES = (1.0, 0.7, 0.45)
"""Sides of the search windows, as shares of the picture's longer side."""
_WHOLE_SEARCH_EVERY = 10
"""Frames between two searches of the whole picture while nobody is there."""


class Search:
    """Looks for the most prominent person. One thread."""

    def __init__(self, net: LocationNet, body_detector: BodyDetector, person_detector: PersonDetector) -> None:
        self._net, self._body_detector, self._person_detector = net, body_detector, person_detector
        self.reset()

    def reset(self) -> None:
        """The next search is a thorough one."""
        self._since_whole = _WHOLE_SEARCH_EVERY

    def find(self, frame: Frame) -> Person | None:
        """The most prominent person, or None."""
        for person in self._proposed(frame):
            if person is not None and person.score >= LEAST_SCORE:
                self.reset()
                return person
        return self._anywhere(frame)

    def in_box(self, frame: Frame, box_px: FloatArray) -> Person | None:
        """Who is in a box (4,): at several scales, turned where upright is not understood, then in a window of their own."""
        x0, y0, x1, y1 = map(float, box_px)
        window = Window((x0 + x1) / 2, (y0 + y1) / 2, max(x1 - x0, y1 - y0) / _BOX_FILLS)
        best = self._look(frame, [window.scaled(scale) for scale in _SCALES])
        if best is None or best.score < _SURE_SCORE:
            best = _surest([best, self._look(frame, [window.turned(turn) for turn in _TURNS_RAD])])
        return self._again(frame, best)

    def _proposed(self, frame: Frame) -> Iterator[Person | None]:
        """Whom the body detector shows, which is quick, then the best of the person boxes, then nobody else."""
        region = self._body_detector.find(frame)
        if region is not None:
            window = Window(region.x_px, region.y_px, region.size_px, region.rotation_rad)
            yield self._again(frame, self._look(frame, [window.scaled(scale) for scale in _SCALES]))
        yield _surest(self.in_box(frame, box_px) for box_px in self._prominent_boxes(frame))

    def _prominent_boxes(self, frame: Frame) -> list[FloatArray]:
        """The largest of the sure ones first: who is near is meant."""
        found = self._person_detector.find(frame)
        found.sort(key=lambda person: -person.score * math.sqrt(float(np.prod(person.box_px[2:] - person.box_px[:2]))))
        return [person.box_px for person in found[:_BOXES]]

    def _anywhere(self, frame: Frame) -> Person | None:
        """The document's own search; not in every frame, because it is slow."""
        self._since_whole += 1
        if self._since_whole <= _WHOLE_SEARCH_EVERY:
            return None
        self._since_whole = 0
        best = self._again(frame, self._look(frame, windows_over(*frame.size_px)))
        return best if best is not None and best.score >= LEAST_SCORE_ALONE else None

    def _look(self, frame: Frame, windows: Iterable[Window]) -> Person | None:
        """The best of what single windows show."""
        usable = [window for window in windows if window.usable]
        return _surest(seen_in([sight]) for sight in self._net.look(frame, usable))

    def _again(self, frame: Frame, person: Person | None) -> Person | None:
        """What this sight and those around the window that the tracker would take say together."""
        if person is None:
            return None
        window = window_around(whole_body(person, frame.size_px), person.body_turn_rad)
        windows = [window.scaled(scale) for scale in _SCALES_AGAIN] if window.usable else []
        together = seen_in([*self._net.look(frame, windows), *person.sights])
        return together if together.there else person

    def close(self) -> None:
        """Frees the detectors."""
        self._body_detector.close()
        self._person_detector.close()


def _surest(people: Iterable[Person | None]) -> Person | None:
    return max((one for one in people if one is not None and one.there), key=lambda one: one.score, default=None)


def windows_over(width_px: int, height_px: int) -> Iterator[Window]:
    """Windows of each scale that cover the picture, overlapping by half or more."""
    longer_px = max(width_px, height_px)
    for scale in _PICTURE_SCALES:
        side_px = scale * longer_px
        for y_px in _centres(height_px, side_px):
            for x_px in _centres(width_px, side_px):
                yield Window(x_px, y_px, side_px)


def _centres(length_px: int, side_px: float) -> FloatArray:
    """Where windows of a side stand along an edge."""
    rest_px = length_px - side_px
    if rest_px <= 0:
        return np.array([(length_px - 1) / 2])
    count = math.ceil(rest_px / (side_px / 2)) + 1
    return side_px / 2 - 0.5 + np.linspace(0.0, rest_px, count)
