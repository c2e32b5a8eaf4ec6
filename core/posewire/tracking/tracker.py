"""The tracker: known people are matched, the lost are recognised, newcomers earn an identity."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from posewire.data import Detections, FloatArray, Frame, Track
from posewire.errors import SettingsError
from posewire.tracking import appearance, association
from posewire.tracking.person import Person
from posewire.tracking.sightings import Sightings


@dataclass(frozen=True, slots=True)
class TrackSettings:
    """How identities are kept. The defaults are for people who fill a tenth of the picture or more, at any frame rate."""

    max_people: int = 1
    """At most so many tracks a frame; those already known come first."""
    birth_confidence: float = 0.5
    """A newcomer with at least this mean confidence gets an identity at once, if a seat is free."""
    birth_frames: int = 3
    """Anyone else gets it after so many frames in a row; then also the seat of somebody who is missing."""
    gap_s: float = 1.0
    """A missing person is looked for near the predicted place for so long; after that only by appearance."""
    cut_s: float = 2.0
    """A jump of the clock by more than this, or backwards, is a cut: everybody is looked for by appearance."""
    remember_s: float = 600.0
    """An identity is forgotten when it was not seen for so long; its number is never used again."""
    gate_2d: float = 0.5
    """Largest mean distance from the predicted keypoints, in diagonals of the person's box."""
    reach_per_s: float = 3.0
    """While others are where expected, a lost person can have moved by so many box diagonals a second."""
    scale_3d_m: float = 0.5
    """Mean joint distance of two root-relative poses that counts as wholly different."""
    weight_2d: float = 1.0
    weight_3d: float = 0.3
    weight_appearance: float = 1.0
    look_alike: float = 0.5
    """Largest appearance dissimilarity (0..1) at which somebody is recognised anywhere in the picture. Seen on one clip: the
    same person in any two frames 0.27 (median), 0.45 (95th percentile), but 0.5 to 0.7 after turning sideways against the sun:
    such a return gets a new id. Pairs of strangers on 150 sports photographs: 0.53 (5th percentile), 0.78 (median)."""
    look_alike_near: float = 0.7
    """The same for somebody who was missing and comes back near the predicted place: half hidden, colours lie."""
    look_every_s: float = 1.0
    """How often the appearance of an unoccluded person is read when nothing is ambiguous."""
    look_memory_s: float = 30.0
    """Time constant with which the remembered appearance follows the light (Mehta 2020: renewed every 30 s)."""

    def __post_init__(self) -> None:
        if self.max_people < 1:
            raise SettingsError(
                "max_people leaves no room for anybody.", got=self.max_people, allowed="1 or more", hint="--max-people 1"
            )


_MAX_REMEMBERED = 64
"""A street scene seen all day must not grow; the longest unseen go first."""

Pairs = list[tuple[Person, int]]


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
        matched = self._match(present, view)
        returned = self._recognise(matched, view)
        candidates = self._follow_candidates(matched + returned, view)
        for person, row in matched:
            person.see(detections, row, frame.time_s, continuous=True)
        for person, row in returned:
            person.see(detections, row, frame.time_s, continuous=False)
        born = self._births(candidates, matched + returned, frame.time_s)
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
        look = self._looks_where_needed(present, near, view)
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

    def _looks_where_needed(self, present: list[Person], near: NDArray[np.bool_], view: Sightings) -> FloatArray:
        """Dissimilarity (I, K) where a mix-up is possible: several in one gate, or a person was missing. NaN elsewhere."""
        missing = np.array([person.missed_frames > 0 for person in present])
        crowded = (near.sum(axis=1) > 1)[:, None] | (near.sum(axis=0) > 1)[None]
        needed = near & (crowded | missing[:, None])
        look = np.full(near.shape, np.nan)
        for i, k in zip(*np.nonzero(needed), strict=True):
            look[i, k] = appearance.dissimilarity(present[i].appearance, view.histogram(view.rows[k]))
        return look

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
            reach = self.settings.gate_2d + self.settings.reach_per_s * np.array([view.time_s - person.seen_s for person in lost])
            allowed &= ~(away > reach[:, None])
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

    def _births(self, candidates: Pairs, seen: Pairs, time_s: float) -> Pairs:
        """Candidates that become people: the sure ones into free seats, those seen long enough also into seats of the missing."""
        settings = self.settings
        held = sum(self._is_present(person, time_s) for person in self._people)
        born: Pairs = []
        for person, row in sorted(candidates, key=lambda pair: -float(pair[0].confidence.mean())):
            proven = person.sightings >= settings.birth_frames
            sure = float(person.confidence.mean()) >= settings.birth_confidence
            occupied = len(seen) if proven else held
            if (proven or sure) and occupied + len(born) < settings.max_people:
                person.person_id = next(self._next_id)
                born.append((person, row))
        newborn = {id(person) for person, _ in born}
        self._people += [person for person, _ in born]
        self._candidates = [person for person in self._candidates if id(person) not in newborn]
        return born

    def _learn_looks(self, seen: Pairs, view: Sightings) -> None:
        for person, row in seen:
            due = view.time_s - person.appearance_s >= self.settings.look_every_s or view.time_s < person.appearance_s
            if (due or person.appearance is None) and not view.is_occluded(row):
                person.look(view.histogram(row), view.time_s, self.settings.look_memory_s)

    def _age(self, seen: set[int], time_s: float) -> None:
        for person in self._people:
            person.missed_frames += id(person) not in seen
        kept = [person for person in self._people if abs(time_s - person.seen_s) <= self.settings.remember_s]
        self._people = sorted(kept, key=lambda person: person.missed_frames)[:_MAX_REMEMBERED]
