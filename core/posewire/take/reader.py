"""Opens a take, however it ended: everything intact is there, and what is not is said in `Take.damage`."""

from __future__ import annotations

from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posewire.data import Camera
from posewire.errors import TakeError
from posewire.skeleton import Skeleton
from posewire.take import fields
from posewire.take.batch import Batch, read_batch
from posewire.take.chunks import CAMERA, END, FORMAT_VERSION, FRAMES, HEADER, SKELETON, SYNC, Chunk, MalformedError, scan, unpack
from posewire.take.descriptions import read_camera, read_header, read_skeleton
from posewire.take.recording import PersonSpan, Take
from posewire.take.values import TakeHeader

_LOOK_FOR_SYNC_BYTES = 1 << 20
"""A file without a chunk in its first part is no take; the rest (of a film, say) need not be read to know it."""


def read_take(path: str | PathLike[str]) -> Take:
    """Opens a take. A cut or damaged one opens too: see `Take.damage`.

    Raises:
        TakeError: the file is missing, empty, no take, or of a version that this Posewire does not know.
    """
    path = Path(path)
    data = _read_file(path)
    chunks, gaps = scan(data)
    damage = [f"bytes {gap.start} to {gap.end} of the file are damaged or cut off" for gap in gaps]
    header, chunks = _one_recording(chunks, damage)
    if header is None:
        raise _not_a_take(path, "no intact header")
    said = _Said(header)
    for chunk in chunks:
        _tolerate(said.read, chunk, damage)
    index = _Index(said)
    for chunk in chunks:
        _tolerate(index.read, chunk, damage)
    damage += index.losses()
    return index.take(path, len(data), damage)


def _read_file(path: Path) -> bytes:
    if not path.is_file():
        got = f"the folder {path}" if path.is_dir() else path
        hint = f"posewire run clip.mp4 --out {path.name if path.suffix == '.pwt' else 'take.pwt'}"
        raise TakeError("There is no such take.", got=got, allowed="a .pwt file", hint=hint)
    try:
        with path.open("rb") as file:
            start = file.read(_LOOK_FOR_SYNC_BYTES)
            if SYNC not in start:
                raise _not_a_take(path, "an empty file" if not start else f"a file that starts with {start[:8]!r}")
            return start + file.read()
    except OSError as error:
        raise TakeError(f"The take {path} cannot be read.", got=error, hint="check its permissions and the disk") from error


def _not_a_take(path: Path, got: str) -> TakeError:
    return TakeError(
        f"{path} is not a Posewire take.", got=got, allowed="a .pwt file", hint="posewire run clip.mp4 --out take.pwt"
    )


def _tolerate(read: Any, chunk: Chunk, damage: list[str]) -> None:
    try:
        read(chunk)
    except MalformedError as error:
        damage.append(f"the {_kind(chunk)} chunk at byte {chunk.at_byte} makes no sense: {error}")


def _kind(chunk: Chunk) -> str:
    return chunk.kind.decode("ascii", "backslashreplace")


def _one_recording(chunks: list[Chunk], damage: list[str]) -> tuple[TakeHeader | None, list[Chunk]]:
    """The first intact header, and the chunks up to where a different header starts another recording (files put together)."""
    first: bytes | None = None
    header: TakeHeader | None = None
    for position, chunk in enumerate(chunks):
        if chunk.kind != HEADER or chunk.payload == first:
            continue
        if header is not None:
            damage.append(f"another recording follows at byte {chunk.at_byte}; it is not read")
            return header, chunks[:position]
        try:
            header, first = _header(chunk), chunk.payload
        except MalformedError as error:
            damage.append(f"the header at byte {chunk.at_byte} makes no sense: {error}")
    return header, chunks


def _header(chunk: Chunk) -> TakeHeader:
    record = unpack(chunk)
    version = fields.integer(record, "format")
    if version != FORMAT_VERSION:
        raise TakeError(
            "The take is of a version that this Posewire does not know.",
            got=f"version {version}, written by Posewire {record.get('posewire')}",
            allowed=f"version {FORMAT_VERSION}",
            hint="pip install --upgrade posewire",
        )
    return read_header(record)


@dataclass(slots=True)
class _Said:
    """What the take says once, gathered before the frames: a repeated record may stand behind the frames that need it."""

    header: TakeHeader
    cameras: dict[int, Camera] = field(default_factory=dict[int, Camera])
    skeletons: dict[str, Skeleton] = field(default_factory=dict[str, Skeleton])

    def read(self, chunk: Chunk) -> None:
        if chunk.kind == CAMERA:
            camera_id, camera = read_camera(unpack(chunk))
            self.cameras.setdefault(camera_id, camera)
        elif chunk.kind == SKELETON:
            digest, skeleton = read_skeleton(unpack(chunk))
            self.skeletons.setdefault(digest, skeleton)


@dataclass(slots=True)
class _Index:
    """Reads every batch once, to know what there is and what is lost; keeps only where it is."""

    said: _Said
    chunks: list[Chunk] = field(default_factory=list[Chunk])
    times_s: list[NDArray[np.float64]] = field(default_factory=list[NDArray[np.float64]])
    people: dict[int, PersonSpan] = field(default_factory=dict[int, PersonSpan])
    frames_expected: int = 0
    frames_lost: int = 0
    complete: bool = False
    cameras_lost: set[int] = field(default_factory=set[int])
    skeletons_lost: set[str] = field(default_factory=set[str])

    def read(self, chunk: Chunk) -> None:
        if chunk.kind == FRAMES:
            self._read_frames(chunk)
        elif chunk.kind == END:
            self._expect(fields.integer(unpack(chunk), "frames"))
            self.complete = True

    def _read_frames(self, chunk: Chunk) -> None:
        batch = read_batch(unpack(chunk), len(self.said.header.keypoint_names))
        self._check_skeletons(batch)
        self._expect(batch.first_frame)
        self.frames_expected += len(batch.time_s)
        self.chunks.append(chunk)
        self.times_s.append(batch.time_s)
        self.cameras_lost |= set(batch.camera_id.tolist()) - self.said.cameras.keys()
        for run in batch.runs:
            span = self.people.get(run.person_id, PersonSpan())
            self.people[run.person_id] = span.longer(
                batch.time_s[run.rows], run.skeleton if run.skeleton in self.said.skeletons else None
            )

    def _check_skeletons(self, batch: Batch) -> None:
        """A pose must have the joints and angles of the skeleton that it names."""
        for run in batch.runs:
            if run.pose is None or run.skeleton is None:
                continue
            skeleton = self.said.skeletons.get(run.skeleton)
            if skeleton is None:
                self.skeletons_lost.add(run.skeleton)
            elif (run.pose["confidence"].shape[1], run.pose["angles_rad"].shape[1]) != (len(skeleton.names), len(skeleton.dofs)):
                raise MalformedError("a pose does not fit its skeleton")

    def _expect(self, frame: int) -> None:
        """`frame` frames should have come before this chunk."""
        if frame < self.frames_expected:
            raise MalformedError(f"it repeats frames: says {frame} came before, {self.frames_expected} did")
        self.frames_lost += frame - self.frames_expected
        self.frames_expected = frame

    def losses(self) -> list[str]:
        """What the batches together say is missing."""
        lines: list[str] = []
        if self.frames_lost:
            lines.append(f"{self.frames_lost} of {self.frames_expected} frames are lost")
        lines += [f"camera {camera_id} is lost: frames that used it have none" for camera_id in sorted(self.cameras_lost)]
        lines += [f"skeleton {digest} is lost: poses that used it keep their numbers" for digest in sorted(self.skeletons_lost)]
        if not self.complete:
            lines.append("the recording was not closed: up to its last second may be missing")
        return lines

    def take(self, path: Path, size_bytes: int, damage: list[str]) -> Take:
        """The finished value."""
        time_s = np.concatenate([np.empty(0), *self.times_s])
        said, people = self.said, dict(sorted(self.people.items()))
        return Take(
            path,
            size_bytes,
            said.header,
            time_s,
            people,
            said.cameras,
            said.skeletons,
            self.complete,
            tuple(damage),
            tuple(self.chunks),
        )
