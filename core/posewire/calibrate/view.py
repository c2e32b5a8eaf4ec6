"""One sighting of the board in one picture, how sharp it is, and how it hangs there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from posewire.data import FloatArray, ImageArray, read_only

_PATCH = 0.35
"""Half side of the patch around a corner, over the distance of two corners: one edge crosses each way, no other square."""
_LARGEST_PATCH_PX = 20


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """Corners of the board in one picture."""

    index: int
    """Number of the frame in its source."""
    time_s: float
    corners_px: FloatArray
    """(N, 2) pixels."""
    corners_m: FloatArray
    """(N, 3) the same corners on the board."""
    edge_px: float
    """Width of a black-white edge: 1-2 is sharp."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "corners_px", read_only(self.corners_px, -1, 2))
        object.__setattr__(self, "corners_m", read_only(self.corners_m, len(self.corners_px), 3))


def edge_width_px(grey: ImageArray, corners_px: FloatArray, spacing_px: float) -> float:
    """Median over the corners (N, 2) of contrast over steepest slope in `grey` (H, W): the width of an edge in pixels."""
    radius = int(np.clip(_PATCH * spacing_px, 2, _LARGEST_PATCH_PX))
    widths: list[float] = []
    for x, y in np.round(corners_px).astype(int):
        patch = grey[max(y - radius, 0) : y + radius + 1, max(x - radius, 0) : x + radius + 1].astype(np.float64)
        if min(patch.shape) > radius:
            low, high = np.percentile(patch, (5, 95))
            gy, gx = np.gradient(patch)
            widths.append(float((high - low) / max(float(np.percentile(np.hypot(gx, gy), 98)), 1e-6)))
    return float(np.median(widths)) if widths else float("inf")


def spacing_px(corners_px: FloatArray) -> float:
    """Median distance from a corner (N, 2) to its nearest neighbour."""
    distances = np.linalg.norm(corners_px[:, None] - corners_px[None], axis=-1)
    np.fill_diagonal(distances, np.inf)
    return float(np.median(distances.min(axis=1)))


def hanging(view: View, width_px: int, height_px: int) -> FloatArray:
    """(5,) where, how large and how tilted the board is in the picture; views with a small difference say the same.

    Middle x, y over width and height; size over the width; half of the affine map's stretch and shear, which tilting changes
    and rolling does not.
    """
    flat = np.column_stack([view.corners_m[:, :2], np.ones(len(view.corners_m))])
    solved = np.asarray(np.linalg.lstsq(flat, view.corners_px, rcond=None)[0], dtype=np.float64)  # (3, 2)
    affine = solved[:2]
    size = float(np.sqrt(abs(np.linalg.det(affine))))
    stretch, shear = _shape(affine / max(size, 1e-9))
    extent = size * float(np.ptp(view.corners_m[:, 0])) / width_px
    x, y = view.corners_px.mean(axis=0) / (width_px, height_px)
    return np.array([x, y, extent, 0.5 * stretch, 0.5 * shear])


def _shape(affine: FloatArray) -> tuple[float, float]:
    """Logarithmic stretch and shear of a unit-area affine map (2, 2): both 0 where the board is seen face on."""
    metric = affine @ affine.T
    return float(0.5 * np.log(metric[0, 0] / metric[1, 1])), float(metric[0, 1] / np.sqrt(metric[0, 0] * metric[1, 1]))
