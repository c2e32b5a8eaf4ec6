"""The tracker: known people are matched, the lost are recognised, newcomers earn an identity."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from posewire.data import Detections, FloatArray, Frame, Track
from posewire.tracking import appearance, association
from posewire.tracking.mistakes import Pairs, handed_over
from posewire.tracking.person import Person
from posewire.tracking.settings import TrackSettings
from posewire.tracking.sightings import Sightings

_MAX_REMEMBERED = 64
"""A street scene seen all day must not grow; the longest unseen go first."""

_RIVAL, _RIVAL_PER_S = 0.2, 4.0
"""Of the gate, and for each second between two frames: who is farther than the nearest by more is not mixed up with them."""


class Tracker:
    """Gives detections identities that last. Ids start at 1 and are never reused. Not thread-safe: one thread owns it."""

    def __init__(self, keypoint_names: Sequence[str], settings: TrackSettings | None = None) -> None:
        self.settings = settings or TrackSettings()
        self._torso = appearance.torso_indices(keypoint_names)
        self._people: list[Person] = []
        self._candidates: list[Person] = []
        self._next_id = itertools.count(1)
        self._time_s: float | None = None

    def update(self, detections: Detections, frame: Frame) -> list[Track]:
        """The people seen in this frame, by ascending id, at most `max_people`. Those who are missing are not returned."""
        view = Sightings(detections, frame, self._torso)
        self._notice_cut(frame.time_s)
        present = [person for person in self._people if self._is_present(person, frame.time_s)]
        matched, corrected = self._correct(self._match(present, view), view)
        returned = corrected + self._recognise(matched + corrected, view)
        candidates = self._follow_candidates(matched + returned, view)
        for person, row in matched:
            person.see(detections, row, frame.time_s, continuous=True)
        for person, row in returned:
            person.see(detections, row, frame.time_s, continuous=False)
        born = self._births(candidates, matched + returned, view)
        seen = matched + returned + born
        self._learn_looks(seen, view)
        self._age({id(person) for person, _ in seen}, frame.time_s)
        return [person.track() for person, _ in sorted(seen, key=lambda pair: pair[0].person_id)]

    def reset(self) -> None:
        """Forgets everybody (another source); numbers already given stay used."""
        self._people, self._candidates, self._time_s = [], [], None

    def _notice_cut(self, time_s: float) -> None:
        """After a cut nobody counts as present, and candidates start anew."""
        if self._time_s is not None and not 0.0 <= time_s - self._time_s <= self.settings.cut_s:
            self._candidates = []
            for person in self._people:
                person.missed_frames = max(person.missed_frames, 1)
        self._time_s = time_s

    def _is_present(self, person: Person, time_s: float) -> bool:
        return person.missed_frames == 0 or 0.0 <= time_s - person.seen_s <= self.settings.gap_s

    def _match(self, present: list[Person], view: Sightings) -> Pairs:
        """Present people to detections by all three terms; only pairs inside the 2D gate."""
        if not present or not view.rows:
            return []
        settings = self.settings
        distance = view.distances_2d(present, view.rows) / settings.gate_2d
        near = distance <= 1.0
        near &= ~view.other_sizes(present, view.rows, settings.size_jump, near)
        look = self._looks_where_needed(present, np.where(near, distance, np.inf), view)
        missing = np.array([person.missed_frames > 0 for person in present])
        near &= ~(missing[:, None] & (look > settings.look_alike_near))
        shape = (len(present), len(view.rows))
        cost = association.weighted_mean(
            (settings.weight_2d, distance),
            (settings.weight_3d, view.distances_3d(present, view.rows) / settings.scale_3d_m),
            (settings.weight_appearance, look),
            shape=shape,
        )
        return [(present[i], view.rows[k]) for i, k in association.assign(cost, near)][: settings.max_people]

    def _looks_where_needed(self, present: list[Person], distance: FloatArray, view: Sightings) -> FloatArray:
        """Dissimilarity (I, K) where a mix-up is possible: several about as near, or a person was missing. NaN elsewhere.

        `distance` (I, K) is infinite outside the gate.
        """
        missing = np.array([person.missed_frames > 0 for person in present])
        margin = _RIVAL + _RIVAL_PER_S * max(0.0, min(view.time_s - person.seen_s for person in present))
        several = _rivals(distance, margin, axis=1) | _rivals(distance, margin, axis=0)
        needed = np.isfinite(distance) & (several | missing[:, None])
        look = np.full(distance.shape, np.nan)
        for i, k in zip(*np.nonzero(needed), strict=True):
            look[i, k] = appearance.dissimilarity(present[i].appearance, view.histogram(view.rows[k]))
        return look

    def _correct(self, matched: Pairs, view: Sightings) -> tuple[Pairs, Pairs]:
        """The matches that stand, and those handed over to somebody else whom they look much more like."""
        taken = {id(person) for person, _ in matched}
        others = [person for person in self._people if id(person) not in taken]
        due = [pair for pair in matched if self._look_is_due(*pair, view)]
        corrected = handed_over(due, others, view, self.settings)
        wrong = {row for _, row in corrected} | {row for person, row in matched if id(person) in {id(p) for p, _ in corrected}}
        return [pair for pair in matched if pair[1] not in wrong], corrected

    def _look_is_due(self, person: Person, row: int, view: Sightings) -> bool:
        elapsed_s = view.time_s - person.appearance_s
        due = person.doubts > 0 or elapsed_s < 0 or elapsed_s >= self.settings.look_every_s
        return due and not view.is_occluded(row)

    def _recognise(self, matched: Pairs, view: Sightings) -> Pairs:
        """People who are not where they should be, or were lost, to the detections left over: by appearance, 2D breaks ties."""
        room = self.settings.max_people - len(matched)
        taken = {id(person) for person, _ in matched}
        lost = [person for person in self._people if id(person) not in taken]
        rows = view.without_duplicates(view.left_over(matched), of=[row for _, row in matched])
        if room < 1 or not lost or not rows:
            return []
        look = np.array([[self._recognition_cost(person, view, row) for row in rows] for person in lost])
        away = view.distances_2d(lost, rows)
        allowed = look <= self.settings.look_alike
        if matched:  # Somebody is where expected, so the picture was not cut: nobody jumps across it.
            allowed &= view.within_reach(lost, rows, self.settings)
        cost = look + 0.1 * np.minimum(np.where(np.isfinite(away), away, 1.0), 1.0)
        pairs = sorted(association.assign(cost, allowed), key=lambda pair: float(cost[pair]))
        return [(lost[i], rows[k]) for i, k in pairs][:room]

    def _recognition_cost(self, person: Person, view: Sightings, row: int) -> float:
        """Dissimilarity; where nothing can be compared, the only person there is room for is taken to be the known one."""
        value = appearance.dissimilarity(person.appearance, view.histogram(row))
        if np.isnan(value):
            return self.settings.look_alike if self.settings.max_people == 1 else np.inf
        return value

    def _follow_candidates(self, taken: Pairs, view: Sightings) -> Pairs:
        """Candidates to the detections left over; a detection without one starts one. Candidates not seen again are dropped."""
        rows = view.without_duplicates(view.left_over(taken), of=[row for _, row in taken])
        pairs: Pairs = []
        if self._candidates and rows:
            distance = view.distances_2d(self._candidates, rows) / self.settings.gate_2d
            pairs = [(self._candidates[i], rows[k]) for i, k in association.assign(distance, distance <= 1.0)]
        for person, row in pairs:
            person.see(view.detections, row, view.time_s, continuous=True)
        followed = {row for _, row in pairs}
        pairs += [(Person(view.detections, row, view.time_s), row) for row in rows if row not in followed]
        self._candidates = [person for person, _ in pairs]
        return pairs

    def _births(self, candidates: Pairs, seen: Pairs, view: Sightings) -> Pairs:
        """Candidates that become people: the sure ones into free seats, those seen long enough also into seats of the missing."""
        settings = self.settings
        present = [person for person in self._people if self._is_present(person, view.time_s)]
        returning = bool(seen) and len(self._people) > len(seen)
        usual = settings.birth_frames_missing if returning else settings.birth_frames
        born: Pairs = []
        for person, row in sorted(candidates, key=lambda pair: -float(pair[0].confidence.mean())):
            covered = view.is_part_of(row, present, seen)
            proven = person.sightings >= (settings.birth_frames_covered if covered else usual)
            sure = not seen and float(person.confidence.mean()) >= settings.birth_confidence
            occupied = len(seen) if proven else len(present)
            if (proven or (sure and not covered)) and occupied + len(born) < settings.max_people:
                person.person_id = next(self._next_id)
                born.append((person, row))
        newborn = {id(person) for person, _ in born}
        self._people += [person for person, _ in born]
        self._candidates = [person for person in self._candidates if id(person) not in newborn]
        return born

    def _learn_looks(self, seen: Pairs, view: Sightings) -> None:
        for person, row in seen:
            if self._look_is_due(person, row, view) and person.doubts == 0:
                person.look(view.histogram(row), view.time_s, self.settings.look_memory_s)

    def _age(self, seen: set[int], time_s: float) -> None:
        for person in self._people:
            person.missed_frames += id(person) not in seen
        kept = [person for person in self._people if abs(time_s - person.seen_s) <= self.settings.remember_s]
        self._people = sorted(kept, key=lambda person: person.missed_frames)[:_MAX_REMEMBERED]


def _rivals(distance: FloatArray, margin: float, axis: int) -> NDArray[np.bool_]:
    """Lines of a (I, K) distance in which another entry is about as near as the nearest; infinite = outside the gate."""
    near = np.isfinite(distance) & (distance <= distance.min(axis=axis, keepdims=True) + margin)
    return near.sum(axis=axis, keepdims=True) > 1
