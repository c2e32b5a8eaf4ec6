"""The tracker: who goes on is followed, slips are noticed, the lost are recognised, newcomers earn an identity."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from posewire.data import Detections, Frame, Track
from posewire.tracking.appearance import Clothes
from posewire.tracking.following import continued
from posewire.tracking.mistakes import Suspicions
from posewire.tracking.person import Pairs, Person
from posewire.tracking.returning import Returns
from posewire.tracking.settings import TrackSettings
from posewire.tracking.sightings import Sightings

_MAX_REMEMBERED = 64
"""A street scene seen all day must not grow; the longest unseen go first."""
_THREAT_S = 3.0
"""Somebody lost for less than this may be whom a track has slipped to."""


class Tracker:
    """Gives detections identities that last. Ids start at 1 and are never reused. Not thread-safe: one thread owns it."""

    def __init__(self, keypoint_names: Sequence[str], settings: TrackSettings | None = None) -> None:
        self.settings = settings or TrackSettings()
        self._clothes = Clothes.of(keypoint_names)
        self._people: list[Person] = []
        self._candidates: list[Person] = []
        self._next_id = itertools.count(1)
        self._time_s: float | None = None

    def update(self, detections: Detections, frame: Frame) -> list[Track]:
        """The people seen in this frame, by ascending id, at most `max_people`.

        Those who are missing are not returned, nor those of whom it is in doubt whether they are themselves.
        """
        view = Sightings(detections, frame, self._clothes)
        self._notice_cut(frame.time_s)
        followed, going_on = self._follow(view)
        followed, slipped = self._correct(followed, view)
        candidates = self._start_candidates(going_on, followed, slipped, view)
        returned, candidates = self._recognise(followed, candidates, view)
        born = self._births(candidates, followed + returned, view)
        seen = followed + returned + born
        self._learn_looks(seen, view)
        self._age({id(person) for person, _ in seen}, frame.time_s)
        shown = [person for person, _ in seen if not person.is_doubtful(self.settings.suspicion_hides)]
        return [person.track() for person in sorted(shown, key=lambda person: person.person_id)]

    @property
    def known(self) -> frozenset[int]:
        """Ids of those who are seen or may come back; any other id that was given is never used again."""
        return frozenset(person.person_id for person in self._people)

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

    def _follow(self, view: Sightings) -> tuple[Pairs, Pairs]:
        """People and candidates who were there in the last frame and go on in this one; a candidate that does not is dropped."""
        there = [person for person in self._people if person.missed_frames == 0]
        pairs = continued([*there, *self._candidates], view, self.settings)
        people = [pair for pair in pairs if pair[0].person_id][: self.settings.max_people]
        return people, [pair for pair in pairs if not pair[0].person_id]

    def _correct(self, followed: Pairs, view: Sightings) -> tuple[Pairs, list[int]]:
        """Who is followed after mix-ups were put right, and rows that turned out to be nobody known."""
        taken = {id(person) for person, _ in followed}
        lost = [person for person in self._people if id(person) not in taken]
        due = self._due(followed, lost, view)
        right = Suspicions(followed, due, lost, view, self.settings).corrections()
        stand = [(person, row) for person, row in followed if person.person_id not in right.wrong]
        for person, row in stand:
            person.see(view.detections, row, view.time_s, continuous=True)
        for person, row in right.handed_over:
            person.see(view.detections, row, view.time_s, continuous=False)
        return stand + right.handed_over, right.released

    def _due(self, followed: Pairs, lost: list[Person], view: Sightings) -> Pairs:
        """Whose look is to be read now: at intervals, and always where a track may slip to somebody just lost."""
        threats = [person for person in lost if 0.0 <= view.time_s - person.seen_s <= _THREAT_S]
        threatened: NDArray[np.bool_] = np.zeros(len(followed), dtype=np.bool_)
        if threats and followed:
            threatened |= view.within_reach(threats, [row for _, row in followed], self.settings).any(axis=0)
        pairs = zip(followed, threatened, strict=True)
        return [pair for pair, near in pairs if (near or self._look_is_due(pair[0], view)) and not view.is_mixed(pair[1])]

    def _look_is_due(self, person: Person, view: Sightings) -> bool:
        elapsed_s = view.time_s - person.appearance_s
        return bool(person.suspicions) or elapsed_s < 0 or elapsed_s >= self.settings.look_every_s

    def _start_candidates(self, going_on: Pairs, seen: Pairs, slipped: list[int], view: Sightings) -> Pairs:
        """Candidates who go on, and one for every row that nobody has."""
        used = {row for _, row in seen}
        pairs = [pair for pair in going_on if pair[1] not in used]
        for person, row in pairs:
            person.see(view.detections, row, view.time_s, continuous=True)
        rows = view.without_duplicates(view.left_over(seen + pairs), of=[row for _, row in seen + pairs])
        for row in rows:
            candidate = Person(view.detections, row, view.time_s)
            candidate.slipped = row in slipped
            pairs.append((candidate, row))
        for candidate, row in pairs:
            candidate.beside |= {other.person_id for other in view.clear_of(row, seen) if not other.suspicions}
        return pairs

    def _recognise(self, seen: Pairs, candidates: Pairs, view: Sightings) -> tuple[Pairs, Pairs]:
        """People who are back, as one of the candidates; and the candidates who remain."""
        taken = {id(person) for person, _ in seen}
        lost = [person for person in self._people if id(person) not in taken]
        returned = Returns(lost, candidates, seen, view, self.settings).found()
        used = {row for _, row in returned}
        rest = [pair for pair in candidates if pair[1] not in used]
        self._candidates = [person for person, _ in rest]
        return returned, rest

    def _births(self, candidates: Pairs, seen: Pairs, view: Sightings) -> Pairs:
        """Candidates that become people: the sure ones into free seats, those seen long enough also into seats of the missing."""
        settings = self.settings
        present = [person for person in self._people if self._is_present(person, view.time_s)]
        returning = bool(seen) and len(self._people) > len(seen)
        usual = settings.birth_frames_missing if returning else settings.birth_frames
        born: Pairs = []
        credible = [pair for pair in candidates if not pair[0].slipped or pair[0].has_moved()]  # a thing stays where it is
        for person, row in sorted(credible, key=lambda pair: -float(pair[0].confidence.mean())):
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

    def _is_present(self, person: Person, time_s: float) -> bool:
        return person.missed_frames == 0 or 0.0 <= time_s - person.seen_s <= self.settings.gap_s

    def _learn_looks(self, seen: Pairs, view: Sightings) -> None:
        for person, row in seen:
            if self._look_is_due(person, view) and not person.suspicions and not view.is_occluded(row):
                person.look(view.look(row), view.time_s, self.settings.look_memory_s)

    def _age(self, seen: set[int], time_s: float) -> None:
        for person in self._people:
            person.missed_frames += id(person) not in seen
        kept = [person for person in self._people if abs(time_s - person.seen_s) <= self.settings.remember_s]
        most = max(_MAX_REMEMBERED, self.settings.max_people)
        self._people = sorted(kept, key=lambda person: person.missed_frames)[:most]
