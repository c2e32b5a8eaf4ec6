"""A joint that is hidden for a moment is carried on from where it was last seen, and soon forgotten.

What is known of a joint that was just hidden is mostly where it was. A network of one frame cannot know it, one of many frames
finds it slowly; here it is given, as the last observation carried forward of recurrent networks with missing values (Che et al.
2018, GRU-D, section 2.3). Ours: a joint moves along with its parent in the body, or, where that is not known, with the person.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from posewire_data.joints import PARENTS

Floats = NDArray[np.floating[Any]]
Flags = NDArray[np.bool_]

KEPT_FRAMES = 8
"""For so long a hidden joint counts as seen. Later a network guesses better by what it sees now, and fading trust was no better:
both chosen on CMU subjects 10 and 12 (docs/LIFTERS.md)."""


def carried(rays: Floats, seen: Flags) -> tuple[Floats, Flags]:
    """Every joint at its last known place.

    Args:
        rays: (B, T, J, 2), 0 where unseen.
        seen: (B, T, J)

    Returns:
        Rays (B, T, J, 2), 0 where a joint is not known, and known (B, T, J): it is seen, or was in the KEPT_FRAMES before. A row
        depends on no more than those. Of a single frame: what came in.
    """
    at = np.arange(rays.shape[1])[:, None]
    last = np.maximum.accumulate(np.where(seen, at, -1), axis=1)  # (B, T, J)
    known = (last >= 0) & (at - last <= KEPT_FRAMES)
    hidden = known & ~seen
    if not hidden.any():
        return rays, seen
    last = np.maximum(last, 0)
    path = _path(rays, seen)[:, :, None]
    places = np.where(seen[..., None], rays, np.take_along_axis(rays - path, last[..., None], axis=1) + path)
    for joint in np.flatnonzero(hidden.any(axis=(0, 1))):  # a parent comes before its children
        parent = PARENTS[joint]
        if parent >= 0:
            both_then = np.take_along_axis(seen[..., joint] & seen[..., parent], last[..., joint], axis=1)
            bone = np.take_along_axis(rays[..., joint, :] - rays[..., parent, :], last[..., joint, None], axis=1)
            along = hidden[..., joint] & known[..., parent] & both_then
            places[..., joint, :] = np.where(along[..., None], places[..., parent, :] + bone, places[..., joint, :])
    return np.where(known[..., None], places, 0.0).astype(rays.dtype), known


def _path(rays: Floats, seen: Flags) -> Floats:
    """(B, T, 2) how far the person went since the first frame: the steps of the joints that both of two frames show."""
    both = (seen[:, 1:] & seen[:, :-1])[..., None]
    steps = ((rays[:, 1:] - rays[:, :-1]) * both).sum(axis=2) / np.maximum(both.sum(axis=2), 1).astype(rays.dtype)
    return np.concatenate([np.zeros_like(steps[:, :1]), np.cumsum(steps, axis=1)], axis=1)
