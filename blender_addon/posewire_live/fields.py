# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the fields of a map that may hold anything; whatever does not fit is a FieldError that names it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

MAX_TEXT_BYTES = 128


class FieldError(ValueError):
    """A field is missing, of another type or beyond its bounds."""


@dataclass(frozen=True)
class Fields:
    """A map from the network or a file, and where it stands in it (for error texts)."""

    values: dict[Any, Any]
    where: str

    def refuse(self, key: str, allowed: str) -> NoReturn:
        """Raises the FieldError for this field."""
        raise FieldError(f"{self.where}.{key} is not {allowed}")

    def text(self, key: str, *, empty: bool = False) -> str:
        """A text of at most MAX_TEXT_BYTES."""
        value = self.values.get(key)
        if not isinstance(value, str) or not (value or empty) or len(value.encode()) > MAX_TEXT_BYTES:
            self.refuse(key, f"a text of at most {MAX_TEXT_BYTES} bytes")
        return value

    def integer(self, key: str, low: int, high: int) -> int:
        """An integer in low..high; true and false are none."""
        value = self.values.get(key)
        if type(value) is not int or not low <= value <= high:
            self.refuse(key, f"an integer from {low} to {high}")
        return value

    def number(self, key: str) -> float:
        """A finite number."""
        value = self.values.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            self.refuse(key, "a finite number")
        return float(value)

    def array(self, key: str, longest: int) -> list[Any]:
        """A list of anything."""
        value = self.values.get(key)
        if not isinstance(value, list) or len(value) > longest:
            self.refuse(key, f"an array of at most {longest} elements")
        return value

    def integers(self, key: str, low: int, high: int, longest: int) -> tuple[int, ...]:
        """A list of integers in low..high."""
        values = self.array(key, longest)
        if any(type(value) is not int or not low <= value <= high for value in values):
            self.refuse(key, f"a list of integers from {low} to {high}")
        return tuple(values)

    def texts(self, key: str, longest: int) -> tuple[str, ...]:
        """A list of different, non-empty texts."""
        values = self.array(key, longest)
        if not all(isinstance(value, str) and 0 < len(value.encode()) <= MAX_TEXT_BYTES for value in values):
            self.refuse(key, f"a list of texts of 1 to {MAX_TEXT_BYTES} bytes")
        if len(set(values)) != len(values):
            self.refuse(key, "a list of texts that differ")
        return tuple(values)

    def maps(self, key: str, longest: int) -> list[Fields]:
        """A list of maps."""
        values = self.array(key, longest)
        if not all(isinstance(value, dict) for value in values):
            self.refuse(key, "a list of maps")
        return [Fields(value, f"{self.where}.{key}[{i}]") for i, value in enumerate(values)]

    def mapping(self, key: str) -> Fields:
        """A map."""
        value = self.values.get(key)
        if not isinstance(value, dict):
            self.refuse(key, "a map")
        return Fields(value, f"{self.where}.{key}")

    def blob(self, key: str, dtype: str, *shape: int, low: float = -math.inf, high: float = math.inf) -> np.ndarray:
        """Little-endian numbers as an array; the first length may be -1 (any, but not 0). With bounds, NaN is refused."""
        value, row = self.values.get(key), np.dtype(dtype).itemsize * math.prod(shape[1:])
        if not isinstance(value, bytes) or not value or not row or len(value) % row or shape[0] not in (-1, len(value) // row):
            self.refuse(key, f"a blob of the shape {shape}")
        values = np.frombuffer(value, dtype).reshape(shape)
        if values.dtype.kind == "f":
            values = values.astype(np.float64)
        if low > -math.inf and not ((values >= low) & (values <= high)).all():
            self.refuse(key, f"made of numbers from {low:g} to {high:g}")
        return values
