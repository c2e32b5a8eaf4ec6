"""Batches in files: what took long to render is rendered once.

for batch in Saved(Path("fine")): ...         # as dataset.Pictures gives them, in any order of one's own

`python -m posewire_vnect.shots --saved fine/` puts crops among those that VNect learns from.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import get_args

import numpy as np
import torch
from torch.utils.data import IterableDataset, get_worker_info

from posewire.errors import ModelError
from posewire.npz import read_npz, write_npz
from posewire_synth.cast import Split
from posewire_synth.studio import Batch

_TENSORS = tuple(field.name for field in fields(Batch) if field.name != "split")
SIZE = 8
"""Pictures a file."""


def name(number: int) -> str:
    """Of a file."""
    return f"batch_{number:05d}.npz"


def sizes(count: int) -> list[int]:
    """Pictures of each file of `count`."""
    return [min(SIZE, count - first) for first in range(0, count, SIZE)]


def save(batch: Batch, path: Path) -> None:
    """Writes a batch: the picture in 8 bits, everything else as it is."""
    arrays = {name: getattr(batch, name).cpu().numpy() for name in _TENSORS}
    arrays["image"] = (arrays["image"] * 255).round().clip(0, 255).astype(np.uint8)
    write_npz(path, {**arrays, "split": np.array(batch.split)})


def load(path: Path) -> Batch:
    """Reads a batch.

    Raises:
        ModelError: the file is missing, damaged, something else, or does not say of which split its people are.
    """
    try:
        arrays = read_npz(path)
        tensors = {name: torch.from_numpy(arrays[name]) for name in _TENSORS}
        split = next(split for split in get_args(Split) if split == arrays["split"].item())
    except (OSError, ValueError, KeyError, StopIteration) as error:
        got = f"{type(error).__name__}: {error}"
        raise ModelError(f"{path} is no file of pictures.", got=got, hint="posewire synth blender makes them") from error
    return Batch(**(tensors | {"image": tensors["image"].float() / 255}), split=split)


class Saved(IterableDataset[Batch]):
    """The batches of a folder, once, shared by workers."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._paths = sorted(folder.glob("batch_*.npz"))
        if not self._paths:
            raise ModelError(f"There are no pictures in {folder}.", allowed=name(0), hint="posewire synth blender makes them")

    def __iter__(self) -> Iterator[Batch]:
        worker = get_worker_info()
        first, step = (0, 1) if worker is None else (worker.id, worker.num_workers)
        yield from map(load, self._paths[first::step])
