"""From a Reading to the people whom Stage II is asked about; and, in training, to whom they belong. Numpy only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posewire_xnect.association import Peaks, assemble
from posewire_xnect.centres import Centres
from posewire_xnect.skeleton import J
from posewire_xnect.targets import STRIDE, BoolArray, FloatArray, to_pixels

SAME = 0.5
"""Two people are the same if their common joints are nearer on average than this share of the true one's size,"""
SAME_JOINTS = 3
"""and have at least so many in common."""


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """P people of one picture."""

    points_px: FloatArray
    """(P, J, 2) NaN = unseen."""
    confidence: FloatArray
    """(P, J) 0 = unseen."""
    encodings: FloatArray
    """(P, J, 3 J) zero where unseen."""


def of_said(said: Mapping[str, NDArray[Any]], picture: int = 0) -> People:
    """Who is in one of the pictures of which an exported Stage I said so (export.py)."""
    one = {name: values[picture].astype(np.float64) for name, values in said.items()}
    centres = Centres(one["centres"], one["guesses"]) if "centres" in one else None
    return of_reading(one["peaks"], one["integrals"], one["encodings"], centres)


def of_reading(peaks: FloatArray, integrals: FloatArray, encodings: FloatArray, centres: Centres | None = None) -> People:
    """Who is in one picture.

    Args:
        peaks: (J, K, 3) x, y in cells and confidence.
        integrals: (A, K, K).
        encodings: (J, K, 3 J).
        centres: None where the trunk says none.
    """
    assembly = assemble(Peaks(peaks[..., :2], peaks[..., 2]), integrals, centres)
    seen = assembly.candidate >= 0
    told = encodings[np.arange(J), assembly.candidate]
    return People(to_pixels(assembly.points), assembly.confidence, np.where(seen[..., None], told, 0.0))


def belongs_to(found_px: FloatArray, truth_px: FloatArray) -> NDArray[np.int64]:
    """(P,) for each person found the number of the true one, -1 for nobody; each true one at most once, the nearest first.

    Args:
        found_px: (P, J, 2) NaN = unseen.
        truth_px: (T, J, 2) NaN = unknown.
    """
    owner = np.full(len(found_px), -1)
    distance = _distances(found_px, truth_px)
    while np.isfinite(distance).any():
        person, true = divmod(int(np.argmin(distance)), len(truth_px))
        owner[person] = true
        distance[person] = distance[:, true] = np.inf
    return owner


def _distances(found_px: FloatArray, truth_px: FloatArray) -> FloatArray:
    """(P, T) mean distance of common joints in sizes of the true person; inf where they are not the same."""
    gaps = np.linalg.norm(found_px[:, None] - truth_px[None], axis=-1)  # (P, T, J)
    common: BoolArray = np.isfinite(gaps)
    count = np.count_nonzero(common, axis=-1)
    mean = np.where(common, gaps, 0.0).sum(axis=-1) / np.maximum(count, 1) / sizes_px(truth_px)
    return np.where((count >= SAME_JOINTS) & (mean < SAME), mean, np.inf)


def sizes_px(points_px: FloatArray) -> FloatArray:
    """(T,) root mean square spread about the middle, at least a cell."""
    known = np.isfinite(points_px).all(axis=-1, keepdims=True)
    count = np.maximum(np.count_nonzero(known, axis=1), 1)[:, None]
    middle = np.where(known, points_px, 0.0).sum(axis=1, keepdims=True) / count
    squared = np.where(known, points_px - middle, 0.0) ** 2
    return np.maximum(np.sqrt(squared.sum(axis=(1, 2)) / count[:, 0, 0]), STRIDE)
