"""Mix-ups put right: a track that slipped from one person to another is handed to whom it looks like."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from posewire.data import FloatArray
from posewire.tracking import appearance, association
from posewire.tracking.person import Person
from posewire.tracking.settings import TrackSettings
from posewire.tracking.sightings import Sightings

Pairs = list[tuple[Person, int]]
"""People and rows of the detections."""


def handed_over(due: Pairs, missing: Sequence[Person], view: Sightings, settings: TrackSettings) -> Pairs:
    """The rows among the `due` matches that belong to somebody else, with whom that is; `doubts` are counted on the way.

    Two things must hold for several looks, and none may look right in between: the row does not look like its person any
    more, and it looks like somebody missing, or like another of the doubtful, whom it can be by place and size.
    """
    doubtful: Pairs = []
    own: list[float] = []
    for person, row in due:
        value = appearance.dissimilarity(person.appearance, view.histogram(row))
        if value > settings.look_alike:
            doubtful.append((person, row))
            own.append(value)
        else:
            person.be_sure()
    return _decided(doubtful, np.array(own), missing, view, settings) if doubtful else []


def _decided(doubtful: Pairs, own: FloatArray, missing: Sequence[Person], view: Sightings, settings: TrackSettings) -> Pairs:
    """Counts a doubt for everybody who has a better owner; hands over where there are enough of them."""
    rows = [row for _, row in doubtful]
    owners = [*missing, *(person for person, _ in doubtful)]
    better = _better(owners, rows, own, view, settings)
    for _, k in better:
        doubtful[k][0].doubts += 1
    sure = [(i, k) for i, k in better if doubtful[k][0].doubts >= settings.doubt_frames]
    for _, k in sure:
        doubtful[k][0].go_back()
    return [(owners[i], rows[k]) for i, k in sure]


def _better(
    owners: list[Person], rows: list[int], own: FloatArray, view: Sightings, settings: TrackSettings
) -> list[tuple[int, int]]:
    """Pairs (owner, row) that look alike, and by much more so than the rows and their present people (K,)."""
    look = np.array([[appearance.dissimilarity(person.appearance, view.histogram(row)) for row in rows] for person in owners])
    allowed = (look <= settings.look_alike) & (look < own - settings.look_better)
    return association.assign(look, allowed & view.within_reach(owners, rows, settings))
