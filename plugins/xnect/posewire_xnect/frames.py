"""Labelled frames of films in a training (footage.add_pictures): those that are learned from, and those that are kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from posewire.errors import SettingsError
from posewire_training import tensors
from posewire_xnect import album
from posewire_xnect.album import Album

T = TypeVar("T")

_KEPT = 10
"""Every tenth is kept where no others are."""


class Ahead(Generic[T]):
    """Makes what a step needs while the step before it is computed, so that no GPU waits for it.

    Args:
        make: Of a step's number, and of nothing else.
    """

    def __init__(self, make: Callable[[int], T]) -> None:
        self._make, self._worker = make, ThreadPoolExecutor(1)
        self._next: tuple[int, Future[T]] | None = None

    def of(self, number: int) -> T:
        """What a step needs; that of the next one is begun."""
        known = self._next[1] if self._next and self._next[0] == number else self._worker.submit(self._make, number)
        self._next = number + 1, self._worker.submit(self._make, number + 1)
        return known.result()


class Frames:
    """All held in memory, 0.5 MB each.

    Args:
        files: Of album.py.
        kept: Files of other films to choose by; without them every tenth of `files` is kept, which shows the same people.

    Raises:
        SettingsError: none is left to learn from.
    """

    def __init__(self, files: Sequence[Path], kept: Sequence[Path] = ()) -> None:
        known = album.read_all(files)
        self.learned, self.kept = (known, album.read_all(kept)) if kept else _divided(known)
        if not len(self.learned):
            problem, allowed = "Frames are learned from, and some of them kept to choose by.", "2 and more, or --footage-kept"
            raise SettingsError(problem, got=f"{len(known)} frame", allowed=allowed)

    def some(self, rng: np.random.Generator, count: int) -> NDArray[np.int64]:
        """Numbers of frames to learn from."""
        return rng.integers(0, len(self.learned), count)


def frames_of(real: Path | None, kept: Path | None) -> Frames | None:
    """Of the folders that were given.

    Raises:
        SettingsError: there are some to choose by, but none to learn from.
    """
    if real is None and kept is not None:
        problem = "--footage-kept holds frames to choose by, where others are learned from."
        raise SettingsError(problem, got="--footage-kept without --footage", allowed="both, or --footage alone")
    return None if real is None else Frames(album.paths(real), album.paths(kept) if kept else [])


def _divided(known: Album) -> tuple[Album, Album]:
    """Those that are learned from, and those that are kept."""
    kept = torch.arange(len(known)) % _KEPT == 0
    return tensors.chosen(known, ~kept), tensors.chosen(known, kept)
