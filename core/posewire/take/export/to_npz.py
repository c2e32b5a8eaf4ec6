"""npz: the whole take as arrays, for scripts. The keys are the fields of TakeArrays; nothing in it needs pickle."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, BinaryIO

import numpy as np

from posewire.take.recording import Take


def write_npz(file: BinaryIO, take: Take, person: int | None) -> None:
    """Writes the arrays of a take, or of one person."""
    arrays = take.arrays(person)
    plain: dict[str, Any] = {}
    for field in fields(arrays):
        value = getattr(arrays, field.name)
        plain[field.name] = np.array(value, dtype=np.str_) if isinstance(value, tuple) else value
    np.savez_compressed(file, **plain)
