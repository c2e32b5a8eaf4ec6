"""A joint that is hidden for a moment is carried on from where it was last seen, and fades.

What a window says of a hidden joint is mostly where it was a moment ago. A network finds that slowly; here it is given. As in
GRU-D (Che et al. 2018, "Recurrent neural networks for multivariate time series with missing values"), the last observation decays
towards the mean, and the decay stands in the place of the mask. Ours: the joint moves along with the rest of the person.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]

FADING = 0.95
"""What a frame leaves of the trust in a joint that was seen before it."""


def carried(rays: Floats, seen: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Every joint at its last known place, and how much that is worth.

    Args:
        rays: (B, T, J, 2), 0 where unseen.
        seen: (B, T, J)

    Returns:
        Rays (B, T, J, 2), 0 where a joint was not seen yet, and trust (B, T, J): 1 where it is seen, FADING to the power of the
        frames since, 0 before it was seen at all. Of a single frame: what came in.
    """
    frames = rays.shape[1]
    if frames == 1:
        return rays, seen.astype(rays.dtype)
    at = np.arange(frames)[:, None]
    last = np.maximum.accumulate(np.where(seen, at, -1), axis=1)  # (B, T, J)
    path = _path(rays, seen)[:, :, None]
    held = np.take_along_axis(rays - path, np.maximum(last, 0)[..., None], axis=1) + path
    known = last >= 0
    trust = np.where(known, FADING ** (at - last), 0.0).astype(rays.dtype)
    return np.where(seen[..., None], rays, np.where(known[..., None], held, 0.0)), trust


def _path(rays: Floats, seen: NDArray[np.bool_]) -> Floats:
    """(B, T, 2) how far the person went since the first frame: the steps of the joints that both of two frames show."""
    both = (seen[:, 1:] & seen[:, :-1])[..., None]
    steps = ((rays[:, 1:] - rays[:, :-1]) * both).sum(axis=2) / np.maximum(both.sum(axis=2), 1).astype(rays.dtype)
    return np.concatenate([np.zeros_like(steps[:, :1]), np.cumsum(steps, axis=1)], axis=1)
