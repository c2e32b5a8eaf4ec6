"""Named tuples as records: the same numbers, where the kernels want them."""

from typing import NamedTuple

import numpy as np

from posewire.data import FloatArray
from posewire.fit.packing import pack


class Inner(NamedTuple):
    few: FloatArray
    many: FloatArray


class Outer(NamedTuple):
    count: int
    inner: Inner
    rows: FloatArray


def outer(count: int) -> Outer:
    return Outer(count, Inner(np.arange(3.0), np.arange(40.0)), np.arange(24.0).reshape(2, 12))


def test_python_and_kernels_see_the_same_numbers() -> None:
    packed = pack(outer(7))
    assert packed.record["count"][0] == packed.values.count == 7
    packed.values.inner.many[5] = -1.0
    packed.record["rows"][0, 1, 2] = -2.0
    assert packed.record["inner"]["many"][0, 5] == -1.0
    assert packed.values.rows[1, 2] == -2.0
    np.testing.assert_array_equal(packed.values.inner.few, [0.0, 1.0, 2.0])


def test_what_fills_a_cache_line_begins_at_one() -> None:
    for count in range(5):
        values = pack(outer(count)).values
        assert values.inner.many.ctypes.data % 64 == values.rows.ctypes.data % 64 == 0


def test_equal_types_are_one_object() -> None:
    assert pack(outer(1)).record.dtype is pack(outer(2)).record.dtype
