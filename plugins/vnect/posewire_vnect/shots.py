"""Rendered crops on disk: what a CPU renders once and a training sees many times.

    python -m posewire_vnect.shots --out shots/train --count 20000
    python -m posewire_vnect.shots --out shots/test --count 1000 --split test

A folder holds shard_00000.npz, shard_00001.npz, ... of SHARD crops each; --count is rounded up to whole ones. The same command
goes on where it was stopped. A training needs two shards, of which it keeps one for validation. Crop n of a split and seed is the
same whenever it is rendered. A folder has crops of one split and seed (origin.json), never test people among training ones.

    python -m posewire_vnect.shots --out shots/train --saved fine/

puts the crops of `posewire synth blender` beside them, as shard_fine_00000.npz, ..., which trainings take, too.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, get_args

import torch
from torch import Tensor

from posewire.errors import ModelError, SettingsError
from posewire_synth.cast import Split
from posewire_synth.dataset import Pictures
from posewire_synth.points import indices
from posewire_synth.saved import Saved
from posewire_synth.studio import Batch
from posewire_training import tensors
from posewire_training.command import at_least_one, command, parser_of
from posewire_training.origin import agreed
from posewire_vnect.names import INPUT_PX, JOINTS

_ASKED: dict[str, Any] = {"pack": Path("data") / "synth.npz", "count": 20_000, "split": "train", "seed": 0}
"""What is rendered, if nothing else is typed."""
SHARD = 256
_BATCH = 16


@dataclass(frozen=True, slots=True, eq=False)
class Shots:
    """N crops with one labelled person each; J = len(JOINTS)."""

    image: Tensor
    """(N, 3, S, S) uint8 RGB."""
    points_px: Tensor
    """(N, J, 2)."""
    points_m: Tensor
    """(N, J, 3) metres, in the axes of the picture's camera."""
    visibility: Tensor
    """(N, J) uint8, posewire_synth.layers: 0 outside, 1 seen, 2 behind itself, 3 behind a thing, 4 behind somebody."""
    K: Tensor
    """(N, 3, 3) of the crop."""

    def __len__(self) -> int:
        return len(self.image)

    def rows(self, index: Tensor | slice) -> Shots:
        """Some of them."""
        return tensors.chosen(self, index)

    def to(self, device: str | torch.device) -> Shots:
        """On another device."""
        return tensors.moved(self, device)


def of_batch(batch: Batch) -> Shots:
    """What posewire_synth rendered, less what VNect does not use."""
    ours = indices(JOINTS)
    image = (batch.image * 255).round().clamp(0, 255).to(torch.uint8)
    visibility = batch.visibility[:, 0, ours].to(torch.uint8)
    return Shots(image, batch.points_px[:, 0, ours], batch.points_m[:, 0, ours], visibility, batch.K)


def load(path: Path) -> Shots:
    """Reads a shard; `tensors.save` writes one."""
    return tensors.load(Shots, path)


def read_all(paths: Sequence[Path]) -> Shots:
    """The crops of several shards."""
    return tensors.joined([load(path) for path in paths])


def name(number: int, kind: str = "") -> str:
    """Of a shard."""
    return f"shard_{kind}{number:05d}.npz"


def shards(folder: Path) -> list[Path]:
    """The shards of a folder, in order.

    Raises:
        ModelError: there are none.
    """
    found = sorted(folder.glob("shard_*.npz"))
    if not found:
        hint = f"python -m posewire_vnect.shots --out {folder}"
        raise ModelError(f"There are no rendered crops in {folder}.", allowed=f"a folder with {name(0)}", hint=hint)
    return found


def check_enough(rendered: Sequence[Path]) -> None:
    """Refuses shards that no training can do with.

    Raises:
        ModelError: there are fewer than two.
    """
    if len(rendered) < 2:
        folder = rendered[0].parent if rendered else "FOLDER"
        hint = f"python -m posewire_vnect.shots --out {folder} --count {2 * SHARD} renders what is missing of two"
        problem = "A training needs two shards of rendered crops: one is kept for validation, the others are learned from."
        raise ModelError(problem, got=len(rendered), allowed=f"2 or more (of {SHARD} crops each)", hint=hint)


def save_all(crops: Shots, folder: Path, kind: str = "") -> list[Path]:
    """Writes crops as shards, in place of all of this kind that the folder holds."""
    firsts = range(0, len(crops), SHARD)
    written = [folder / name(number, kind) for number in range(len(firsts))]
    for path, first in zip(written, firsts, strict=True):
        tensors.save(crops.rows(slice(first, first + SHARD)), path)
    for old in set(folder.glob(f"shard_{kind}{'[0-9]' * 5}.npz")) - set(written):
        old.unlink()
    return written


def take(saved: Path, folder: Path) -> list[Path]:
    """Writes the crops of a folder of batches (posewire_synth.saved) as shards of a kind of their own.

    Raises:
        ModelError: there are none, or one does not read.
        SettingsError: they are no crops of INPUT_PX, or of another split than the folder's.
    """
    parts: list[Shots] = []
    for batch in Saved(saved):
        people, (height, width) = batch.points_px.shape[1], batch.image.shape[2:]
        if (people, height, width) != (1, INPUT_PX, INPUT_PX):
            got, hint = f"{width} x {height}, {people} people", f"posewire synth blender --kind crops --size {INPUT_PX}"
            raise SettingsError(f"The pictures in {saved} are no crops for VNect.", got=got, allowed="one person", hint=hint)
        agreed(folder, crops="rendered", split=batch.split)
        parts.append(of_batch(batch))
    return save_all(tensors.joined(parts), folder, re.sub(r"\W+", "_", saved.resolve().name) + "_")


def shard_count(crops: int) -> int:
    """Shards that hold so many crops, the last one full, too."""
    return -(-crops // SHARD)


def render(pack: Path, folder: Path, count: int, *, split: Split = "train", seed: int = 0) -> Iterator[Path]:
    """Renders the shards that are missing; yields each when it is there.

    Raises:
        SettingsError: the folder holds crops of another split or seed, or of real people.
    """
    agreed(folder, crops="rendered", split=split, seed=seed)
    paths = [folder / name(number) for number in range(shard_count(count))]
    there = next((number for number, path in enumerate(paths) if not path.exists()), len(paths))
    batches = SHARD // _BATCH
    options: dict[str, Any] = {"batch": _BATCH, "side_px": INPUT_PX, "split": split, "seed": seed}
    stream = iter(Pictures(pack, "crops", first=there * batches, **options))
    for path in paths[there:]:
        tensors.save(tensors.joined([of_batch(batch) for batch in islice(stream, batches)]), path)
        yield path


@command
def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = parser_of("posewire_vnect.shots", __doc__)
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--saved", type=Path, metavar="FOLDER", help="take the crops of `posewire synth blender`; render none")
    told: dict[str, Any] = {"default": argparse.SUPPRESS}
    parser.add_argument("--pack", type=Path, metavar="FILE.npz", help=f"default: {_ASKED['pack']}", **told)
    parser.add_argument("--count", type=at_least_one, help=f"crops, in whole shards (default: {_ASKED['count']})", **told)
    parser.add_argument("--split", choices=get_args(Split), help=f"default: {_ASKED['split']}", **told)
    parser.add_argument("--seed", type=int, help=f"default: {_ASKED['seed']}", **told)
    parser.add_argument("--threads", type=int, default=1)
    flags = parser.parse_args(arguments)
    torch.set_num_threads(flags.threads)
    typed = {name: value for name, value in vars(flags).items() if name in _ASKED}
    if flags.saved is not None:
        if typed:
            problem = "--saved takes crops that have been rendered."
            raise SettingsError(problem, got=", ".join(f"--{name}" for name in typed), allowed="--saved FOLDER --out FOLDER")
        print(*(path.name for path in take(flags.saved, flags.out)), sep="\n")
        return
    asked = {**_ASKED, **typed}
    if rounded := shard_count(asked["count"]) * SHARD - asked["count"]:
        print(f"{asked['count'] + rounded} crops instead of {asked['count']}: a shard holds {SHARD}", flush=True)
    began_s = time.monotonic()
    for done, path in enumerate(render(folder=flags.out, **asked), 1):
        print(f"{path.name}  {done * SHARD} crops  {time.monotonic() - began_s:.0f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
