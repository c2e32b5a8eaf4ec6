"""Reads 2D landmarks a second time, from the heatmap, where it is sure of them: the original's refinement.

Without it the 2D differs from MediaPipe's by up to 28 px on the bundled clip and jitters by 40 % more (models/convert/README.md).
"""

from __future__ import annotations

import numpy as np

from posewire.data import FloatArray

_REACH = 4
"""Cells to each side: a window of 9x9. MediaPipe's public graph says 7x7; the shipped one computes 9x9."""
_SURE = 0.5
"""A window with no probability of at least this keeps its first reading."""
_STEP = np.arange(-_REACH, _REACH + 1)


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
    inside = ((y >= 0) & (y < cells))[:, :, None] & ((x >= 0) & (x < cells))[:, None, :]
    p = np.where(inside, 1 / (1 + np.exp(-np.clip(window.astype(np.float64), -60, 60))), 0.0)
    total = np.maximum(p.sum(axis=(1, 2)), 1e-9)
    mean = np.stack([(p.sum(axis=1) * x).sum(axis=1), (p.sum(axis=2) * y).sum(axis=1)], axis=-1) / total[:, None]
    started_inside = ((centre >= 0) & (centre < cells)).all(axis=1)
    sure = started_inside & (p.max(axis=(1, 2)) >= _SURE)
    return np.where(sure[:, None], mean * cell_px, points_px)
