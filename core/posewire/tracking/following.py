"""From one frame to the next: who was there and is there now, by motion; looks decide between those about as near."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from posewire.data import FloatArray
from posewire.tracking import association
from posewire.tracking.person import Pairs, Person
from posewire.tracking.settings import TrackSettings
from posewire.tracking.sightings import Sightings

_RIVAL, _RIVAL_PER_S = 0.2, 4.0
"""Of the gate, and for each second between two frames: who is farther than the nearest by more is not mixed up with them."""
_STEP = 0.15
"""Of a box diagonal: what a method's keypoints jump without any time."""


def continued(before: Sequence[Person], view: Sightings, settings: TrackSettings) -> Pairs:
    """The people and the rows where they go on, by all three terms; only pairs inside the 2D gate."""
    if not before or not view.rows:
        return []
    step_s = min(view.time_s - person.seen_s for person in before)
    gate = min(settings.gate_2d, _STEP + settings.reach_per_s * step_s)
    distance = view.distances_2d(before, view.rows)
    near = distance <= gate
    near &= ~view.other_sizes(before, view.rows, settings.size_jump, near)
    if _is_clear(near):
        pairs = [(int(i), int(k)) for i, k in np.argwhere(near)]
    else:
        in_gates = np.where(near, distance / settings.gate_2d, np.inf)
        pairs = association.assign(_cost(before, in_gates, view, step_s, settings), near, unmatched=1.0)
    return [(before[i], view.rows[k]) for i, k in pairs]


def _is_clear(near: NDArray[np.bool_]) -> bool:
    """Whether nobody has two rows to go on in, and no row two people: then there is nothing to weigh."""
    return bool((near.sum(axis=0) <= 1).all() and (near.sum(axis=1) <= 1).all())


def _cost(before: Sequence[Person], distance: FloatArray, view: Sightings, step_s: float, settings: TrackSettings) -> FloatArray:
    """All three terms (I, K) where a `distance` (I, K) in gates is finite; it is infinite outside the gate."""
    return association.weighted_mean(
        (settings.weight_2d, distance),
        (settings.weight_3d, view.distances_3d(before, view.rows, np.isfinite(distance)) / settings.scale_3d_m),
        (settings.weight_appearance, _looks(before, distance, view, step_s, settings)),
        shape=distance.shape,
    )


def _looks(before: Sequence[Person], distance: FloatArray, view: Sightings, step_s: float, settings: TrackSettings) -> FloatArray:
    """Dissimilarity (I, K) where a mix-up is possible, several being about as near; an unknown one counts as usual.

    `distance` (I, K) is infinite outside the gate.
    """
    margin = _RIVAL + _RIVAL_PER_S * max(0.0, step_s)
    needed = np.isfinite(distance) & (_rivals(distance, margin, axis=1) | _rivals(distance, margin, axis=0))
    look = np.full(distance.shape, np.nan)
    for i, k in zip(*np.nonzero(needed), strict=True):
        value = view.unlikeness(before[i].appearance, view.rows[k])
        look[i, k] = settings.look_usual if np.isnan(value) else value
    return look


def _rivals(distance: FloatArray, margin: float, axis: int) -> NDArray[np.bool_]:
    """Lines of a (I, K) distance in which another entry is about as near as the nearest; infinite = outside the gate."""
    near = np.isfinite(distance) & (distance <= distance.min(axis=axis, keepdims=True) + margin)
    return near.sum(axis=axis, keepdims=True) > 1
