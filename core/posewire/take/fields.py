"""Reads the fields of a record that may hold anything; a field that is not what it should be raises MalformedError."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posewire.take.chunks import MalformedError

Record = Mapping[str, Any]
_INT64_LIMIT = 1 << 63


def text(record: Record, key: str) -> str:
    """A text."""
    value = record.get(key)
    if not isinstance(value, str):
        raise MalformedError(f"{key} is not a text")
    return value


def integer(record: Record, key: str) -> int:
    """An integer of 64 bits."""
    value = record.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not -_INT64_LIMIT <= value < _INT64_LIMIT:
        raise MalformedError(f"{key} is not an integer of 64 bits")
    return value


def mapping(record: Record, key: str) -> dict[str, Any]:
    """A map with text keys."""
    value = record.get(key)
    if not isinstance(value, dict) or not all(isinstance(name, str) for name in value):
        raise MalformedError(f"{key} is not a map with text keys")
    return value


def rows(record: Record, key: str) -> list[Any]:
    """A list of anything."""
    value = record.get(key)
    if not isinstance(value, list):
        raise MalformedError(f"{key} is not a list")
    return value


def texts(record: Record, key: str) -> tuple[str, ...]:
    """A list of different texts."""
    values = rows(record, key)
    if not all(isinstance(value, str) for value in values) or len(set(values)) != len(values):
        raise MalformedError(f"{key} is not a list of different texts")
    return tuple(values)


def blob(record: Record, key: str, dtype: str, *shape: int) -> NDArray[Any]:
    """Little-endian numbers as a read-only array; one -1 in `shape` stands for any length."""
    value = record.get(key)
    if not isinstance(value, bytes):
        raise MalformedError(f"{key} is not binary")
    item_bytes = np.dtype(dtype).itemsize
    known = math.prod(size for size in shape if size >= 0) * item_bytes
    fits = len(value) == known if -1 not in shape else known > 0 and len(value) % known == 0
    if not fits:
        raise MalformedError(f"{key} has {len(value)} bytes, which is no array of shape {shape}")
    return _quiet(np.frombuffer(value, dtype)).reshape(shape)


def _quiet(values: NDArray[Any]) -> NDArray[Any]:
    """Foreign bytes may hold signalling NaN, which warns wherever it is converted later; ordinary NaN takes its place."""
    unseen = np.isnan(values)
    if unseen.any():
        values = np.where(unseen, values.dtype.type(np.nan), values)
        values.flags.writeable = False
    return values


def finite(record: Record, key: str, *shape: int) -> NDArray[np.float64]:
    """Finite float64 numbers."""
    values = blob(record, key, "<f8", *shape)
    if not np.isfinite(values).all():
        raise MalformedError(f"{key} holds numbers that are not finite")
    return values
