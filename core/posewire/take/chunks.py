"""The bytes of a take: a row of chunks, each findable and checkable by itself. docs/TAKE.md is the specification.

A chunk is a 20-byte head (sync, kind, payload length, payload crc32, crc32 of these 16 bytes) and a payload: one msgpack map,
compressed by zlib. The head has its own checksum, so that a flipped bit in a length is known at once; the sync bytes let
a reader find the next chunk behind any damage.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgpack

from posewire.errors import TakeError

FORMAT_VERSION = 1
SYNC = b"\x89PWT"
"""Starts every chunk; not ASCII, so that no text file holds it."""
HEADER, CAMERA, SKELETON, FRAMES, END = b"HEAD", b"CAMR", b"SKEL", b"FRAM", b"DONE"

MAX_RECORD_BYTES = 4 << 20
"""Largest uncompressed payload. Keeps a hostile file from costing more than a few hundred megabytes; 1000 people need 2 MiB."""
_MAX_PAYLOAD_BYTES = MAX_RECORD_BYTES + (64 << 10)
_HEAD = struct.Struct("<4s4sIII")
_CHECKED_HEAD_BYTES = 16
_COMPRESSION_LEVEL = 1
"""Higher levels gain under 2 % on float noise."""
_CRC_WORK_LIMIT = 8
"""A scan checks at most this many times the file's bytes: nested false heads would otherwise make it quadratic."""


class MalformedError(ValueError):
    """A payload is intact (its checksum holds) but is not what its kind should hold."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """One intact chunk."""

    kind: bytes
    at_byte: int
    """Where its head starts in the file."""
    payload: bytes
    """Compressed."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Bytes [start, end) that belong to no intact chunk."""

    start: int
    end: int


def pack(kind: bytes, record: Mapping[str, object]) -> bytes:
    """The bytes of one chunk.

    Raises:
        TakeError: the record is too large, or holds what msgpack does not know.
    """
    try:
        raw = bytes(msgpack.packb(record, unicode_errors="replace") or b"")
    except (TypeError, ValueError, OverflowError) as error:
        raise TakeError("The take cannot hold this value.", got=error, allowed="plain numbers, texts, lists and maps") from error
    if len(raw) > MAX_RECORD_BYTES:
        raise TakeError(
            "One record of the take is too large.", got=f"{len(raw)} bytes", allowed=f"up to {MAX_RECORD_BYTES} bytes"
        )
    payload = zlib.compress(raw, _COMPRESSION_LEVEL)
    head = _HEAD.pack(SYNC, kind, len(payload), zlib.crc32(payload), 0)[:_CHECKED_HEAD_BYTES]
    return head + zlib.crc32(head).to_bytes(4, "little") + payload


def unpack(chunk: Chunk) -> dict[str, Any]:
    """The record of one chunk.

    Raises:
        MalformedError: the payload is no zlib stream of one msgpack map, or is larger than any writer makes it.
    """
    stream = zlib.decompressobj()
    try:
        raw = stream.decompress(chunk.payload, MAX_RECORD_BYTES)
        if not stream.eof:
            raise MalformedError(f"longer than {MAX_RECORD_BYTES} bytes, or cut")
        record = msgpack.unpackb(raw, raw=False, strict_map_key=True)
    except (zlib.error, ValueError, TypeError) as error:  # msgpack's own errors are ValueErrors
        raise MalformedError(f"{type(error).__name__}: {error}") from error
    if not isinstance(record, dict) or not all(isinstance(key, str) for key in record):
        raise MalformedError("not a map with text keys")
    return record


def scan(data: bytes) -> tuple[list[Chunk], list[Gap]]:
    """Every intact chunk of a file and the gaps between them, both in file order. Linear in the file's length for any bytes."""
    chunks: list[Chunk] = []
    gaps: list[Gap] = []
    good_until = at = 0
    work_left = _CRC_WORK_LIMIT * len(data)
    while 0 <= at < len(data) and work_left > 0:
        chunk, work = _chunk_at(data, at)
        work_left -= work
        if chunk is None:
            at = data.find(SYNC, at + 1)
            continue
        if at > good_until:
            gaps.append(Gap(good_until, at))
        chunks.append(chunk)
        good_until = at = at + _HEAD.size + len(chunk.payload)
    if good_until < len(data):
        gaps.append(Gap(good_until, len(data)))
    return chunks, gaps


def _chunk_at(data: bytes, at: int) -> tuple[Chunk | None, int]:
    """The intact chunk whose head starts at byte `at`, if there is one, and the number of bytes that were checked."""
    head = data[at : at + _HEAD.size]
    if len(head) < _HEAD.size:
        return None, 1
    sync, kind, length, payload_crc, head_crc = _HEAD.unpack(head)
    if sync != SYNC or zlib.crc32(head[:_CHECKED_HEAD_BYTES]) != head_crc or length > _MAX_PAYLOAD_BYTES:
        return None, _HEAD.size
    start = at + _HEAD.size
    if start + length > len(data):
        return None, _HEAD.size
    payload = data[start : start + length]
    intact = zlib.crc32(payload) == payload_crc
    return (Chunk(kind, at, payload) if intact else None), _HEAD.size + length
