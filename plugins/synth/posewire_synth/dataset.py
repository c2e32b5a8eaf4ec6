"""Endless batches for a training loop: a torch IterableDataset that may be shared by any number of worker processes.

    loader = DataLoader(Pictures(pack_path, "crops", batch=32, side_px=256), batch_size=None, num_workers=2)
    for batch in loader: ...

On a GPU take `device="cuda"` and no workers: everything is rendered where it is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, TypeAlias

import torch
from torch.utils.data import IterableDataset, get_worker_info

from posewire_synth.cast import Split
from posewire_synth.pack import load
from posewire_synth.studio import Batch, Studio

Kind: TypeAlias = Literal["crops", "groups"]

_STRIDE = 1_000_003
"""Between the batches' seeds of neighbouring seeds, so that seed 1 is not seed 0 shifted by a batch."""


class Pictures(IterableDataset[Batch]):
    """Batches number `first`, first + 1, ... of a seed; batch n is the same whoever renders it.

    Args:
        pack: File of a pack.
        kind: "crops" (one labelled person, square) or "groups" (one to six, see `size`).
        batch: Pictures a batch.
        side_px: Side of crops: 256 or 368, any multiple of 16.
        size: H, W of groups, multiples of 16.
        split: "train" or "test".
        seed: Source of chance.
        first: Where to begin, to resume a training.
        count: Batches to give; None for endless.
        device: Where to render.
        erase: Random erasing on top.
        procedural: See Studio.
    """

    def __init__(
        self,
        pack: Path,
        kind: Kind,
        *,
        batch: int,
        side_px: int = 256,
        size: tuple[int, int] = (320, 512),
        split: Split = "train",
        seed: int = 0,
        first: int = 0,
        count: int | None = None,
        device: str = "cpu",
        erase: bool = True,
        procedural: int | None = None,
    ) -> None:
        super().__init__()
        self._pack, self._kind, self._batch, self._side_px, self._size = pack, kind, batch, side_px, size
        self._split: Split = split
        self._seed, self._first, self._count, self._device, self._erase = seed, first, count, device, erase
        self._procedural = procedural

    def __iter__(self) -> Iterator[Batch]:
        worker = get_worker_info()
        number, step = (0, 1) if worker is None else (worker.id, worker.num_workers)
        if worker is not None:
            torch.set_num_threads(1)
        studio = Studio(load(self._pack), self._split, self._device, procedural=self._procedural)
        while self._count is None or number < self._count:
            yield self._rendered(studio, self._seed * _STRIDE + self._first + number)
            number += step

    def _rendered(self, studio: Studio, seed: int) -> Batch:
        if self._kind == "crops":
            batch = studio.crops(seed, self._batch, self._side_px)
        else:
            batch = studio.groups(seed, self._batch, self._size)
        return studio.erased(batch, seed) if self._erase else batch
