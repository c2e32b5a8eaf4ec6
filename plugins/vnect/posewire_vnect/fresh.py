"""A training on crops from disk, each seen through a new view and a new lens every time, with a trunk that may learn.

What the frozen trunk's cached features cannot give: views never repeat, and the trunk gets to know rendered people. So that it
does not forget real ones, a share of each batch are real crops, on which its features are held to those of the trunk it began as
(feature distillation), and its first layers may stay as they are (--trunk-from).
"""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from posewire_synth.degrade import blurred, recoloured
from posewire_training.task import Scores
from posewire_vnect.features import Features
from posewire_vnect.pools import joined_truth
from posewire_vnect.settings import VNectSettings
from posewire_vnect.shots import Shots, check_enough, joined, load
from posewire_vnect.tasks import Learning, scores
from posewire_vnect.truth import Truth, centred_views, of_shots, random_views, seen_again

_TILT_DEG, _LYING = 20.0, 0.15
"""Standard deviation of a view's turn, and share of those turned by any angle: sports turn people further than walking does."""
_BLURRED = 0.3
"""Share of the batches that are blurred."""
_SMALL, _SMALL_SIDES_PX = 0.15, (80, 200)
"""Share of the views that are taken from fewer pixels, and from how many to how many."""
_KEPT_REAL = 5
"""One real crop of so many is kept for validation."""
_FIT_VIEWS = 1024
"""From which the coarse pose of a head that never learned begins."""
_AT_ONCE = 32
"""Crops of a batch in validation."""


class FreshTask(Learning):
    """Trunk and head; the first rendered shard and a fifth of the real crops are kept for validation.

    Args:
        settings: Of the run.
        trunk: Learns where `settings.trunk_rate` is above 0.
        head: Of `build.head`.
        rendered: Shards of posewire_vnect.shots, all held in memory: 0.2 MB a crop.
        real: Shards of posewire_vnect.footage, or none.
        begun: See Learning.
    """

    trunk: nn.Module

    def __init__(
        self, settings: VNectSettings, trunk: nn.Module, head: nn.Module, rendered: list[Path], real: list[Path], *, begun: bool
    ) -> None:
        check_enough(rendered)
        modules = (module.to(memory_format=torch.channels_last) for module in (trunk, head))  # pyright: ignore[reportCallIssue]
        super().__init__(settings, *modules, begun=begun)
        self._kept, self._rendered = load(rendered[0]), joined([load(path) for path in rendered[1:]])
        self._kept_real, self._real = _parted(joined([load(path) for path in real])) if real else (None, None)
        self._from_real = round(settings.batch * settings.real_share) if real else 0
        held = self._from_real and settings.distil > 0 and settings.trunk_rate > 0
        self._original = copy.deepcopy(trunk).eval().requires_grad_(False) if held else None

    def step(self, number: int, progress: float) -> Scores:
        self.begin(number, self._some_vectors)
        image, truth = self.batch(number)
        with torch.autocast(self.settings.device, torch.bfloat16, enabled=self.settings.bf16):
            with torch.set_grad_enabled(self.settings.trunk_rate > 0):
                features: Features = self.trunk(image)
            drift = None if self._original is None else drifted(features, self._original, image, self._from_real)
            said = self.head(features)
        return self.learn(said, truth, progress, drift)

    def batch(self, number: int) -> tuple[Tensor, Truth]:
        """Pictures and their truth, real ones last. It hangs on the step's number alone."""
        rng, seed = np.random.default_rng([self.settings.seed, 8, number]), self.settings.seed
        parts = [_seen(rng, _next_of(self._rendered, number, self.settings.batch - self._from_real, seed))]
        if self._real and self._from_real:
            parts.append(_seen(rng, _next_of(self._real, number, self._from_real, seed)))
        image = torch.cat([part[0] for part in parts]).contiguous(memory_format=torch.channels_last)
        return image.to(self.settings.device), joined_truth([part[1] for part in parts]).to(self.settings.device)

    @torch.no_grad()
    def _some_vectors(self) -> tuple[Tensor, Tensor]:
        """Of the first steps' views, to begin from."""
        drawn = [self.batch(number) for number in range(-(-_FIT_VIEWS // self.settings.batch))]
        return torch.cat([self.trunk(image).vector for image, _ in drawn]), torch.cat([truth.joints_m for _, truth in drawn])

    def validate(self) -> Scores:
        known = self._scores(self._kept_real) if self._kept_real else {}
        return {**self._scores(self._kept), **{f"real_{name}": value for name, value in known.items()}}

    def _scores(self, kept: Shots) -> Scores:
        A = centred_views(kept)
        pictures = (seen_again(part.image.float() / 255, A[rows]) for part, rows in _parts(kept))
        laid = (image.to(self.settings.device, memory_format=torch.channels_last) for image in pictures)
        return scores([self.head(self.trunk(image)) for image in laid], of_shots(kept, A).to(self.settings.device))


def drifted(features: Features, original: nn.Module, image: Tensor, real: int) -> Tensor:
    """How far the features of the last `real` crops lie from what the original trunk says of them, 1 = by their own deviation."""
    with torch.no_grad():
        before: Features = original(image[-real:])
    pairs = [(now[-real:].float(), was.float()) for now, was in zip(features, before, strict=True)]
    off = [(now - was).square().mean() / was.var() for now, was in pairs]
    return torch.stack(off).mean()


def _parted(real: Shots) -> tuple[Shots, Shots]:
    """Those kept for validation, and those that are learned from."""
    kept = torch.arange(len(real)) % _KEPT_REAL == 0
    return real.rows(kept), real.rows(~kept)


def _parts(shots: Shots) -> list[tuple[Shots, slice]]:
    rows = [slice(first, first + _AT_ONCE) for first in range(0, len(shots), _AT_ONCE)]
    return [(shots.rows(row), row) for row in rows]


def _next_of(shots: Shots, number: int, size: int, seed: int) -> Shots:
    """Batch `number` of `size` crops of an endless row of shuffles."""
    rounds, places = np.divmod(np.arange(number * size, (number + 1) * size), len(shots))
    orders = {turn: np.random.default_rng([seed, 9, turn]).permutation(len(shots)) for turn in np.unique(rounds).tolist()}
    chosen = [orders[turn][place] for turn, place in zip(rounds.tolist(), places.tolist(), strict=True)]
    return shots.rows(torch.as_tensor(np.asarray(chosen)))


def _seen(rng: np.random.Generator, shots: Shots) -> tuple[Tensor, Truth]:
    """Crops through new views and lenses."""
    A = random_views(rng, shots, tilt_deg=_TILT_DEG, lying=_LYING)
    image = seen_again(shots.image.float() / 255, A).clamp(0, 1)
    image = _from_fewer_pixels(rng, blurred(image, rng) if rng.random() < _BLURRED else image)
    return recoloured(image, rng), of_shots(shots, A)


def _from_fewer_pixels(rng: np.random.Generator, image: Tensor) -> Tensor:
    """Some of the pictures as if their person were small in the frame."""
    rows = torch.as_tensor(np.flatnonzero(rng.random(len(image)) < _SMALL))
    if not len(rows):
        return image
    side = int(rng.integers(*_SMALL_SIDES_PX))
    small = nn.functional.interpolate(image[rows], size=(side, side), mode="area")
    return image.index_copy(0, rows, nn.functional.interpolate(small, size=image.shape[2:], mode="bilinear"))
