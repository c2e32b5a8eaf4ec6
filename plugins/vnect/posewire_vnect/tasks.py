"""What is learned from: cached features of a frozen trunk (CPU), or pictures rendered as they are needed (GPU, slow trunk)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

from posewire_synth.pack import Pack
from posewire_synth.studio import Studio
from posewire_training.task import Scores, descend, numbers
from posewire_vnect import cache, shots
from posewire_vnect.features import Features
from posewire_vnect.losses import losses
from posewire_vnect.network import LocationHead, Maps
from posewire_vnect.pools import Pool
from posewire_vnect.readout import poses_m
from posewire_vnect.regression import Answers, regression_losses
from posewire_vnect.settings import VNectSettings
from posewire_vnect.trunk_blazepose import WORLD_NUMBERS
from posewire_vnect.truth import Truth, centred_views, of_shots, random_views, seen_again

_VALIDATION_BATCH = 64
_FIT_BATCHES = 4
_REAL_COPIES = 8
"""Of each real crop where the coarse pose begins: there are few, and its 3D points are right there (posewire_vnect.routes)."""
_COARSE_RATE = 0.005
"""Of the layers on the trunk's 1464 numbers, which begin from least squares: at the full rate Adam would throw that away."""


class Learning:
    """What all tasks share: the optimiser with its rates, one step down, scores.

    Args:
        settings: Of the run.
        trunk: None where its features are cached.
        head: Of `build.head`.
        begun: Whether the head has learned before: otherwise its coarse pose begins as least squares.
    """

    def __init__(self, settings: VNectSettings, trunk: nn.Module | None, head: nn.Module, *, begun: bool = False) -> None:
        self.settings, self.trunk, self.head, self._begun = settings, trunk, head, begun
        frozen = trunk is None or settings.trunk_rate == 0.0
        groups: list[dict[str, Any]] = [{"params": [p for name, p in head.named_parameters() if not name.startswith("coarse.")]}]
        if coarse := [p for name, p in head.named_parameters() if name.startswith("coarse.")]:
            groups.append({"params": coarse, "lr": settings.learning_rate * _COARSE_RATE})
        if trunk is not None and not frozen:
            learning = [p for p in trunk.parameters() if p.requires_grad]
            groups.append({"params": learning, "lr": settings.learning_rate * settings.trunk_rate})
        fused = settings.device != "mps"
        optimizer = AdamW(groups, settings.learning_rate, weight_decay=settings.weight_decay, fused=fused)
        self.modules: Mapping[str, nn.Module] = {"head": head} if frozen or trunk is None else {"head": head, "trunk": trunk}
        self.optimizers: Mapping[str, Optimizer] = {"net": optimizer}

    def begin(self, step: int, some: Callable[[], tuple[Tensor, Tensor]]) -> None:
        """Before the first step of a head that has never learned: its coarse pose as least squares on `some` vectors' joints."""
        if step == 0 and not self._begun and isinstance(self.head, LocationHead):
            vectors, joints_m = some()
            known = torch.isfinite(joints_m).any(-1).any(-1)  # of pictures with 2D labels nothing is
            has_answers = self.settings.trunk == "blazepose" and self.settings.answers
            self.head.coarse.fit(vectors[known], joints_m[known], last=WORLD_NUMBERS if has_answers else None)

    def learn(self, said: Maps | Answers, truth: Truth, progress: float, drift: Tensor | None = None) -> Scores:
        """One step; `drift` is how far a trunk has gone from what it began as."""
        costs = losses(said, truth) if isinstance(said, Maps) else regression_losses(said, truth)
        total = costs.total(progress) if drift is None else costs.total(progress) + self.settings.distil * drift
        descend(self.optimizers["net"], total, self.settings.largest_gradient)
        return numbers(costs._asdict() if drift is None else {**costs._asdict(), "drift": drift})


class CachedTask(Learning):
    """Head only, on cached features; the first file is kept for validation."""

    def __init__(self, settings: VNectSettings, head: nn.Module, files: list[Path], real: list[Path]) -> None:
        laid = head.to(settings.device, memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        super().__init__(settings, None, laid)
        kept = files[0].name
        training = [path for path in files if path.name != kept]
        self._pool = Pool(training, real, batch=settings.batch, real_share=settings.real_share, seed=settings.seed)
        self._kept = self._laid(*cache.read(files[0]))
        self._beginning = [*training, *real * _REAL_COPIES]

    def step(self, number: int, progress: float) -> Scores:
        self.begin(number, self._vectors)
        features, truth = self.batch(number)
        with torch.autocast(self.settings.device, torch.bfloat16, enabled=self.settings.bf16):
            said = self.head(features)
        return self.learn(said, truth, progress)

    def batch(self, number: int) -> tuple[Features, Truth]:
        """Of a step, on the device that learns."""
        return self._laid(*self._pool.batch(number))

    def _laid(self, features: Features, truth: Truth) -> tuple[Features, Truth]:
        return features.to(self.settings.device), truth.to(self.settings.device)

    def _vectors(self) -> tuple[Tensor, Tensor]:
        vectors, joints_m = cache.vectors(self._beginning)
        return vectors.to(self.settings.device), joints_m.to(self.settings.device)

    def validate(self) -> Scores:
        features, truth = self._kept
        said = [self.head(Features(*(part[rows].float() for part in features))) for rows in _slices(len(truth.cells))]
        return scores(said, truth)


class PictureTask(Learning):
    """Trunk and head on pictures rendered on the device where they learn."""

    trunk: nn.Module

    def __init__(
        self,
        settings: VNectSettings,
        trunk: nn.Module,
        head: nn.Module,
        pack: Pack,
        procedural: int | None = None,
        *,
        begun: bool = False,
    ) -> None:
        device = settings.device
        super().__init__(settings, trunk.to(device), head.to(device), begun=begun)
        self._studio = Studio(pack, "train", device, procedural=procedural)
        kept = shots.of_batch(self._studio.crops(_seed(settings, -1), _VALIDATION_BATCH, settings.side))
        A = centred_views(kept).to(device)
        self._kept = (seen_again(kept.image.float() / 255, A), of_shots(kept, A))

    def step(self, number: int, progress: float) -> Scores:
        self.begin(number, self._some_vectors)
        image, truth = self.batch(number)
        with torch.autocast(self.settings.device, torch.bfloat16, enabled=self.settings.bf16):
            said = self.head(self._features(image))
        return self.learn(said, truth, progress)

    def batch(self, number: int) -> tuple[Tensor, Truth]:
        """Rendered, erased, and seen again: crops of a batch differ in more than the renderer's own chance."""
        seed, side = _seed(self.settings, number), self.settings.side
        batch = self._studio.erased(self._studio.crops(seed, self.settings.batch, side), seed)
        drawn = shots.of_batch(batch)
        A = random_views(np.random.default_rng([self.settings.seed, 7, number + _FIT_BATCHES + 1]), drawn).to(
            self.settings.device
        )
        return seen_again(drawn.image.float() / 255, A), of_shots(drawn, A)

    def _some_vectors(self) -> tuple[Tensor, Tensor]:
        """Of a few batches, to begin from."""
        drawn = [self.batch(-2 - number) for number in range(_FIT_BATCHES)]
        with torch.no_grad():
            vectors = [self.trunk(image).vector for image, _ in drawn]
        return torch.cat(vectors), torch.cat([truth.joints_m for _, truth in drawn])

    def _features(self, image: Tensor) -> Features:
        with torch.set_grad_enabled(torch.is_grad_enabled() and self.settings.trunk_rate > 0):
            return self.trunk(image)

    def validate(self) -> Scores:
        image, truth = self._kept
        return scores([self.head(self._features(image[rows])) for rows in _slices(len(image))], truth)


def _seed(settings: VNectSettings, number: int) -> int:
    """Of a step's pictures; negative numbers are not for learning."""
    return settings.seed * 1_000_003 + number + _FIT_BATCHES + 1


def _slices(count: int) -> list[slice]:
    return [slice(first, first + _VALIDATION_BATCH) for first in range(0, count, _VALIDATION_BATCH)]


def scores(said: list[Maps | Answers], truth: Truth) -> Scores:
    """MPJPE and 3DPCK@150 of the joints in the crop, read at the maxima; 2D error of those that are not hidden, cells.

    A joint whose depth is not known counts in 2D only.
    """
    heat = torch.cat([one.heat for one in said])
    read_m = torch.cat([poses_m(one.heat, one.places_m) if isinstance(one, Maps) else one.fused_m for one in said])
    side = heat.shape[-1]
    placed = (truth.height > 0) & torch.isfinite(truth.cells).all(-1)
    error_m = (read_m - truth.joints_m).norm(dim=-1)[placed & torch.isfinite(truth.joints_m).all(-1)]
    cell = heat.flatten(2).argmax(-1)
    off = (torch.stack([cell % side, cell // side], -1) - truth.cells).norm(dim=-1)[placed & (truth.height == 1)]
    return {
        "mpjpe_mm": 1e3 * float(error_m.mean()),
        "pck150": 100.0 * float((error_m < 0.15).float().mean()),
        "median_cells": float(off.median()),
        "within_2_cells": 100.0 * float((off < 2.0).float().mean()),
    }
