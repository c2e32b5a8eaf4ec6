"""Mix-ups put right: a track that slipped from one person to another, or to a thing, is noticed by its look.

One look says little of two men in dark jackets; many do. For everybody whom a track could have slipped to, the evidence is
summed up, frame by frame, as long as it speaks for the other (the cumulative sum test, Page 1954):

    S <- max(0, S + d(own, row) - d(other, row) - drift)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from posewire.tracking.person import NOBODY, Pairs, Person
from posewire.tracking.settings import TrackSettings
from posewire.tracking.sightings import Sightings

_SWAP = 0.1
"""Two who are both in view have rarely changed places: it takes more than to have slipped to somebody who is missing."""


@dataclass(slots=True)
class Corrections:
    """What is to be done in a frame."""

    handed_over: Pairs = field(default_factory=list)
    """Rows with whom they really show."""
    released: list[int] = field(default_factory=list)
    """Rows that show nobody known."""
    wrong: set[int] = field(default_factory=set)
    """Ids whose row was taken away."""


class Suspicions:
    """One frame's look at the tracks in `due` among the `followed`: they may have slipped to the `lost` or to one another."""

    def __init__(self, followed: Pairs, due: Pairs, lost: list[Person], view: Sightings, settings: TrackSettings) -> None:
        self._followed, self._due, self._lost, self._view, self._settings = followed, due, lost, view, settings
        self._rows = {person.person_id: row for person, row in due}
        self._looks: dict[tuple[int, int], float] = {}
        self._reach = view.within_reach(lost, [row for _, row in due], settings) if lost and due else None

    def corrections(self) -> Corrections:
        """Adds this frame's evidence and says where it is enough, the strongest first."""
        readable = {person.person_id for person, row in self._due if np.isfinite(self._look(person, row))}
        for person, _ in self._followed:
            if person.person_id not in readable:
                person.fade(self._settings.suspicion_drift)
        for k, (person, _) in enumerate(self._due):
            if person.person_id in readable:
                person.suspect(dict(self._gains(k)), self._settings.suspicion_drift)
        result = Corrections()
        sure = [
            (total, k, other)
            for k, (person, _) in enumerate(self._due)
            for other, total in person.suspicions.items()
            if total >= self._settings.suspicion
        ]
        for _, k, other in sorted(sure, reverse=True):
            self._carry_out(k, other, result)
        return result

    def _carry_out(self, k: int, other: int, result: Corrections) -> None:
        person, row = self._due[k]
        if {person.person_id, other} & result.wrong or other in {owner.person_id for owner, _ in result.handed_over}:
            return
        result.wrong.add(person.person_id)
        if other == NOBODY:
            result.released.append(row)
        elif other in self._rows:
            rival = next(one for one, _ in self._due if one.person_id == other)
            result.wrong.add(other)
            result.handed_over += [(rival, row), (person, self._rows[other])]
            rival.go_back()
        else:
            result.handed_over.append((next(one for one in self._lost if one.person_id == other), row))
        person.go_back()

    def _gains(self, k: int) -> Iterator[tuple[int, float]]:
        """(id, by how much more the row looks like that one) for everybody whom the k-th track can have slipped to."""
        person, row = self._due[k]
        own = self._look(person, row)
        for i, other in enumerate(self._lost):
            if self._reach is not None and self._reach[i, k]:
                theirs = self._look(other, row)
                if theirs <= self._settings.look_alike_near:
                    yield other.person_id, own - theirs
        for other, other_row in self._due:
            if other is not person and other.appearance is not None:
                swapped = self._look(person, other_row) + self._look(other, row)
                if np.isfinite(swapped):
                    yield other.person_id, 0.5 * (own + self._look(other, other_row) - swapped) - _SWAP
        strange = own - self._settings.look_stranger
        if strange > 0.0 and self._light_is_the_same(person):
            yield NOBODY, strange

    def _light_is_the_same(self, person: Person) -> bool:
        """Whether somebody else in view still looks as before; else it may be the lamps that changed."""
        looks = (self._look(other, row) for other, row in self._followed if other is not person and not self._view.is_mixed(row))
        return any(look <= self._settings.look_alike for look in looks)

    def _look(self, person: Person, row: int) -> float:
        key = person.person_id, row
        if key not in self._looks:
            self._looks[key] = self._view.unlikeness(person.appearance, row)
        return self._looks[key]
