"""Motion in metres on the universal skeleton, in one small file, with its split: train and test never meet.

A file is about 100 bytes a frame. Poses are stored root-relative as 16-bit multiples of 0.05 mm (an error of 0.025 mm, where half
floats would err by 0.25 mm and shake accelerations), the root apart in 32-bit floats.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from posewire.npz import read_npz, write_npz
from posewire_data.errors import DatasetError
from posewire_data.joints import JOINTS, ROOT, root_relative

Split = Literal["train", "test"]
SPLITS: tuple[Split, ...] = ("train", "test")
Float32Array = NDArray[np.float32]
FORMAT = 1
UNIT_M = 5e-5
_FIELDS = ("format", "joints", "poses", "roots_m", "starts", "names", "sources", "subjects", "activities", "splits", "rates_hz")

TEST_SUBJECTS: dict[str, frozenset[str]] = {
    "cmu": frozenset({"13"}),
    "h36m": frozenset({"S9", "S11"}),
    "mpi_inf_3dhp": frozenset({f"TS{i}" for i in range(1, 7)}),
    "mupots": frozenset({f"TS{i}" for i in range(1, 21)}),
}
"""Source to the subjects that are for testing only. 3DPW comes with folders of its own and is tagged by them."""


def split_of(source: str, subject: str) -> Split:
    """Where a subject belongs."""
    return "test" if subject in TEST_SUBJECTS.get(source, frozenset()) else "train"


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """One uninterrupted motion of one person."""

    name: str
    source: str
    """cmu, h36m, ..."""
    subject: str
    activity: str
    rate_hz: float
    positions_m: Float32Array
    """(F, 17, 3) metres, world, +Y up, floor near y = 0; NaN = not annotated."""

    def __post_init__(self) -> None:
        positions = np.asarray(self.positions_m, dtype=np.float32)
        if positions.ndim != 3 or positions.shape[1:] != (len(JOINTS), 3):
            raise DatasetError(
                f"The clip {self.name} has another skeleton.", got=positions.shape, allowed=f"(frames, {len(JOINTS)}, 3)"
            )
        positions = positions.view()
        positions.flags.writeable = False
        object.__setattr__(self, "positions_m", positions)

    def __len__(self) -> int:
        return len(self.positions_m)

    def every(self, step: int) -> Clip:
        """Every step-th frame."""
        return replace(self, rate_hz=self.rate_hz / step, positions_m=self.positions_m[::step])


@dataclass(frozen=True, slots=True, eq=False)
class MotionSet:
    """Clips of one split.

    Raises:
        DatasetError: a training set with a subject that is for testing, or a test set with one that is for training.
    """

    split: Split
    clips: tuple[Clip, ...]

    def __post_init__(self) -> None:
        wrong = sorted({f"{c.source} {c.subject}" for c in self.clips if self._forbids(c)})
        if wrong:
            raise DatasetError(
                f"A {self.split} set must not hold these subjects: training and test data are never mixed.",
                got=", ".join(wrong),
                allowed=f"subjects of the {self.split} split",
                hint='load(path, "train") and load(path, "test") give each its own',
            )

    def _forbids(self, clip: Clip) -> bool:
        return clip.source in TEST_SUBJECTS and split_of(clip.source, clip.subject) != self.split

    @property
    def subjects(self) -> tuple[str, ...]:
        """Every subject once, sorted."""
        return tuple(sorted({clip.subject for clip in self.clips}))

    @property
    def frame_count(self) -> int:
        """Frames of all clips together."""
        return sum(len(clip) for clip in self.clips)

    def frames_m(self) -> Float32Array:
        """All frames (sum of F, 17, 3) in the order of the clips."""
        return (
            np.concatenate([clip.positions_m for clip in self.clips]) if self.clips else np.empty((0, len(JOINTS), 3), np.float32)
        )

    def frame_clips(self) -> NDArray[np.int64]:
        """(sum of F,) the clip's index of every row of frames_m."""
        return np.repeat(np.arange(len(self.clips)), [len(clip) for clip in self.clips])

    def windows(self, length: int, stride: int = 1) -> NDArray[np.int64]:
        """(W, length) rows of frames_m: every window of `length` frames that stays inside one clip."""
        starts: list[NDArray[np.int64]] = []
        first = 0
        for clip in self.clips:
            starts.append(np.arange(first, first + len(clip) - length + 1, stride, dtype=np.int64))
            first += len(clip)
        return (np.concatenate(starts) if starts else np.empty(0, np.int64))[:, None] + np.arange(length)

    def every(self, step: int) -> MotionSet:
        """Every step-th frame of every clip."""
        return replace(self, clips=tuple(clip.every(step) for clip in self.clips))

    def divided(self, subjects: Sequence[str]) -> tuple[MotionSet, MotionSet]:
        """Without these subjects, and only these: to choose a model by, without touching the test subjects.

        Raises:
            DatasetError: a subject is not there.
        """
        unknown = sorted(set(subjects) - set(self.subjects))
        if unknown:
            raise DatasetError(f"The {self.split} set has no such subject.", got=", ".join(unknown), allowed=list(self.subjects))
        mine = tuple(clip for clip in self.clips if clip.subject not in subjects)
        theirs = tuple(clip for clip in self.clips if clip.subject in subjects)
        return replace(self, clips=mine), replace(self, clips=theirs)


def save(path: Path, sets: Sequence[MotionSet]) -> None:
    """Writes sets into one file (.npz).

    Raises:
        DatasetError: a pelvis is missing, a joint is too far from it, or the file cannot be written.
    """
    rows = [(one.split, clip) for one in sets for clip in one.clips]
    clips = [clip for _, clip in rows]
    positions = np.concatenate([clip.positions_m for clip in clips])
    if not np.isfinite(positions[:, ROOT]).all():
        raise DatasetError("A packed motion needs a pelvis in every frame.", got="NaN", hint="drop those frames first")
    arrays: dict[str, Any] = {
        "format": FORMAT,
        "joints": np.array(JOINTS),
        "poses": _quantised(root_relative(positions)),
        "roots_m": positions[:, ROOT].astype(np.float32),
        "starts": np.cumsum([0, *(len(clip) for clip in clips)]),
        "names": np.array([clip.name for clip in clips]),
        "sources": np.array([clip.source for clip in clips]),
        "subjects": np.array([clip.subject for clip in clips]),
        "activities": np.array([clip.activity for clip in clips]),
        "splits": np.array([split for split, _ in rows]),
        "rates_hz": np.array([clip.rate_hz for clip in clips]),
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_npz(path, arrays)
    except OSError as error:
        raise DatasetError(f"{path} cannot be written.", got=error, allowed="a folder that may be written to") from error


_UNSEEN = np.int16(-32768)


def _quantised(poses_m: Float32Array) -> NDArray[np.int16]:
    """Metres to 16-bit multiples of UNIT_M; the lowest value means unseen."""
    steps = np.round(poses_m / UNIT_M)
    if np.nanmax(np.abs(steps)) > 32767:
        raise DatasetError("A joint is farther from the pelvis than a packed motion can say.", allowed="1.6 m", hint="units?")
    return np.where(np.isfinite(steps), np.nan_to_num(steps), float(_UNSEEN)).astype(np.int16)


def load(path: Path, split: Split) -> MotionSet:
    """The clips of one split of a packed file.

    Raises:
        DatasetError: the file is missing, damaged, of another version or skeleton, or has no clip of this split.
    """
    try:
        arrays = read_npz(path)
        stored = {name: arrays[name] for name in _FIELDS}
    except (OSError, ValueError, KeyError) as error:
        got = f"{type(error).__name__}: {error}"
        raise DatasetError(f"{path} is not a packed motion.", got=got, hint="python -m posewire_data.pack makes one") from error
    if int(stored["format"]) != FORMAT or tuple(stored["joints"]) != JOINTS:
        got = f"format {stored['format']}, {len(stored['joints'])} joints"
        allowed = f"format {FORMAT}, {len(JOINTS)} joints"
        raise DatasetError(f"{path} is of another version.", got=got, allowed=allowed, hint="pack again")
    poses = stored["poses"]
    relative_m = np.where(poses == _UNSEEN, np.nan, poses * UNIT_M)
    positions_m = (relative_m + stored["roots_m"][:, None].astype(np.float64)).astype(np.float32)
    clips = tuple(
        Clip(
            str(stored["names"][i]),
            str(stored["sources"][i]),
            str(stored["subjects"][i]),
            str(stored["activities"][i]),
            float(stored["rates_hz"][i]),
            positions_m[stored["starts"][i] : stored["starts"][i + 1]],
        )
        for i in np.flatnonzero(stored["splits"] == split)
    )
    if not clips:
        raise DatasetError(f"{path} has no {split} clips.", got=", ".join(sorted(set(map(str, stored["splits"])))))
    return MotionSet(split, clips)
