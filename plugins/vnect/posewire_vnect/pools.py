"""Cached features in a training: a few files at a time are in memory, mixed, and replaced by others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from posewire.errors import ModelError
from posewire_training import tensors
from posewire_vnect import cache
from posewire_vnect.features import Features
from posewire_vnect.real import real_count
from posewire_vnect.truth import Truth

_FILES = 6
"""In memory at once: 1536 views, half a gigabyte."""


class Pool:
    """Batches of cached views; the batch of a step is the same whenever the same files are there.

    Args:
        files: Rendered views.
        real: Views of real people with pseudo-labels, or none.
        batch: Views a step.
        real_share: Of them real.
        seed: Source of chance.
    """

    def __init__(self, files: list[Path], real: list[Path], *, batch: int, real_share: float, seed: int) -> None:
        if not files:
            raise ModelError("There are no cached features.", hint="give posewire_vnect.train --shots with two shards")
        self._files, self._real, self._seed = files, real, seed
        self._from_real = real_count(batch, real_share) if real else 0
        self._from_rendered = batch - self._from_real
        self._number, self._rendered, self._known = -1, _Part([]), _Part([])

    def batch(self, step: int) -> tuple[Features, Truth]:
        """Features as float32, channels last: twice as fast on a CPU."""
        steps = max(1, min(_FILES, len(self._files)) * 256 // self._from_rendered)
        if step // steps != self._number:
            self._number = step // steps
            rng = np.random.default_rng([self._seed, 4, self._number])
            self._rendered = _Part(_some(rng, self._files, _FILES))
            self._known = _Part(_some(rng, self._real, 2))
        rng = np.random.default_rng([self._seed, 5, step])
        parts = [self._rendered.rows(_turn(step % steps, self._from_rendered, self._rendered.order(self._seed)))]
        if self._from_real:
            parts.append(self._known.rows(torch.as_tensor(rng.integers(0, len(self._known), self._from_real))))
        return joined(parts)


class _Part:
    """Some files in memory."""

    def __init__(self, files: list[Path]) -> None:
        read = [cache.read(path) for path in files]
        self._features = Features(*(torch.cat(parts) for parts in zip(*(one[0] for one in read), strict=True))) if read else None
        self._truth = tensors.joined([one[1] for one in read]) if read else None

    def __len__(self) -> int:
        return 0 if self._truth is None else len(self._truth.cells)

    def order(self, seed: int) -> Tensor:
        return torch.as_tensor(np.random.default_rng([seed, 6]).permutation(len(self)))

    def rows(self, index: Tensor) -> tuple[Features, Truth]:
        assert self._features is not None and self._truth is not None
        return Features(*(part[index] for part in self._features)), self._truth.rows(index)


def _some(rng: np.random.Generator, files: list[Path], count: int) -> list[Path]:
    chosen: NDArray[np.int64] = rng.permutation(len(files))[:count]
    return [files[number] for number in chosen]


def _turn(number: int, size: int, order: Tensor) -> Tensor:
    first = number * size % max(1, len(order))
    return torch.cat([order, order])[first : first + size]


def joined(parts: list[tuple[Features, Truth]]) -> tuple[Features, Truth]:
    """One batch, features as float32."""
    features = [torch.cat(some).float() for some in zip(*(part[0] for part in parts), strict=True)]
    laid = [part.contiguous(memory_format=torch.channels_last) if part.dim() == 4 else part for part in features]
    return Features(*laid), tensors.joined([part[1] for part in parts])
