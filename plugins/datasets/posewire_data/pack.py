"""`python -m posewire_data.pack --motion FOLDER --out FILE.npz`: motion in one small file, in two splits.

Several datasets may go into one file; each keeps its own test subjects.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from posewire.errors import EXIT_CODE, PosewireError
from posewire_data import asf_amc, bodies, cmu, h36m, pw3d
from posewire_data.errors import DatasetError
from posewire_data.joints import ROOT
from posewire_data.motion import SPLITS, Clip, MotionSet, Split, save, split_of

_SPLIT_DATASETS: dict[str, Callable[[Path, Split], Iterator[Clip]]] = {"h36m": h36m.read_clips, "3dpw": pw3d.read_clips}
"""Datasets that say themselves what is for testing."""
_SHORTEST_FRAMES = 12
_SAME_SIZE = 1e-3


def clips_of(source: str, folder: Path, rate_hz: float, knee_to_neck_m: float | None) -> Iterator[tuple[Split, Clip]]:
    """The clips of a dataset with their split: cmu (BVH), cmu_asf, h36m or 3dpw; at the universal height, None = at their own."""
    for split, clip in _found(source, folder, rate_hz, knee_to_neck_m):
        for part in _whole(clip.every(max(1, round(clip.rate_hz / rate_hz)))):
            yield split, _sized(part, knee_to_neck_m)


def _found(source: str, folder: Path, rate_hz: float, knee_to_neck_m: float | None) -> Iterator[tuple[Split, Clip]]:
    if source in _SPLIT_DATASETS:
        for split in SPLITS:
            for clip in _SPLIT_DATASETS[source](folder, split):
                yield split, clip
        return
    # The BVH reader looks for jumps in metres, so it must know the size itself.
    clips = cmu.read_clips(folder, rate_hz, knee_to_neck_m) if source == "cmu" else asf_amc.read_clips(folder)
    for clip in clips:
        yield split_of("cmu", clip.subject), clip


def _whole(clip: Clip) -> Iterator[Clip]:
    """The stretches of a clip in which the pelvis is known."""
    known = np.isfinite(clip.positions_m[:, ROOT]).all(axis=-1)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], known, [False]]).astype(np.int8))).reshape(-1, 2).tolist()
    for part, (start, end) in enumerate(edges):
        if end - start >= _SHORTEST_FRAMES:
            name = clip.name if part == 0 else f"{clip.name} part {part + 1}"
            yield replace(clip, name=name, positions_m=clip.positions_m[start:end])


def _sized(clip: Clip, knee_to_neck_m: float | None) -> Clip:
    own_m = bodies.knee_to_neck_m(clip.positions_m)
    if knee_to_neck_m is None or abs(own_m / knee_to_neck_m - 1) < _SAME_SIZE:
        return clip
    return replace(clip, positions_m=clip.positions_m * np.float32(knee_to_neck_m / own_m))


def pack(
    folders: Sequence[tuple[str, Path]], out: Path, rate_hz: float = 60.0, knee_to_neck_m: float | None = bodies.KNEE_TO_NECK_M
) -> list[MotionSet]:
    """Reads (source, folder) pairs, splits and writes; returns the sets that were written, leaving out an empty one.

    Raises:
        DatasetError: nothing was found, or the rate is none.
    """
    if not rate_hz > 0.0:
        raise DatasetError("--rate is frames a second.", got=rate_hz, allowed="above 0", hint="--rate 60")
    found: dict[Split, list[Clip]] = {"train": [], "test": []}
    for source, folder in folders:
        for split, clip in clips_of(source, folder, rate_hz, knee_to_neck_m):
            found[split].append(clip)
    sets = [MotionSet(split, tuple(clips)) for split, clips in found.items() if clips]
    if not sets:
        raise DatasetError("There is nothing to pack.", got=", ".join(str(folder) for _, folder in folders) or "no folder")
    save(out, sets)
    return sets


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m posewire_data.pack", description="Motion in one small file, in two splits.")
    parser.add_argument("--motion", type=Path, metavar="FOLDER", help="CMU's BVH files, or archives of them")
    parser.add_argument("--cmu-asf", type=Path, metavar="FOLDER", help="CMU's own .asf and .amc files")
    parser.add_argument("--h36m", type=Path, metavar="FOLDER", help="Human3.6M, or VideoPose3D's conversion of it")
    parser.add_argument("--3dpw", type=Path, metavar="FOLDER", dest="pw3d", help="3DPW")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.npz")
    parser.add_argument("--rate", type=float, default=60.0, metavar="HZ", help="rate to keep (default: 60)")
    parser.add_argument("--own-size", action="store_true", help="keep the files' size instead of a knee-to-neck height of 930 mm")
    flags = parser.parse_args(arguments)
    asked = (("cmu", flags.motion), ("cmu_asf", flags.cmu_asf), ("h36m", flags.h36m), ("3dpw", flags.pw3d))
    folders = [(source, folder) for source, folder in asked if folder is not None]
    try:
        sets = pack(folders, flags.out, flags.rate, None if flags.own_size else bodies.KNEE_TO_NECK_M)
    except PosewireError as error:
        print(error, file=sys.stderr)
        return EXIT_CODE
    for one in sets:
        print(f"{one.split:6} {len(one.clips):4} clips {one.frame_count:7} frames, subjects {' '.join(one.subjects)}")
    print(f"{flags.out}: {flags.out.stat().st_size / 2**20:.1f} MiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
