"""What is learned from: cached features of a frozen trunk (CPU), or pictures rendered as they are needed (GPU, slow trunk)."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

from posewire_synth.pack import Pack
from posewire_synth.studio import Studio
from posewire_training import tensors
from posewire_training.task import Scores, descend, numbers
from posewire_vnect import cache, shots
from posewire_vnect.features import Features
from posewire_vnect.losses import losses
from posewire_vnect.network import LocationHead, Maps
from posewire_vnect.pools import Pool
from posewire_vnect.readout import poses_m, told_m
from posewire_vnect.real import RealCrops
from posewire_vnect.regression import Answers, regression_losses
from posewire_vnect.settings import VNectSettings
from posewire_vnect.shots import Shots
from posewire_vnect.trunk_blazepose import WORLD_NUMBERS
from posewire_vnect.truth import Truth, centred_views, of_shots, random_views, seen_again

_VALIDATION_BATCH = 64
_AT_ONCE = 32
"""Pictures of a validation that trunk and head see at once."""
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
        said = [
            self.head(Features(*(part[rows].float() for part in features)))
            for rows in _slices(len(truth.cells), _VALIDATION_BATCH)
        ]
        return scores(said, truth)


class SeeingTask(Learning):
    """Trunk and head on pictures: rendered ones as whoever derives from this gives them, and real crops among them.

    Args:
        settings: Of the run.
        trunk: Learns where `settings.trunk_rate` is above 0.
        head: Of `build.head`.
        kept: Rendered crops to choose by.
        real: Crops of real people, or none.
        begun: See Learning.
    """

    trunk: nn.Module
    beginning: Sequence[int]
    """Numbers of the batches from which the coarse pose of a head that never learned begins."""

    def __init__(
        self, settings: VNectSettings, trunk: nn.Module, head: nn.Module, kept: Shots, real: RealCrops | None, *, begun: bool
    ) -> None:
        laid = (module.to(settings.device, memory_format=torch.channels_last) for module in (trunk, head))  # pyright: ignore[reportCallIssue]
        super().__init__(settings, *laid, begun=begun)
        self._kept, self._real = kept, real
        self._from_real = real.count if real else 0
        held = self._from_real and settings.distil > 0 and settings.trunk_rate > 0
        self._original = copy.deepcopy(trunk).eval().requires_grad_(False) if held else None

    def rendered(self, rng: np.random.Generator, number: int, count: int) -> tuple[Tensor, Truth]:
        """So many rendered pictures of a step and their truth, on the device that learns."""
        raise NotImplementedError

    def step(self, number: int, progress: float) -> Scores:
        self.begin(number, self._some_vectors)
        image, truth = self.batch(number)
        with torch.autocast(self.settings.device, torch.bfloat16, enabled=self.settings.bf16):
            features = self._features(image)
            drift = None if self._original is None else drifted(features, self._original, image, self._from_real)
            said = self.head(features)
        return self.learn(said, truth, progress, drift)

    def batch(self, number: int) -> tuple[Tensor, Truth]:
        """Pictures and their truth, real ones last. It hangs on the step's number alone, which is negative before the first."""
        place = number + _FIT_BATCHES + 1
        rng = np.random.default_rng([self.settings.seed, 8, place])
        parts = [self.rendered(rng, number, self.settings.batch - self._from_real)]
        if self._real and self._from_real:
            parts.append(self._real.seen(rng, place))
        image = torch.cat([part[0] for part in parts]).contiguous(memory_format=torch.channels_last)
        return image, tensors.joined([part[1] for part in parts])

    @torch.no_grad()
    def _some_vectors(self) -> tuple[Tensor, Tensor]:
        """Of a few batches, to begin from."""
        drawn = [self.batch(number) for number in self.beginning]
        return torch.cat([self.trunk(image).vector for image, _ in drawn]), torch.cat([truth.joints_m for _, truth in drawn])

    def _features(self, image: Tensor) -> Features:
        with torch.set_grad_enabled(torch.is_grad_enabled() and self.settings.trunk_rate > 0):
            return self.trunk(image)

    def validate(self) -> Scores:
        known = self._scores(self._real.kept) if self._real else {}
        return {**self._scores(self._kept), **{f"real_{name}": value for name, value in known.items()}}

    def _scores(self, kept: Shots) -> Scores:
        A, device = centred_views(kept).to(self.settings.device), self.settings.device
        rows = _slices(len(kept), _AT_ONCE)
        pictures = (seen_again(kept.image[some].to(device).float() / 255, A[some]) for some in rows)
        laid = (image.contiguous(memory_format=torch.channels_last) for image in pictures)
        return scores([self.head(self._features(image)) for image in laid], of_shots(kept.to(device), A))


class PictureTask(SeeingTask):
    """Rendered on the device where trunk and head learn."""

    beginning = range(-1 - _FIT_BATCHES, -1)

    def __init__(
        self,
        settings: VNectSettings,
        trunk: nn.Module,
        head: nn.Module,
        pack: Pack,
        procedural: int | None = None,
        real: RealCrops | None = None,
        *,
        begun: bool = False,
    ) -> None:
        self._studio = Studio(pack, "train", settings.device, procedural=procedural)
        kept = shots.of_batch(self._studio.crops(_seed(settings, -1), _VALIDATION_BATCH, settings.side))
        super().__init__(settings, trunk, head, kept, real, begun=begun)

    def rendered(self, rng: np.random.Generator, number: int, count: int) -> tuple[Tensor, Truth]:
        """Rendered, erased, and seen again: crops of a batch differ in more than the renderer's own chance."""
        seed, side = _seed(self.settings, number), self.settings.side
        drawn = shots.of_batch(self._studio.erased(self._studio.crops(seed, count, side), seed))
        A = random_views(rng, drawn).to(self.settings.device)
        return seen_again(drawn.image.float() / 255, A), of_shots(drawn, A)


def drifted(features: Features, original: nn.Module, image: Tensor, real: int) -> Tensor:
    """How far the features of the last `real` crops lie from what the original trunk says of them, 1 = by their own deviation."""
    with torch.no_grad():
        before: Features = original(image[-real:])
    pairs = [(now[-real:].float(), was.float()) for now, was in zip(features, before, strict=True)]
    off = [(now - was).square().mean() / was.var() for now, was in pairs]
    return torch.stack(off).mean()


def _seed(settings: VNectSettings, number: int) -> int:
    """Of a step's pictures; negative numbers are not for learning."""
    return settings.seed * 1_000_003 + number + _FIT_BATCHES + 1


def _slices(count: int, size: int) -> list[slice]:
    return [slice(first, first + size) for first in range(0, count, size)]


def scores(said: list[Maps | Answers], truth: Truth) -> Scores:
    """MPJPE and 3DPCK@150 of the joints in the crop, as live; 2D error of those that are not hidden, cells.

    A joint whose depth is not known counts in 2D only.
    """
    heat = torch.cat([one.heat for one in said])
    read_m = torch.cat([_read_m(one) for one in said])
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


def _read_m(said: Maps | Answers) -> Tensor:
    """(B, J, 3)."""
    return poses_m(said.heat, told_m(said.heat, said.places_m)) if isinstance(said, Maps) else said.fused_m
