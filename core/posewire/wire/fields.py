"""Reads the fields of a decoded msgpack map, each with its bounds; whatever does not fit is a WireError that names it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from posewire.errors import WireError
from posewire.wire.limits import MAX_TEXT_BYTES


@dataclass(frozen=True, slots=True, eq=False)
class Fields:
    """A map from the network, and where in the message it stands (for error texts)."""

    values: dict[str, Any]
    where: str

    def refuse(self, key: str, allowed: str) -> NoReturn:
        """Raises the WireError for this field."""
        got = _brief(self.values[key]) if key in self.values else "nothing"
        raise WireError(f"A message is malformed: {self.where}.{key}.", got=got, allowed=allowed)

    def get(self, key: str) -> Any:
        """The field's value of any type; it must be there."""
        if key not in self.values:
            self.refuse(key, "a value: the field is required")
        return self.values[key]

    def text(self, key: str, *, longest: int = MAX_TEXT_BYTES, empty: bool = False) -> str:
        """A string of at most `longest` UTF-8 bytes."""
        value = self.get(key)
        if not isinstance(value, str) or len(value.encode()) > longest or not (value or empty):
            self.refuse(key, f"a text of {0 if empty else 1} to {longest} bytes")
        return value

    def integer(self, key: str, low: int, high: int) -> int:
        """An integer in low..high; msgpack's true and false are none."""
        value = self.get(key)
        if type(value) is not int or not low <= value <= high:
            self.refuse(key, f"an integer from {low} to {high}")
        return value

    def number(self, key: str) -> float:
        """A finite number, integer or float."""
        value = self.get(key)
        if type(value) not in (int, float) or not math.isfinite(value):
            self.refuse(key, "a finite number")
        return float(value)

    def flag(self, key: str) -> bool:
        """True or false."""
        value = self.get(key)
        if not isinstance(value, bool):
            self.refuse(key, "true or false")
        return value

    def array(self, key: str, longest: int) -> list[Any]:
        """A msgpack array of at most `longest` elements of any type."""
        value = self.get(key)
        if not isinstance(value, list) or len(value) > longest:
            self.refuse(key, f"an array of at most {longest} elements")
        return value

    def integers(self, key: str, low: int, high: int, *, longest: int) -> tuple[int, ...]:
        """An array of integers, each in low..high."""
        values = self.array(key, longest)
        if any(type(value) is not int or not low <= value <= high for value in values):
            self.refuse(key, f"integers from {low} to {high}")
        return tuple(values)

    def texts(self, key: str, *, longest: int) -> tuple[str, ...]:
        """An array of different, non-empty texts."""
        values = self.array(key, longest)
        if not all(isinstance(value, str) and 0 < len(value.encode()) <= MAX_TEXT_BYTES for value in values):
            self.refuse(key, f"texts of 1 to {MAX_TEXT_BYTES} bytes")
        if len(set(values)) != len(values):
            self.refuse(key, "texts that differ from each other")
        return tuple(values)

    def maps(self, key: str, longest: int) -> list[Fields]:
        """An array of maps."""
        values = self.array(key, longest)
        if not all(isinstance(value, dict) for value in values):
            self.refuse(key, "an array of maps")
        return [Fields(value, f"{self.where}.{key}[{i}]") for i, value in enumerate(values)]

    def blob(self, key: str, dtype: str, *shape: int, low: float = -math.inf, high: float = math.inf) -> NDArray[np.float64]:
        """A blob of little-endian floats as an array of `shape`, whose first length may be -1 (any, but not 0).

        With bounds, NaN is refused too.
        """
        value, row = self.get(key), np.dtype(dtype).itemsize * math.prod(shape[1:])
        want = row * shape[0] if shape[0] > 0 else None
        if not isinstance(value, bytes) or not value or len(value) % row or len(value) != (want or len(value)):
            self.refuse(key, f"a blob of {want} bytes" if want else f"a blob of a multiple of {row} bytes, not empty")
        values = np.frombuffer(value, dtype=dtype).astype(np.float64).reshape(shape)
        if low > -math.inf and not ((values >= low) & (values <= high)).all():
            self.refuse(key, f"finite numbers from {low:g} to {high:g}")
        return values


def _brief(value: object) -> str:
    """What was got, short: a hostile value may be large or deeply nested."""
    if isinstance(value, bool | int | float) or value is None:
        return repr(value)
    if isinstance(value, str):
        return repr(value[:40])
    return f"{len(value)} bytes" if isinstance(value, bytes) else type(value).__name__
