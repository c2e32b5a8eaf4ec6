# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads Posewire takes (.pwt, docs/TAKE.md) without the engine: everybody's motion, and what is damaged.

Total: any file gives a Take or a LiveError. Only what moves a character is kept.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from . import ground
from .errors import LiveError
from .fields import FieldError, Fields
from .msgpack_reader import MsgpackError, unpack
from .protocol import ORIGINS, Skeleton, rigid

FORMAT_VERSION = 1
_SYNC = b"\x89PWT"
_HEAD = struct.Struct("<4s4sIII")
_MAX_RECORD_BYTES = 4 << 20
_MAX_PAYLOAD_BYTES = _MAX_RECORD_BYTES + (64 << 10)
_CRC_WORK_LIMIT = 8
"""A scan checks at most this many times the file's bytes: nested false heads would otherwise make it quadratic."""
_MAX_NUMBER = 2**63 - 1


@dataclass(frozen=True)
class Motion:
    """One person over a take, on one skeleton: R frames, N joints."""

    person_id: int
    skeleton: Skeleton
    time_s: np.ndarray
    """(R,) capture clock, ascending."""
    root_m: np.ndarray
    """(R, 3) world, the one in which the take ends."""
    rotations_wxyz: np.ndarray
    """(R, N, 4) parent-relative from rest, model axes."""
    contacts: np.ndarray
    """(R, 4) left heel, left toe, right heel, right toe; NaN = not estimated."""


@dataclass(frozen=True)
class Take:
    """A recording, as far as it is intact."""

    source: str
    frames: int
    """Including those with nobody."""
    start_s: float
    end_s: float
    motions: tuple[Motion, ...]
    """By person id; a person whose bones were measured anew has the last skeleton throughout."""
    damage: tuple[str, ...]
    """What is lost, one sentence each."""
    complete: bool
    floor_known: bool
    """y = 0 is the floor; else it is as high as the camera stood."""

    def on_the_ground(self) -> Take:
        """Everybody lifted alike, so that the lowest joints come to the ground, where the floor is not known."""
        if self.floor_known or not self.motions:
            return self
        lowest = [ground.lowest_m(one.skeleton, one.root_m, one.rotations_wxyz) for one in self.motions]
        lift_m = np.array([0.0, -ground.floor_m(np.concatenate(lowest)), 0.0])
        return replace(self, motions=tuple(replace(one, root_m=one.root_m + lift_m) for one in self.motions))


def read_take(path: Path) -> Take:
    """The take in a file; LiveError when it is none."""
    try:
        data = path.read_bytes()
    except OSError as error:
        hint = "Choose a .pwt file."
        raise LiveError("The take {file} cannot be read: {reason}.", hint, file=path.name, reason=error.strerror) from error
    return parse_take(data, path.name)


def parse_take(data: bytes, name: str) -> Take:
    """The take in the bytes of a file."""
    chunks, damaged = _scan(data)
    damage: list[str] = []
    if damaged:
        damage.append("some of the file is damaged or cut off")
    reading = _Reading()
    for chunk in _one_recording(chunks, name, damage):
        try:
            reading.read(chunk)
        except (FieldError, MsgpackError, zlib.error) as error:
            damage.append(f"a part of the recording makes no sense: {error}")
    return reading.take(damage)


@dataclass(frozen=True)
class _Chunk:
    kind: bytes
    payload: bytes

    def record(self) -> Fields:
        stream = zlib.decompressobj()
        raw = stream.decompress(self.payload, _MAX_RECORD_BYTES)
        values = unpack(raw) if stream.eof else None
        if not isinstance(values, dict):
            raise MsgpackError("not a map")
        return Fields(values, self.kind.decode("ascii", "replace"))


def _scan(data: bytes) -> tuple[list[_Chunk], bool]:
    """Every intact chunk in file order, and whether bytes lie between them; linear for any bytes."""
    chunks: list[_Chunk] = []
    at = good_until = 0
    damaged = False
    work_left = _CRC_WORK_LIMIT * len(data)
    while 0 <= at < len(data) and work_left > 0:
        chunk, work = _chunk_at(data, at)
        work_left -= work
        if chunk is None:
            at = data.find(_SYNC, at + 1)
            continue
        damaged |= at > good_until
        chunks.append(chunk)
        good_until = at = at + _HEAD.size + len(chunk.payload)
    return chunks, damaged or good_until < len(data)


def _chunk_at(data: bytes, at: int) -> tuple[_Chunk | None, int]:
    head = data[at : at + _HEAD.size]
    if len(head) < _HEAD.size:
        return None, 1
    sync, kind, length, payload_crc, head_crc = _HEAD.unpack(head)
    start = at + _HEAD.size
    if sync != _SYNC or zlib.crc32(head[:16]) != head_crc or length > _MAX_PAYLOAD_BYTES or start + length > len(data):
        return None, _HEAD.size
    payload = data[start : start + length]
    return (_Chunk(kind, payload) if zlib.crc32(payload) == payload_crc else None), _HEAD.size + length


def _one_recording(chunks: list[_Chunk], name: str, damage: list[str]) -> list[_Chunk]:
    """The chunks up to where another header starts another recording (files put together)."""
    first: bytes | None = None
    for position, chunk in enumerate(chunks):
        if chunk.kind != b"HEAD" or chunk.payload == first:
            continue
        if first is not None:
            damage.append("another recording follows; it is not read")
            return chunks[:position]
        try:
            version = chunk.record().integer("format", 0, _MAX_NUMBER)
        except (FieldError, MsgpackError, zlib.error):
            damage.append("the header makes no sense")
            continue
        if version != FORMAT_VERSION:
            problem = "The take {file} is of version {version}; this add-on reads version {known}."
            raise LiveError(problem, "Update it.", file=name, version=version, known=FORMAT_VERSION)
        first = chunk.payload
    if first is None:
        raise LiveError("{file} is not a Posewire take.", "posewire run VIDEO --out FILE.pwt makes one.", file=name)
    return chunks


@dataclass
class _Run:
    """One person in some frames of a batch."""

    digest: str
    time_s: np.ndarray
    camera: np.ndarray
    """(R,) its id."""
    root_m: np.ndarray
    rotations_wxyz: np.ndarray
    contacts: np.ndarray


@dataclass
class _Reading:
    source: str = ""
    skeletons: dict[str, Skeleton] = field(default_factory=dict)
    cameras: dict[int, ground.Camera] = field(default_factory=dict)
    runs: dict[int, list[_Run]] = field(default_factory=dict)
    frames: int = 0
    lost: int = 0
    start_s: float = float("inf")
    end_s: float = float("-inf")
    complete: bool = False

    def read(self, chunk: _Chunk) -> None:
        if chunk.kind == b"HEAD":
            self.source = str(chunk.record().values.get("source") or "")
        elif chunk.kind == b"CAMR":
            self._read_camera(chunk.record())
        elif chunk.kind == b"SKEL":
            self._read_skeleton(chunk.record())
        elif chunk.kind == b"FRAM":
            self._read_frames(chunk.record())
        elif chunk.kind == b"DONE":
            self._expect(chunk.record().integer("frames", 0, _MAX_NUMBER))
            self.complete = True

    def _read_camera(self, record: Fields) -> None:
        origin = record.text("origin")
        if origin not in ORIGINS:
            record.refuse("origin", f"one of {ORIGINS}")
        camera = ground.Camera(rigid(record), record.blob("K", "<f8", 3, 3), origin)
        self.cameras[record.integer("id", 0, _MAX_NUMBER)] = camera

    def _read_skeleton(self, record: Fields) -> None:
        names = record.texts("names", 1024)
        parents = record.integers("parents", -1, 1024, 1024)
        ordered = parents[:1] == (-1,) and all(0 <= parent < child for child, parent in enumerate(parents[1:], start=1))
        if not ordered or len(parents) != len(names):
            record.refuse("parents", "a tree")
        offsets_m = record.blob("offsets_m", "<f8", len(names), 3, low=-1e4, high=1e4)
        self.skeletons.setdefault(record.text("digest"), Skeleton(names, parents, offsets_m))

    def _read_frames(self, record: Fields) -> None:
        time_s = record.blob("time_s", "<f8", -1, low=-1e12, high=1e12)
        camera = record.blob("camera", "<i8", len(time_s))
        runs = [self._run(entry, time_s, camera) for entry in record.maps("people", 1_000_000)]
        self._expect(record.integer("first_frame", 0, _MAX_NUMBER))
        self.frames += len(time_s)
        self.start_s, self.end_s = min(self.start_s, float(time_s.min())), max(self.end_s, float(time_s.max()))
        for person_id, run in runs:
            if run is not None:
                self.runs.setdefault(person_id, []).append(run)

    def _run(self, entry: Fields, time_s: np.ndarray, camera: np.ndarray) -> tuple[int, _Run | None]:
        person_id = entry.integer("id", 0, 2**31 - 1)
        rows = entry.blob("frames", "<i8", -1)
        if rows[0] < 0 or rows[-1] >= len(time_s) or not (np.diff(rows) > 0).all():
            entry.refuse("frames", "a list of frames that ascends")
        if "pose" not in entry.values:
            return person_id, None
        pose = entry.mapping("pose")
        confidence = pose.blob("confidence", "<f4", -1)
        joints = len(confidence) // len(rows)
        shape = (len(rows), joints, 4)
        rotations = pose.blob("rotations_wxyz", "<f4", *shape, low=-2.0, high=2.0)
        length = np.linalg.norm(rotations, axis=-1, keepdims=True)
        if not (np.abs(length - 1.0) < 0.01).all():
            pose.refuse("rotations_wxyz", "made of quaternions of length 1")
        root_m = pose.blob("root_m", "<f4", len(rows), 3, low=-1e4, high=1e4)
        contacts = pose.blob("contacts", "<f4", len(rows), 4)
        return person_id, _Run(pose.text("skeleton"), time_s[rows], camera[rows], root_m, rotations / length, contacts)

    def _expect(self, frame: int) -> None:
        """`frame` frames should have come before this chunk."""
        if frame < self.frames + self.lost:
            raise FieldError("it repeats frames")
        self.lost = frame - self.frames

    def take(self, damage: list[str]) -> Take:
        if self.lost:
            damage.append(f"{self.lost} frames are lost")
        if not self.complete:
            damage.append("the recording was not closed: up to its last second may be missing")
        moves = ground.moves(self.cameras)
        motions = (self._motion(person_id, runs, moves, damage) for person_id, runs in sorted(self.runs.items()))
        found = tuple(motion for motion in motions if motion is not None)
        start_s, end_s = (self.start_s, self.end_s) if self.frames else (0.0, 0.0)
        last = self.cameras.get(max(self.cameras, default=-1))
        floor_known = last is not None and last.origin != ground.ASSUMED
        return Take(self.source, self.frames, start_s, end_s, found, tuple(damage), self.complete, floor_known)

    def _motion(self, person_id: int, runs: list[_Run], moves: dict[int, np.ndarray], damage: list[str]) -> Motion | None:
        last = next((run.digest for run in reversed(runs) if run.digest in self.skeletons), None)
        if last is None:
            damage.append(f"the skeleton of person {person_id} is lost")
            return None
        skeleton = self.skeletons[last]
        fitting = [run for run in runs if run.rotations_wxyz.shape[1] == len(skeleton.names)]
        if not fitting:
            damage.append(f"no pose of person {person_id} fits the skeleton")
            return None
        time_s, camera, root_m, rotations_wxyz, contacts = (
            np.concatenate([getattr(run, name) for run in fitting])
            for name in ("time_s", "camera", "root_m", "rotations_wxyz", "contacts")
        )
        for moved, T in moves.items():
            rows = camera == moved
            root_m[rows], rotations_wxyz[rows] = ground.move(T, root_m[rows], rotations_wxyz[rows])
        order = np.argsort(time_s, kind="stable")
        return Motion(person_id, skeleton, time_s[order], root_m[order], rotations_wxyz[order], contacts[order])
