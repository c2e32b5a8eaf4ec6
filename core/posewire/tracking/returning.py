"""Who is back: the lost are recognised among the candidates, by their looks and by where they can be."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from posewire.data import FloatArray
from posewire.tracking import appearance, association
from posewire.tracking.person import Pairs, Person
from posewire.tracking.settings import TrackSettings
from posewire.tracking.sightings import Sightings

_NEARNESS = 0.5
"""Weight of the distance (up to one box diagonal) beside the look."""
_CLEARLY = 0.1
"""By so much somebody is likelier than the next at a single look."""


class Returns:
    """One frame's lost people I and candidates K."""

    def __init__(self, lost: list[Person], candidates: Pairs, seen: Pairs, view: Sightings, settings: TrackSettings) -> None:
        self._lost, self._candidates, self._seen = lost, candidates, seen
        self._view, self._settings = view, settings
        self._rows = [row for _, row in candidates]

    def found(self) -> Pairs:
        """The lost who are back, with their rows; they have taken their sightings."""
        room = self._settings.max_people - len(self._seen)
        if room < 1 or not self._lost or not self._candidates:
            return []
        look = self._looks()
        away = self._view.distances_2d(self._lost, self._rows)
        near, excluded = self._near(look, away), self._excluded()
        allowed = (near | self._elsewhere(look)) & ~excluded
        possible = allowed | (self._possible(look) & ~excluded)
        known_away = np.where(np.isfinite(away), away, 1.0)
        cost = np.where(np.isnan(look), self._settings.look_usual, look) + _NEARNESS * np.minimum(known_away, 1.0)
        pairs = association.assign(cost, allowed)
        elsewhere = {i for i, _ in pairs}
        sure = [(i, k) for i, k in pairs if self._is_sure(i, k, near, np.where(possible, cost, np.inf), elsewhere)]
        sure.sort(key=lambda pair: float(cost[pair]))
        return [self._welcome(i, k, continuous=bool(near[i, k])) for i, k in sure[:room]]

    def _is_sure(self, i: int, k: int, near: NDArray[np.bool_], cost: FloatArray, placed: set[int]) -> bool:
        """One look is enough where nobody else is there, or for somebody lost a moment ago, seen clearly where expected.

        Else several are needed; and in any case nobody else who is lost, or may have been left by the track, may be as likely.
        """
        if not self._seen:
            return True
        sightings = self._candidates[k][0].sightings
        proven = sightings >= self._settings.return_frames
        others = [float(cost[j, k]) for j in range(len(self._lost)) if j not in placed]
        others += [value for value in self._doubtful_looks(k) if np.isfinite(value)]
        margin = 0.0 if sightings >= self._settings.birth_frames_missing else _CLEARLY / 2 if proven else _CLEARLY
        clear = bool(near[i, k]) and not self._view.is_mixed(self._rows[k])
        return (proven or clear) and float(cost[i, k]) + margin <= min(others, default=np.inf)

    def _doubtful_looks(self, k: int) -> list[float]:
        """How the candidate differs from those followed of whom it is in doubt whether they are themselves."""
        hides = self._settings.suspicion_hides
        doubtful = [person for person, _ in self._seen if person.is_doubtful(hides)]
        return [appearance.dissimilarity(person.appearance, self._candidates[k][0].appearance) for person in doubtful]

    def _looks(self) -> FloatArray:
        """Dissimilarity (I, K) of the lost and all that was seen of the candidates."""
        for candidate, row in self._candidates:
            fresh = candidate.sightings <= self._settings.birth_frames_covered
            due = fresh or self._view.time_s - candidate.appearance_s >= self._settings.look_every_s
            if due and (candidate.appearance is None or not self._view.is_occluded(row)):
                candidate.look(self._view.look(row), self._view.time_s, self._settings.look_memory_s)
        looks = [candidate.appearance for candidate, _ in self._candidates]
        return np.array([[appearance.dissimilarity(person.appearance, look) for look in looks] for person in self._lost])

    def _near(self, look: FloatArray, away: FloatArray) -> NDArray[np.bool_]:
        """(I, K) where somebody lost a moment ago is about where expected: colours may lie, half hidden, or be unknown."""
        missing_s = np.array([self._view.time_s - person.seen_s for person in self._lost])
        recent = (missing_s >= 0.0) & (missing_s <= self._settings.gap_s)
        near = (away <= self._settings.gate_2d) & recent[:, None] & ~(look > self._settings.look_alike_near)
        return near & ~self._view.other_sizes(self._lost, self._rows, self._settings.size_jump, near)

    def _elsewhere(self, look: FloatArray) -> NDArray[np.bool_]:
        """(I, K) where the look says so, and nobody jumps across a picture that was not cut.

        Where nothing can be compared, the only person there is room for is taken to be the known one.
        """
        alike = look <= self._settings.look_alike
        if self._settings.max_people == 1:
            alike |= np.isnan(look)
        if self._seen:  # somebody is where expected, so the picture was not cut
            alike &= self._view.within_reach(self._lost, self._rows, self._settings)
        return alike

    def _possible(self, look: FloatArray) -> NDArray[np.bool_]:
        """(I, K) where a candidate may be one of the lost, though not surely enough to be called so."""
        return (look <= self._settings.look_alike_near) & self._view.within_reach(self._lost, self._rows, self._settings)

    def _excluded(self) -> NDArray[np.bool_]:
        """(I, K) who was seen beside the candidate is somebody else."""
        return np.array([[person.person_id in candidate.beside for candidate, _ in self._candidates] for person in self._lost])

    def _welcome(self, i: int, k: int, *, continuous: bool) -> tuple[Person, int]:
        person, (candidate, row) = self._lost[i], self._candidates[k]
        person.see(self._view.detections, row, self._view.time_s, continuous=continuous)
        if candidate.sightings > 1:
            person.become(candidate)
        return person, row
