"""Rendered crops on disk: what a CPU renders once and a training sees many times.

    python -m posewire_vnect.shots --out shots/train --count 20000
    python -m posewire_vnect.shots --out shots/test --count 1000 --split test

A folder holds shard_00000.npz, shard_00001.npz, ... of SHARD crops each; --count is rounded up to whole ones. The same command
goes on where it was stopped. A training needs two shards, of which it keeps one for validation. Crop n of a split and seed is the
same whenever it is rendered.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch
from torch import Tensor

from posewire.errors import ModelError
from posewire_synth.cast import Split
from posewire_synth.dataset import Pictures
from posewire_synth.points import indices
from posewire_synth.studio import Batch
from posewire_training.command import command
from posewire_vnect.names import INPUT_PX, JOINTS

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
        return Shots(*(getattr(self, name)[index] for name in FIELDS))

    def to(self, device: str | torch.device) -> Shots:
        """On another device."""
        return Shots(*(getattr(self, name).to(device) for name in FIELDS))


FIELDS: tuple[str, ...] = tuple(Shots.__dataclass_fields__)


def of_batch(batch: Batch) -> Shots:
    """What posewire_synth rendered, less what VNect does not use."""
    ours = indices(JOINTS)
    image = (batch.image * 255).round().clamp(0, 255).to(torch.uint8)
    visibility = batch.visibility[:, 0, ours].to(torch.uint8)
    return Shots(image, batch.points_px[:, 0, ours], batch.points_m[:, 0, ours], visibility, batch.K)


def joined(parts: Sequence[Shots]) -> Shots:
    """One after the other."""
    return Shots(*(torch.cat([getattr(part, name) for part in parts]) for name in FIELDS))


def save(shots: Shots, path: Path) -> None:
    """Writes a shard, never half of one."""
    beside = path.with_suffix(".new.npz")
    np.savez(beside, **{name: getattr(shots, name).cpu().numpy() for name in FIELDS})
    beside.replace(path)


def load(path: Path) -> Shots:
    """Reads a shard."""
    with np.load(path) as file:
        return Shots(*(torch.from_numpy(file[name]) for name in FIELDS))


def shards(folder: Path) -> list[Path]:
    """The shards of a folder, in order.

    Raises:
        ModelError: there are none.
    """
    found = [path for path in sorted(folder.glob("shard_*.npz")) if not path.name.endswith(".new.npz")]
    if not found:
        hint = f"python -m posewire_vnect.shots --out {folder}"
        raise ModelError(f"There are no rendered crops in {folder}.", allowed="a folder with shard_00000.npz", hint=hint)
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


def shard_count(crops: int) -> int:
    """Shards that hold so many crops, the last one full, too."""
    return -(-crops // SHARD)


def render(pack: Path, folder: Path, count: int, *, split: Split = "train", seed: int = 0) -> Iterator[Path]:
    """Renders the shards that are missing; yields each when it is there."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"shard_{number:05d}.npz" for number in range(shard_count(count))]
    there = next((number for number, path in enumerate(paths) if not path.exists()), len(paths))
    batches = SHARD // _BATCH
    options: dict[str, Any] = {"batch": _BATCH, "side_px": INPUT_PX, "split": split, "seed": seed}
    stream = iter(Pictures(pack, "crops", first=there * batches, **options))
    for path in paths[there:]:
        save(joined([of_batch(batch) for batch in islice(stream, batches)]), path)
        yield path


@command
def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m posewire_vnect.shots", description="Renders crops for a training.")
    parser.add_argument("--pack", type=Path, default=Path("data") / "synth.npz", metavar="FILE.npz")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--count", type=int, default=20_000, help="crops, rounded up to whole shards")
    parser.add_argument("--split", choices=get_args(Split), default="train")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    flags = parser.parse_args(arguments)
    torch.set_num_threads(flags.threads)
    if rounded := shard_count(flags.count) * SHARD - flags.count:
        print(f"{flags.count + rounded} crops instead of {flags.count}: a shard holds {SHARD}", flush=True)
    began_s = time.monotonic()
    for done, path in enumerate(render(flags.pack, flags.out, flags.count, split=flags.split, seed=flags.seed), 1):
        print(f"{path.name}  {done * SHARD} crops  {time.monotonic() - began_s:.0f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
