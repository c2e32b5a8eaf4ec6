"""Poses that were said, beside the truth, with everything that a table may be grouped by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posewire.data import FloatArray
from posewire.metrics.missing import BoolArray


@dataclass(frozen=True, slots=True, eq=False)
class PoseSamples:
    """F annotated people at instants, on the J = 17 joints of posewire_data; camera axes, metres; NaN = missing."""

    said_m: FloatArray
    """(F, 17, 3) root-relative."""
    true_m: FloatArray
    """(F, 17, 3) root-relative; NaN = not annotated."""
    root_m: FloatArray
    """(F, 3) true place of the pelvis, from the camera; NaN = unknown."""
    R_world_camera: FloatArray
    """(F, 3, 3) camera axes to +Y up; NaN = unknown, and no foot slide is counted."""
    time_s: FloatArray
    """(F,)"""
    stretches: NDArray[np.int64]
    """(F,) rows of one number are consecutive instants of one person."""
    sequences: NDArray[np.str_]
    """(F,)"""
    activities: NDArray[np.str_]
    """(F,) "" = not known."""
    seen: BoolArray
    """(F, 17) True where the joint can be seen: in the input of a lifter, or by the dataset's annotation."""
    matched: BoolArray
    """(F,) True where the method found the person at all."""
    said_px: FloatArray
    """(F, 17, 2)"""
    true_px: FloatArray
    """(F, 17, 2)"""

    def __len__(self) -> int:
        return len(self.said_m)

    def only(self, rows: BoolArray) -> PoseSamples:
        """The rows of a mask (F,)."""
        columns: dict[str, Any] = {f.name: getattr(self, f.name)[rows] for f in fields(self)}
        return PoseSamples(**columns)


def joined(parts: Sequence[PoseSamples]) -> PoseSamples:
    """All samples one after another; stretches stay apart."""
    first, numbers = 0, list[NDArray[np.int64]]()
    for part in parts:
        numbers.append(part.stretches + first)
        first += int(part.stretches.max(initial=-1)) + 1
    columns: dict[str, Any] = {f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(PoseSamples)}
    columns["stretches"] = np.concatenate(numbers)
    return PoseSamples(**columns)
