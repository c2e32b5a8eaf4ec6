"""A network of one node, y = x + x, written byte by byte: no test needs the package onnx.

The field numbers are those of onnx.proto3 (ModelProto, GraphProto, NodeProto, ValueInfoProto, StringStringEntryProto).
"""

from __future__ import annotations

from pathlib import Path

_FLOAT, _IR_VERSION, _OPSET = 1, 8, 13


def write(path: Path, width: int = 3, **metadata: str) -> Path:
    """Writes the network to `path`; x and y are float32 of shape (rows, `width`), the number of rows free."""
    node = _text(1, "x") + _text(1, "x") + _text(2, "y") + _text(4, "Add")
    graph = _bytes(1, node) + _text(2, "tiny") + _bytes(11, _value("x", width)) + _bytes(12, _value("y", width))
    told = b"".join(_bytes(14, _text(1, key) + _text(2, value)) for key, value in metadata.items())
    path.write_bytes(_number(1, _IR_VERSION) + _bytes(7, graph) + _bytes(8, _number(2, _OPSET)) + told)
    return path


def _value(name: str, width: int) -> bytes:
    shape = _bytes(1, _text(2, "rows")) + _bytes(1, _number(1, width))
    return _text(1, name) + _bytes(2, _bytes(1, _number(1, _FLOAT) + _bytes(2, shape)))


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _text(field: int, value: str) -> bytes:
    return _bytes(field, value.encode())


def _varint(value: int) -> bytes:
    low, rest = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + _varint(rest) if rest else bytes([low])
