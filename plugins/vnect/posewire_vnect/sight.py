"""What came off the device for one window, and the 3D read from it: not only at the maxima, because patches of the maps came too.

    P_j = (X_j, Y_j, Z_j)(u_j)

at the maximum u_j of the heatmap H_j (Mehta 2020, section 5.3), or at the 2D after a temporal filter (section 8.2.1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from posewire.data import Camera, FloatArray
from posewire.metrics import seen_points
from posewire_vnect.names import PATCH, STRIDE_PX
from posewire_vnect.perspective import to_camera
from posewire_vnect.window import Window


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """What the network said of one window."""

    window: Window
    crop_size: int
    peaks_cells: FloatArray
    """(J, 2) x, y."""
    confidence: FloatArray
    """(J,) 0..1."""
    corner_cells: FloatArray
    """(J, 2) of the patches."""
    patches_m: FloatArray
    """(J, 3, 5, 5) X, Y, Z by row and column."""

    @property
    def peaks_px(self) -> FloatArray:
        """(J, 2) the maxima in the picture."""
        return self.window.to_picture((self.peaks_cells + 0.5) * STRIDE_PX - 0.5, self.crop_size)

    def cells_of(self, points_px: FloatArray) -> FloatArray:
        """(J, 2) points of the picture in cells of this window."""
        return (self.window.to_crop(points_px, self.crop_size) + 0.5) / STRIDE_PX - 0.5

    def points_m(self, at_px: FloatArray, camera: Camera) -> FloatArray:
        """(J, 3) camera axes, read at points (J, 2) of the picture; NaN there is NaN here."""
        return to_camera(read(self.patches_m, self.corner_cells, self.cells_of(at_px)), self.window, camera)


def read(patches: FloatArray, corner_cells: FloatArray, at_cells: FloatArray) -> FloatArray:
    """Patches (J, C, 5, 5) with their top left cells (J, 2) to the values (J, C) at `at_cells` (J, 2), bilinear.

    A point outside its patch has the value of the patch's edge; NaN gives NaN.
    """
    place = np.clip(at_cells - corner_cells, 0, PATCH - 1)  # (J, 2)
    known = seen_points(place)
    place = np.where(known[:, None], place, 0.0)
    first = np.minimum(place.astype(np.int64), PATCH - 2)
    x, y = (place - first).T[:, :, None]  # (J, 1) each, 0..1
    j, (column, row) = np.arange(len(patches)), first.T
    top = (1 - x) * patches[j, :, row, column] + x * patches[j, :, row, column + 1]
    bottom = (1 - x) * patches[j, :, row + 1, column] + x * patches[j, :, row + 1, column + 1]
    return np.where(known[:, None], (1 - y) * top + y * bottom, np.nan)


def in_patch(sight: Sight, points_px: FloatArray) -> NDArray[np.bool_]:
    """(J,) whether points (J, 2) of the picture lie in their patches."""
    place = sight.cells_of(points_px) - sight.corner_cells
    return np.logical_and.reduce((place >= 0) & (place <= PATCH - 1), axis=1)
