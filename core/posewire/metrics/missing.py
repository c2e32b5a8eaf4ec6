"""The rule for what is missing, in one place: NaN is left out of every mean, and nothing at all gives NaN."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

BoolArray = NDArray[np.bool_]


def seen_points(points: NDArray[np.floating[Any]]) -> BoolArray:
    """(..., N, C) to (..., N): True where every coordinate is finite."""
    return np.asarray(np.isfinite(points).all(axis=-1), dtype=np.bool_)


def finite_mean(values: NDArray[np.floating[Any]]) -> float:
    """Mean of the finite values; NaN when there is none."""
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if finite.size else float("nan")
