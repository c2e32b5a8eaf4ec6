"""Reads 2D landmarks a second time, from the heatmap, where it is sure of them: the original's refinement.

Without it the 2D differs from MediaPipe's by up to 28 px on the bundled clip and jitters by 40 % more (models/convert/README.md).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from posewire.data import FloatArray

_REACH = 4
"""Cells to each side: a window of 9x9. MediaPipe's public graph says 7x7; the shipped one computes 9x9."""
_SURE = 0.5
"""A window with no probability of at least this keeps its first reading."""
_STEP = np.arange(-_REACH, _REACH + 1)
_MOMENTS = np.stack([np.ones((9, 9)), *np.meshgrid(_STEP, _STEP)], axis=-1).reshape(-1, 3)
"""(81, 3) 1, x, y of each cell of the window, from its middle."""


def refined(points_px: FloatArray, logits: FloatArray, crop_size: int) -> FloatArray:
    """Points (L, 2) in crop pixels, refined by heatmap logits (L, H, H).

    xy = cell size * sum p (x, y) / sum p over the window around the first reading, p = sigmoid(logit).
    """
    cells = logits.shape[1]
    cell_px = crop_size / cells
    centre = np.trunc(points_px / cell_px).astype(np.int64)  # (L, 2)
    x = centre[:, 0, None] + _STEP  # (L, 9)
    y = centre[:, 1, None] + _STEP
    rows = np.arange(len(points_px))[:, None, None]
    window = logits[rows, np.clip(y, 0, cells - 1)[:, :, None], np.clip(x, 0, cells - 1)[:, None, :]]  # (L, 9, 9)
    inside = _within(y, cells)[:, :, None] & _within(x, cells)[:, None, :]
    p = (expit(window.astype(np.float64)) * inside).reshape(len(points_px), -1)  # (L, 81)
    total, x_sum, y_sum = (p @ _MOMENTS).T
    mean = centre + np.stack([x_sum, y_sum], axis=-1) / np.maximum(total, 1e-9)[:, None]
    started_inside = _within(centre, cells).all(axis=1)
    sure = started_inside & (p.max(axis=1) >= _SURE)
    return np.where(sure[:, None], mean * cell_px, points_px)


def _within(index: NDArray[np.int64], cells: int) -> NDArray[np.bool_]:
    return (index >= 0) & (index < cells)
