"""Crops of real people in a training on rendered ones: those that are learned from, and those that are kept to choose by."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from posewire.errors import SettingsError
from posewire_vnect import looks
from posewire_vnect.settings import VNectSettings
from posewire_vnect.shots import Shots, read_all
from posewire_vnect.truth import Truth

_KEPT = 5
"""One crop of so many is kept where no others are."""


class RealCrops:
    """A share of each batch.

    Args:
        settings: Of the run.
        files: Shards of posewire_vnect.footage, held in memory: 0.2 MB a crop.
        kept: Shards of other clips to choose by; without them a fifth of `files` is kept, which shows the same people.

    Raises:
        SettingsError: none is left to learn from, or no rendered one in a batch.
    """

    def __init__(self, settings: VNectSettings, files: Sequence[Path], kept: Sequence[Path] = ()) -> None:
        self._settings = settings
        known = read_all(files)
        self.kept, self._learned = (read_all(kept), known) if kept else _parted(known)
        if not len(self._learned):
            problem, allowed = "Real crops are learned from, and some of them kept to choose by.", "2 and more, or --real-kept"
            raise SettingsError(problem, got=f"{len(known)} crop", allowed=allowed)
        self.count = real_count(settings.batch, settings.real_share)
        """Of a batch."""

    def seen(self, rng: np.random.Generator, number: int) -> tuple[Tensor, Truth]:
        """Batch `number`, on the device that learns."""
        chosen = looks.next_of(self._learned, number, self.count, self._settings.seed)
        return looks.seen(rng, chosen.to(self._settings.device))


def real_count(batch: int, share: float) -> int:
    """How many crops of a batch are real.

    Raises:
        SettingsError: no rendered one would be left.
    """
    count = round(batch * share)
    if count == batch:
        got, hint = f"--batch {batch} --real-share {share}", "--real-share 0.15"
        raise SettingsError("No rendered crop is left in a batch.", got=got, allowed="some of them", hint=hint)
    return count


def _parted(real: Shots) -> tuple[Shots, Shots]:
    """Those kept for validation, and those that are learned from."""
    kept = torch.arange(len(real)) % _KEPT == 0
    return real.rows(kept), real.rows(~kept)
