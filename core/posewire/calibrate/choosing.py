"""Which views of many are used: sharp ones, as different from one another as there are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from posewire.calibrate.view import View, hanging
from posewire.data import FloatArray
from posewire.errors import CalibrationError

FEWEST_VIEWS, MOST_VIEWS = 8, 40
BLURRED_PX = 5.0
"""Width of an edge above which a corner cannot be told well."""
_BLURRED_SHARE = 1.6
"""Views this much softer than the median one were moved."""
_LEAST_DIFFERENCE = 0.03
_GRID = (10, 8)


def choose(views: Sequence[View], width_px: int, height_px: int) -> tuple[View, ...]:
    """At most 40 views, in time order: first the sharpest, then always the one that is least like those chosen.

    Raises:
        CalibrationError: all are blurred, or too few differ.
    """
    edges_px = np.array([view.edge_px for view in views])
    sharp = np.flatnonzero((edges_px <= BLURRED_PX) & (edges_px <= _BLURRED_SHARE * np.median(edges_px)))
    if len(sharp) < min(FEWEST_VIEWS, len(views)):
        raise CalibrationError(
            "The board is blurred in most views.",
            got=f"edges {np.median(edges_px):.1f} pixels wide, {len(sharp)} sharp views of {len(views)}",
            allowed=f"edges up to {BLURRED_PX:g} pixels, at least {FEWEST_VIEWS} views",
            hint="move slower, add light, and let the camera focus",
        )
    chosen = _different(np.array([hanging(views[k], width_px, height_px) for k in sharp.tolist()]), edges_px[sharp])
    if len(chosen) < FEWEST_VIEWS:
        raise CalibrationError(
            "There are too few different views of the board.",
            got=f"{len(chosen)} different ones of {len(views)} in which it was found",
            allowed=f"at least {FEWEST_VIEWS}, better 20",
            hint="hold the board near and far, in every corner of the picture, and tilted to every side",
        )
    indices: list[int] = sharp[sorted(chosen)].tolist()
    return tuple(views[k] for k in indices)


def _different(shapes: FloatArray, edges_px: FloatArray) -> list[int]:
    """Rows of (V, 5) by farthest-point choice; those nearer than the least difference are left away."""
    chosen = [int(np.argmin(edges_px))]
    nearest = np.linalg.norm(shapes - shapes[chosen[0]], axis=1)
    while len(chosen) < MOST_VIEWS and nearest.max() >= _LEAST_DIFFERENCE:
        chosen.append(int(np.argmax(nearest)))
        nearest = np.minimum(nearest, np.linalg.norm(shapes - shapes[chosen[-1]], axis=1))
    return chosen


def covered(views: Sequence[View], width_px: int, height_px: int) -> FloatArray:
    """(8, 10) number of corners in each cell of a grid over the picture."""
    corners = np.concatenate([view.corners_px for view in views])
    columns, rows = _GRID
    spans = ((-0.5, height_px - 0.5), (-0.5, width_px - 0.5))
    return np.histogram2d(corners[:, 1], corners[:, 0], bins=(rows, columns), range=spans)[0]
