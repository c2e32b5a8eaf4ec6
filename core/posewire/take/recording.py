"""An opened take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from posewire.data import Camera, FloatArray, SkeletonPose, Track, read_only
from posewire.errors import TakeError
from posewire.shell import typed
from posewire.skeleton import Skeleton
from posewire.take.arrays import make_arrays
from posewire.take.batch import Batch, Run, read_batch
from posewire.take.chunks import Chunk, unpack
from posewire.take.summary import TakeSummary, summarise
from posewire.take.values import TakeArrays, TakeFrame, TakeHeader


@dataclass(frozen=True, slots=True)
class PersonSpan:
    """Where a person is in a take."""

    frames: int = 0
    first_s: float = float("inf")
    last_s: float = float("-inf")
    skeleton: str | None = None
    """Digest of the person's last skeleton that is not lost; None = no pose was fitted."""

    def longer(self, time_s: NDArray[np.float64], skeleton: str | None) -> PersonSpan:
        """With more frames at `time_s` (R,)."""
        first_s, last_s = min(self.first_s, float(time_s.min())), max(self.last_s, float(time_s.max()))
        return PersonSpan(self.frames + len(time_s), first_s, last_s, skeleton or self.skeleton)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Take:
    """A recording. Iterating gives its TakeFrames in order, again and again; `len` is their number.

    The compressed chunks are in memory and are decoded half a second at a time, so that an hour costs what its file does.
    """

    path: Path
    size_bytes: int
    header: TakeHeader
    time_s: FloatArray
    """(T,) capture clock."""
    people: Mapping[int, PersonSpan]
    """By person id, ascending."""
    cameras: Mapping[int, Camera]
    """By the order in which they came into use."""
    skeletons: Mapping[str, Skeleton]
    """By digest."""
    complete: bool
    """True when the writer closed the take; False after a crash, or while it is still being written."""
    damage: tuple[str, ...]
    """What is lost, one sentence each; empty for a healthy take."""
    _chunks: tuple[Chunk, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "time_s", read_only(self.time_s, -1))

    @staticmethod
    def open(path: str | PathLike[str]) -> Take:
        """Opens a take: see `read_take`."""
        from posewire.take.reader import read_take  # the reader makes Takes, so it cannot be imported above

        return read_take(path)

    def __repr__(self) -> str:
        return f"Take({str(self.path)!r}, {len(self)} frames, people {list(self.people)}, damage {list(self.damage)})"

    def __len__(self) -> int:
        return len(self.time_s)

    def __iter__(self) -> Iterator[TakeFrame]:
        for batch in self.batches():
            yield from self._frames_of(batch)

    @property
    def frames(self) -> Iterator[TakeFrame]:
        """A new iterator over the frames."""
        return iter(self)

    @property
    def camera(self) -> Camera | None:
        """The last camera; None in a take without frames."""
        return self.cameras[max(self.cameras)] if self.cameras else None

    def batches(self) -> Iterator[Batch]:
        """The frames as columns, half a second at a time: the quick way through a long take."""
        keypoints = len(self.header.keypoint_names)
        return (read_batch(unpack(chunk), keypoints) for chunk in self._chunks)

    def arrays(self, person: int | None = None) -> TakeArrays:
        """The whole take, or one person of it, as arrays.

        Raises:
            TakeError: there is no such person, or the arrays would not fit into memory.
        """
        if person is not None:
            self.require_person(person)
        return make_arrays(self, [person] if person is not None else list(self.people))

    def summary(self) -> TakeSummary:
        """What `posewire info` tells."""
        return summarise(self)

    def skeleton_of(self, person: int) -> Skeleton | None:
        """A person's last skeleton; None when no pose was fitted, or when its record is damaged."""
        return self.skeletons.get(self.require_person(person).skeleton or "")

    def require_person(self, person: int) -> PersonSpan:
        """Where a person is; TakeError lists who is there when the person is not."""
        if person not in self.people:
            allowed = list(self.people) or "nobody: the take has no people"
            hint = f"{typed('posewire', 'info', self.path)} shows who is in it; without --person: everybody"
            raise TakeError("The take has no such person.", got=person, allowed=allowed, hint=hint)
        return self.people[person]

    def _frames_of(self, batch: Batch) -> Iterator[TakeFrame]:
        rows: list[list[tuple[Run, int]]] = [[] for _ in batch.time_s]
        for run in sorted(batch.runs, key=lambda run: run.person_id):
            for number, row in enumerate(run.rows.tolist()):
                rows[row].append((run, number))
        for number, runs in enumerate(rows):
            yield self._frame(batch, number, runs)

    def _frame(self, batch: Batch, number: int, runs: list[tuple[Run, int]]) -> TakeFrame:
        time_s = float(batch.time_s[number])
        skeletons = {
            run.person_id: self.skeletons[run.skeleton] for run, _ in runs if run.skeleton and run.skeleton in self.skeletons
        }
        return TakeFrame(
            time_s,
            int(batch.index[number]),
            int(batch.capture_unix_ns[number]),
            self.cameras.get(int(batch.camera_id[number])),
            tuple(_track(run, row) for run, row in runs if run.track is not None),
            tuple(_pose(run, row, time_s) for run, row in runs if run.pose is not None),
            skeletons,
        )


def _track(run: Run, row: int) -> Track:
    assert run.track is not None
    values = {name: column[row] for name, column in run.track.items() if name != "missed_frames"}
    return Track(run.person_id, **values, missed_frames=int(run.track["missed_frames"][row]))


def _pose(run: Run, row: int, time_s: float) -> SkeletonPose:
    assert run.pose is not None
    values = {name: column[row] for name, column in run.pose.items() if name != "residuals"}
    residuals = dict(zip(run.residual_names, run.pose["residuals"][row].tolist(), strict=True))
    return SkeletonPose(run.person_id, time_s, **values, residuals=residuals)
