"""Arithmetic on rows of ten numbers in vector registers: the inner loops of the solver.

numba turns a loop of ten into ten single operations (it unrolls short loops before it looks for vectors, and its other way to
find them is off by default), which takes twice the time. These few lines ask LLVM for vectors of 4 + 4 + 2; on a machine
without such registers it splits them. Rows are counted over all leading axes of an array whose last axis has WIDTH numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, cast

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from posewire.data import FloatArray

WIDTH = 10
_FAST = ("reassoc", "contract")
_PARTS = ((0, 4), (4, 4), (8, 2))
_Typed: TypeAlias = tuple[Any, Callable[..., Any]]


def _add_scaled(typing: Any, to: Any, to_row: Any, factor: Any, rows: Any, row: Any) -> _Typed:
    def generate(context: Any, builder: Any, signature: Any, arguments: Sequence[Any]) -> Any:
        to_at = _address(context, builder, signature, arguments, 0)
        rows_at = _address(context, builder, signature, arguments, 3)
        for start, width in _PARTS:
            scaled = builder.fmul(_splat(builder, arguments[2], width), _load(builder, rows_at, start, width), _FAST)
            total = builder.fadd(_load(builder, to_at, start, width), scaled, _FAST)
            _store(builder, total, to_at, start, width)
        return context.get_dummy_value()

    return types.none(to, types.intp, types.float64, rows, types.intp), generate


def _combine(typing: Any, to: Any, to_row: Any, factors: Any, rows: Any, row: Any) -> _Typed:
    def generate(context: Any, builder: Any, signature: Any, arguments: Sequence[Any]) -> Any:
        to_at = _address(context, builder, signature, arguments, 0)
        rows_at = _address(context, builder, signature, arguments, 3)
        for start, width in _PARTS:
            total = None
            for i in range(len(signature.args[2])):
                factor = _splat(builder, builder.extract_value(arguments[2], i), width)
                scaled = builder.fmul(factor, _load(builder, rows_at, WIDTH * i + start, width), _FAST)
                total = scaled if total is None else builder.fadd(total, scaled, _FAST)
            _store(builder, total, to_at, start, width)
        return context.get_dummy_value()

    return types.none(to, types.intp, factors, rows, types.intp), generate


add_scaled = cast("Callable[[FloatArray, int, float, FloatArray, int], None]", intrinsic(_add_scaled))
"""add_scaled(to, to_row, factor, rows, row): row `to_row` of `to` += factor times a row of `rows`."""
combine = cast("Callable[[FloatArray, int, tuple[float, ...], FloatArray, int], None]", intrinsic(_combine))
"""combine(to, to_row, factors, rows, row): row `to_row` of `to` = the sum of factors[i] times row + i of `rows`."""


def _address(context: Any, builder: Any, signature: Any, arguments: Sequence[Any], which: int) -> Any:
    """Pointer to the first number of the row: the array is argument `which`, the row the next (or the one after a factor)."""
    array = context.make_array(signature.args[which])(context, builder, arguments[which])
    start = builder.mul(arguments[which + 1], ir.Constant(ir.IntType(64), WIDTH))
    return builder.gep(array.data, [start])


def _vector_at(builder: Any, address: Any, start: int, width: int) -> Any:
    first = builder.gep(address, [ir.Constant(ir.IntType(64), start)])
    return builder.bitcast(first, ir.VectorType(ir.DoubleType(), width).as_pointer())


def _load(builder: Any, address: Any, start: int, width: int) -> Any:
    return builder.load(_vector_at(builder, address, start, width), align=8)


def _store(builder: Any, value: Any, address: Any, start: int, width: int) -> None:
    builder.store(value, _vector_at(builder, address, start, width), align=8)


def _splat(builder: Any, number: Any, width: int) -> Any:
    vector = ir.Constant(ir.VectorType(ir.DoubleType(), width), ir.Undefined)
    for lane in range(width):
        vector = builder.insert_element(vector, number, ir.Constant(ir.IntType(32), lane))
    return vector
