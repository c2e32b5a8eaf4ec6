"""Who is sent, and on which place: a person keeps a place for as long as he or she is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from posewire.errors import SettingsError
from posewire_gateway.moment import PersonNow

MOST_PLACES = 32
"""People beyond are left out: a VMC receiver needs a port each."""
_KEPT_S = 2.0
"""A place stays with somebody who is unseen for so long; then somebody else may have it."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which people are sent."""

    places: int = MOST_PLACES
    """At most so many at a time."""
    wanted: tuple[str, ...] = ()
    """Ids or names, one for each place; empty = everybody, as they come."""


def parse_choice(text: str) -> Choice:
    """`first`, `all`, or ids and names with commas between: 0,2 or Anna,Ben.

    Raises:
        SettingsError: nothing is named, or the same twice.
    """
    if text in ("first", "all"):
        return Choice(places=1 if text == "first" else MOST_PLACES)
    wanted = tuple(part.strip() for part in text.split(","))
    if not all(wanted) or len(set(wanted)) != len(wanted) or len(wanted) > MOST_PLACES:
        raise SettingsError("--people names nobody.", got=text, allowed="first, all, or ids or names: 0,2", hint="--people first")
    return Choice(len(wanted), wanted)


class Places:
    """Gives people places 0, 1, ... Belongs to one thread."""

    def __init__(self, choice: Choice) -> None:
        self._choice = choice
        self._holders: dict[int, tuple[int, float]] = {}  # place: person id, when last seen

    def assign(self, people: Sequence[PersonNow], now_s: float) -> dict[int, PersonNow]:
        """Place to person, for those seen and chosen now; `now_s` is a clock that never goes back."""
        if self._choice.wanted:
            return self._assign_wanted(people)
        self._holders = {place: holder for place, holder in self._holders.items() if now_s - holder[1] <= _KEPT_S}
        place_of = {person_id: place for place, (person_id, _) in self._holders.items()}
        assigned: dict[int, PersonNow] = {}
        for person in sorted(people, key=lambda person: person.pose.person_id not in place_of):  # holders first
            place = place_of.get(person.pose.person_id, self._free_place())
            if place is not None:
                self._holders[place] = (person.pose.person_id, now_s)
                assigned[place] = person
        return dict(sorted(assigned.items()))

    def _assign_wanted(self, people: Sequence[PersonNow]) -> dict[int, PersonNow]:
        by_key = {person.name: person for person in people} | {str(person.pose.person_id): person for person in people}
        return {place: by_key[key] for place, key in enumerate(self._choice.wanted) if key in by_key}

    def _free_place(self) -> int | None:
        return next((place for place in range(self._choice.places) if place not in self._holders), None)
