"""Named tuples of arrays as one numpy record each, so that a call into machine code hands over a pointer instead of every array.

numba unpacks each array that Python passes, which for the 80 of one person costs more than a step of the solver. A record is
one argument; its fields have fixed shapes and places, which the compiler knows. A kernel reads `work.root_m` either way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

Record: TypeAlias = NDArray[np.void]
"""(1,) structured; `record[0]` in a kernel has the fields of the named tuple."""
_NUMBER, _LINE = 8, 64
"""Bytes of a number and of a cache line."""
Values = TypeVar("Values", bound=tuple[Any, ...])


@dataclass(frozen=True, slots=True, eq=False)
class Packed(Generic[Values]):
    """The same numbers twice: for Python as a named tuple of arrays, for the kernels as a record."""

    values: Values
    """Its arrays are views of the record; numbers are copies, for reading only."""
    record: Record


def pack(values: Values) -> Packed[Values]:
    """Copies a named tuple of arrays, numbers and such named tuples into a record.

    Two tuples of the same fields and shapes are of one type to the compiler, and compile once.
    """
    dtype = _first_equal(_dtype(values))
    memory = np.zeros(dtype.itemsize + _LINE, np.uint8)
    start = -memory.ctypes.data % _LINE
    record = memory[start : start + dtype.itemsize].view(dtype)
    return Packed(_views(values, record), record)


@cache
def _first_equal(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """numba knows a dtype that it has seen at once by its identity; an equal one it compares field by field, at every call."""
    return dtype


def _dtype(values: Any) -> np.dtype[Any]:
    if _is_named(values):
        return _aligned(values._fields, [_dtype(value) for value in values])
    array = np.asarray(values)
    return np.dtype((array.dtype, array.shape))


def _aligned(names: Sequence[str], formats: Sequence[np.dtype[Any]]) -> np.dtype[Any]:
    """Fields one after the other, each that fills a cache line at the start of one: no vector of the solver lies across two."""
    offsets, end = list[int](), 0
    for format_ in formats:
        offsets.append(end + -end % (_LINE if format_.itemsize >= _LINE else _NUMBER))
        end = offsets[-1] + format_.itemsize
    fields = {"names": list(names), "formats": list(formats), "offsets": offsets, "itemsize": end + -end % _LINE}
    return np.dtype(cast(Any, fields), align=True)


def _views(values: Values, record: Any) -> Values:
    """Fills the record and returns the tuple of its fields; `record` (1,)."""
    fields: list[Any] = []
    for name, value in zip(cast(NamedTuple, values)._fields, values, strict=True):
        if _is_named(value):
            fields.append(_views(value, record[name]))
            continue
        record[name][0] = value
        fields.append(record[name][0])
    return cast(Any, type(values))(*fields)


def _is_named(value: Any) -> bool:
    return isinstance(value, tuple) and hasattr(value, "_fields")
