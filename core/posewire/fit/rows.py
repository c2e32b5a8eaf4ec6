"""Arithmetic on rows of numbers in vector registers of four: the inner loops of the solver.

numba turns a loop of twelve into twelve single operations (it unrolls short loops before it looks for vectors, and its other way
to find them is off by default), which takes twice the time. These few lines ask LLVM for vectors; on a machine without such
registers it splits them. Rows are counted over all leading axes of an array whose last axis has WIDTH numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, cast

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from posewire.data import FloatArray

LANES = 4
WIDTH = 3 * LANES
_WHOLE, _LAST = tuple(range(0, WIDTH, LANES)), (WIDTH - LANES,)
"""Where the vectors of a row begin."""
_FAST = ("reassoc", "contract")
_VECTOR, _INDICES = ir.VectorType(ir.DoubleType(), LANES), ir.VectorType(ir.IntType(32), 2)
_NOTHING = ir.Constant(_VECTOR, [0.0] * LANES)
_Typed: TypeAlias = tuple[Any, Callable[..., Any]]


def _adding_scaled(starts: Sequence[int]) -> Callable[..., _Typed]:
    def add_scaled(typing: Any, to: Any, to_row: Any, factor: Any, rows: Any, row: Any) -> _Typed:
        def generate(context: Any, builder: Any, signature: Any, arguments: Sequence[Any]) -> Any:
            to_at = _address(context, builder, signature, arguments, 0)
            rows_at = _address(context, builder, signature, arguments, 3)
            factors = _splat(builder, arguments[2])
            for start in starts:
                scaled = builder.fmul(factors, _load(builder, rows_at, start), _FAST)
                _store(builder, builder.fadd(_load(builder, to_at, start), scaled, _FAST), to_at, start)
            return context.get_dummy_value()

        return types.none(to, types.intp, types.float64, rows, types.intp), generate

    return add_scaled


def _add_four(typing: Any, to: Any, to_row: Any, factor: Any, values: Any) -> _Typed:
    def generate(context: Any, builder: Any, signature: Any, arguments: Sequence[Any]) -> Any:
        to_at = _address(context, builder, signature, arguments, 0, LANES)
        values = _vector(builder, [builder.extract_value(arguments[3], lane) for lane in range(LANES)])
        scaled = builder.fmul(_splat(builder, arguments[2]), values, _FAST)
        _store(builder, builder.fadd(_load(builder, to_at, 0), scaled, _FAST), to_at, 0)
        return context.get_dummy_value()

    return types.none(to, types.intp, types.float64, values), generate


def _combine(typing: Any, to: Any, to_row: Any, factors: Any, rows: Any, row: Any, last: Any) -> _Typed:
    def generate(context: Any, builder: Any, signature: Any, arguments: Sequence[Any]) -> Any:
        to_at = _address(context, builder, signature, arguments, 0)
        rows_at = _address(context, builder, signature, arguments, 3)
        factors = [_splat(builder, builder.extract_value(arguments[2], i)) for i in range(len(signature.args[2]))]
        for start in _WHOLE:
            total = builder.insert_element(_NOTHING, arguments[5], _lane(LANES - 1)) if start == _WHOLE[-1] else _NOTHING
            for i, factor in enumerate(factors):
                scaled = builder.fmul(factor, _load(builder, rows_at, WIDTH * i + start), _FAST)
                total = builder.fadd(total, scaled, _FAST)
            _store(builder, total, to_at, start)
        return context.get_dummy_value()

    return types.none(to, types.intp, factors, rows, types.intp, types.float64), generate


def _dot(typing: Any, a: Any, a_row: Any, b: Any, b_row: Any) -> _Typed:
    def generate(context: Any, builder: Any, signature: Any, arguments: Sequence[Any]) -> Any:
        a_at = _address(context, builder, signature, arguments, 0)
        b_at = _address(context, builder, signature, arguments, 2)
        total = _NOTHING
        for start in _WHOLE:
            product = builder.fmul(_load(builder, a_at, start), _load(builder, b_at, start), _FAST)
            total = builder.fadd(total, product, _FAST)
        # halves first, and not reordered: a chain of four additions would take twice as long
        low, high = (builder.shuffle_vector(total, total, ir.Constant(_INDICES, [at, at + 1])) for at in (0, 2))
        pair = builder.fadd(low, high)
        return builder.fadd(builder.extract_element(pair, _lane(0)), builder.extract_element(pair, _lane(1)))

    return types.float64(a, types.intp, b, types.intp), generate


def _clear(typing: Any, to: Any, to_row: Any) -> _Typed:
    def generate(context: Any, builder: Any, signature: Any, arguments: Sequence[Any]) -> Any:
        to_at = _address(context, builder, signature, arguments, 0)
        for start in _WHOLE:
            _store(builder, _NOTHING, to_at, start)
        return context.get_dummy_value()

    return types.none(to, types.intp), generate


add_scaled = cast("Callable[[FloatArray, int, float, FloatArray, int], None]", intrinsic(_adding_scaled(_WHOLE)))
"""add_scaled(to, to_row, factor, rows, row): row `to_row` of `to` += factor times a row of `rows`."""
add_scaled_last = cast("Callable[[FloatArray, int, float, FloatArray, int], None]", intrinsic(_adding_scaled(_LAST)))
"""The same of the last four numbers only."""
add_four = cast("Callable[[FloatArray, int, float, tuple[float, float, float, float]], None]", intrinsic(_add_four))
"""add_four(to, to_row, factor, values): row `to_row` of `to`, whose last axis has four numbers, += factor times the values."""
combine = cast("Callable[[FloatArray, int, tuple[float, ...], FloatArray, int, float], None]", intrinsic(_combine))
"""combine(to, to_row, factors, rows, row, last): row `to_row` of `to` = the sum of factors[i] times row + i of `rows`, the last
number of it plus `last` (which a write of its own would hold up: a vector cannot be read that was just written in two pieces)."""
dot = cast("Callable[[FloatArray, int, FloatArray, int], float]", intrinsic(_dot))
"""dot(a, a_row, b, b_row): the sum of the products of two rows."""
clear = cast("Callable[[FloatArray, int], None]", intrinsic(_clear))
"""clear(to, to_row): row `to_row` of `to` = 0."""


def _address(context: Any, builder: Any, signature: Any, arguments: Sequence[Any], which: int, width: int = WIDTH) -> Any:
    """Pointer to the first number of the row: the array is argument `which`, the row the next."""
    array = context.make_array(signature.args[which])(context, builder, arguments[which])
    start = builder.mul(arguments[which + 1], ir.Constant(ir.IntType(64), width))
    return builder.gep(array.data, [start])


def _vector_at(builder: Any, address: Any, start: int) -> Any:
    first = builder.gep(address, [ir.Constant(ir.IntType(64), start)])
    return builder.bitcast(first, _VECTOR.as_pointer())


def _load(builder: Any, address: Any, start: int) -> Any:
    return builder.load(_vector_at(builder, address, start), align=8)


def _store(builder: Any, value: Any, address: Any, start: int) -> None:
    builder.store(value, _vector_at(builder, address, start), align=8)


def _lane(number: int) -> Any:
    return ir.Constant(ir.IntType(32), number)


def _vector(builder: Any, numbers: Sequence[Any]) -> Any:
    vector = ir.Constant(_VECTOR, ir.Undefined)
    for lane, number in enumerate(numbers):
        vector = builder.insert_element(vector, number, _lane(lane))
    return vector


def _splat(builder: Any, number: Any) -> Any:
    return _vector(builder, [number] * LANES)
