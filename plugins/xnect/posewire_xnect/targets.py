"""What Stage I's 2D branch should say of a picture: heatmaps and part affinity fields. Numpy only.

Thesis 002, section 6.2.3 ("Training Loss"); Cao et al. 2017, sections 2.2 and 2.3. Shapes: P people, J joints, A links, H x W
cells of the maps, STRIDE pixels a cell. Points are given in cells.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from posewire_xnect.skeleton import LINKS

FloatArray: TypeAlias = NDArray[np.floating[Any]]
BoolArray: TypeAlias = NDArray[np.bool_]

STRIDE = 8
"""Pixels a cell: both branches speak at w/8 x h/8 (section 6.3.1)."""
SIGMA = 1.2
"""Spread of a heatmap's peak, cells (9.6 px: close to OpenPose's 7 px at 368)."""
SUPPORT = 3.0
"""Where a Gaussian ends, in sigmas: "limited support"."""
FIELD_WIDTH = 1.0
"""Half width of an affinity field, cells."""


def to_cells(points_px: FloatArray) -> FloatArray:
    """Pixels (..., 2) to cells; the middle of the first cell is 0, as the middle of the first pixel is."""
    return (points_px + 0.5) / STRIDE - 0.5


def to_pixels(cells: FloatArray) -> FloatArray:
    """Undoes to_cells."""
    return (cells + 0.5) * STRIDE - 0.5


def gaussian(centre: FloatArray, shape: tuple[int, int], sigma: float = SIGMA) -> FloatArray:
    """(H, W) with a unit peak at the centre (2,) x, y; zero beyond SUPPORT sigmas."""
    x, y = np.arange(shape[1]) - centre[0], np.arange(shape[0]) - centre[1]
    squared = (y**2)[:, None] + (x**2)[None]
    return np.where(squared <= (SUPPORT * sigma) ** 2, np.exp(-squared / (2 * sigma**2)), 0.0)


def heatmaps(points: FloatArray, visible: BoolArray, shape: tuple[int, int]) -> FloatArray:
    """(J, H, W): the larger of two people's peaks where they meet, so that both stay peaks (Cao et al. 2017, eq. 7).

    Args:
        points: (P, J, 2) cells.
        visible: (P, J); what is hidden is not drawn.
        shape: H, W.
    """
    maps = np.zeros((points.shape[1], *shape))
    for person, joint in np.argwhere(visible):
        np.maximum(maps[joint], gaussian(points[person, joint], shape), out=maps[joint])
    return maps.astype(np.float32)


def affinity_fields(points: FloatArray, visible: BoolArray, shape: tuple[int, int]) -> FloatArray:
    """(A, 2, H, W): on each link the unit vector from its first joint to its second, averaged where people cross.

    Args as of heatmaps. Cao et al. 2017, eqs. 8 and 9.
    """
    fields, count = np.zeros((len(LINKS), 2, *shape)), np.zeros((len(LINKS), 1, *shape))
    for person in range(len(points)):
        for number, (joint, parent) in enumerate(LINKS):
            if visible[person, joint] and visible[person, parent]:
                direction, inside = _strip(points[person, joint], points[person, parent], shape)
                fields[number] += direction[:, None, None] * inside
                count[number] += inside
    return (fields / np.maximum(count, 1)).astype(np.float32)


def _strip(start: FloatArray, end: FloatArray, shape: tuple[int, int]) -> tuple[FloatArray, BoolArray]:
    """The unit vector from start to end, and (H, W) which cells lie on the way, FIELD_WIDTH to either side."""
    length = max(float(np.hypot(*(end - start))), 1e-6)
    direction = (end - start) / length
    x, y = (np.arange(shape[1]) - start[0])[None], (np.arange(shape[0]) - start[1])[:, None]
    along = x * direction[0] + y * direction[1]
    across = np.abs(x * direction[1] - y * direction[0])
    return direction, (along >= -FIELD_WIDTH) & (along <= length + FIELD_WIDTH) & (across <= FIELD_WIDTH)
