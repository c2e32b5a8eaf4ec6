# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads msgpack (github.com/msgpack/msgpack, spec.md) without any wheel. Total: any bytes give a value or a MsgpackError.

Maps become dicts with text or binary keys, arrays lists, extension types `Extension`; nothing is allocated on the word of
a length that the data cannot hold.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, NamedTuple

_DEEPEST = 64


class MsgpackError(ValueError):
    """The bytes are not one msgpack value."""


class Extension(NamedTuple):
    """A value of a type that the application defines; Posewire defines none and ignores them."""

    code: int
    data: bytes


def unpack(data: bytes) -> Any:
    """The one value that `data` holds from its first to its last byte."""
    reader = _Reader(data)
    value = reader.value(0)
    if reader.at != len(data):
        raise MsgpackError(f"{len(data) - reader.at} bytes after the value")
    return value


class _Reader:
    """A place in the data that moves on with every read."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, count: int) -> bytes:
        end = self.at + count
        if end > len(self.data):
            raise MsgpackError("the data ends in the middle of a value")
        taken = self.data[self.at : end]
        self.at = end
        return taken

    def value(self, depth: int) -> Any:
        if depth > _DEEPEST:
            raise MsgpackError(f"nested deeper than {_DEEPEST} levels")
        head = self.take(1)[0]
        if head < 0x80:
            return head
        if head < 0x90:
            return self.mapping(head & 0x0F, depth)
        if head < 0xA0:
            return self.array(head & 0x0F, depth)
        if head < 0xC0:
            return self.text(head & 0x1F)
        if head >= 0xE0:
            return head - 0x100
        return _READ[head - 0xC0](self, depth)

    def number(self, form: struct.Struct) -> Any:
        return form.unpack(self.take(form.size))[0]

    def text(self, count: int) -> str:
        try:
            return self.take(count).decode("utf-8")
        except UnicodeDecodeError as error:
            raise MsgpackError("a text is not UTF-8") from error

    def array(self, count: int, depth: int) -> list[Any]:
        self.check_room(count)
        return [self.value(depth + 1) for _ in range(count)]

    def mapping(self, count: int, depth: int) -> dict[str | bytes, Any]:
        self.check_room(2 * count)
        entries: dict[str | bytes, Any] = {}
        for _ in range(count):
            key = self.value(depth + 1)
            if not isinstance(key, str | bytes):
                raise MsgpackError("a key is neither text nor binary")
            entries[key] = self.value(depth + 1)
        return entries

    def extension(self, count: int) -> Extension:
        code = self.number(_INT8)
        return Extension(code, self.take(count))

    def check_room(self, count: int) -> None:
        """Every element takes at least a byte."""
        if count > len(self.data) - self.at:
            raise MsgpackError("a list is longer than the data")


_INT8 = struct.Struct(">b")
_U8, _U16, _U32, _U64 = (struct.Struct(f">{code}") for code in "BHIQ")
_I16, _I32, _I64, _F32, _F64 = (struct.Struct(f">{code}") for code in "hiqfd")


def _unused(reader: _Reader, depth: int) -> Any:
    raise MsgpackError("the byte 0xc1, which msgpack never uses")


def _constant(value: Any) -> Callable[[_Reader, int], Any]:
    return lambda reader, depth: value


def _number(form: struct.Struct) -> Callable[[_Reader, int], Any]:
    return lambda reader, depth: reader.number(form)


def _binary(form: struct.Struct) -> Callable[[_Reader, int], Any]:
    return lambda reader, depth: reader.take(reader.number(form))


def _text(form: struct.Struct) -> Callable[[_Reader, int], Any]:
    return lambda reader, depth: reader.text(reader.number(form))


def _array(form: struct.Struct) -> Callable[[_Reader, int], Any]:
    return lambda reader, depth: reader.array(reader.number(form), depth)


def _mapping(form: struct.Struct) -> Callable[[_Reader, int], Any]:
    return lambda reader, depth: reader.mapping(reader.number(form), depth)


def _extension(form: struct.Struct) -> Callable[[_Reader, int], Any]:
    return lambda reader, depth: reader.extension(reader.number(form))


def _fixed_extension(count: int) -> Callable[[_Reader, int], Any]:
    return lambda reader, depth: reader.extension(count)


_READ: list[Callable[[_Reader, int], Any]] = [
    *(_constant(None), _unused, _constant(False), _constant(True)),  # 0xc0 to 0xc3
    *(_binary(_U8), _binary(_U16), _binary(_U32)),
    *(_extension(_U8), _extension(_U16), _extension(_U32)),
    *(_number(_F32), _number(_F64)),
    *(_number(_U8), _number(_U16), _number(_U32), _number(_U64)),
    *(_number(_INT8), _number(_I16), _number(_I32), _number(_I64)),
    *(_fixed_extension(count) for count in (1, 2, 4, 8, 16)),
    *(_text(_U8), _text(_U16), _text(_U32)),
    *(_array(_U16), _array(_U32)),
    *(_mapping(_U16), _mapping(_U32)),  # to 0xdf
]
