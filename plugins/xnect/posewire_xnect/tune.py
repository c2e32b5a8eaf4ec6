"""Trunk and heads learn together from pictures seen afresh every step (album.py, windows.py); what was learned before begins it.

The trunk's last part learns at a small share of the heads' rate (thesis 002, section 4.2.1); its early layers, which take most of
the time, stay. On real pictures its features are held to those that it began with, as rendered people are no real ones. Batch
norm keeps the statistics of whole pictures. 2D and 3D learn at once, as at the end of section 6.3.1.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from posewire_data.joints import PARENTS
from posewire_training.settings import TrainSettings
from posewire_training.task import Scores, descend
from posewire_xnect import album, truth, windows
from posewire_xnect.album import Album
from posewire_xnect.branches import bone_losses, cell_of, flat_losses
from posewire_xnect.footage import completed
from posewire_xnect.frames import Frames
from posewire_xnect.movenet import Features, Flat, Heads, Trunk, columns
from posewire_xnect.readout import ReadOut
from posewire_xnect.skeleton import Scheme, supervised
from posewire_xnect.targets import STRIDE
from posewire_xnect.truth import Scene

N = TypeVar("N", bound=nn.Module)

WEIGH_BONES = 40.0
"""Four times as much as in branches.py: here the trunk learns from them, too."""
DROPPED = 0.1
"""Share of the 3D branch's features that are dropped: no two steps see the same picture."""
BESIDE = 0.4
"""Cells by which the 3D is asked beside a joint, standard deviation: peaks are not exact."""
KEPT = 40
"""Pictures of each kind that a validation looks at."""
NEAR_PX = 12.0
"""A joint is seen where its heatmap has a peak this near."""


@dataclass(frozen=True, slots=True)
class TuneRun(TrainSettings):
    """A run."""

    steps: int = 3000
    batch: int = 10
    """Windows a step; half as many whole pictures, which have 2.5 times the pixels."""
    whole: float = 0.7
    """Share of the steps that see whole pictures."""
    learning_rate: float = 1.5e-4
    """Of the heads: at 8e-4 Adam's noise undid within 900 steps what they had learned (docs/XNECT.md)."""
    warm_up_steps: int = 100
    weight_decay: float = 1e-6
    average: float = 0.995
    bf16: bool = True
    validate_every: int = 400
    scheme: Scheme = "sparse"
    trunk_rate: float = 1.67
    """The trunk's learning rate beside the heads', for a kernel whose numbers are 1 in size (root mean square)."""
    trunk_from: int = 18
    """The first convolution of the trunk's file that learns: 18 is the first below stride 8."""
    distil: float = 1.0
    """Weight of how far its features have gone from what they were, on real pictures."""
    real: float = 0.2
    """Share of the pictures that are real, where there are some."""

    SHARES: ClassVar[tuple[str, ...]] = ("whole", "real")


class TuneTask:
    """Of a trunk and its heads.

    Args:
        settings: Of the run.
        trunk: As it is to begin.
        heads: Trained (branches.py).
        rendered: Files of album.py; all pictures are held in memory, 0.5 MB each. The first is kept apart to choose by.
        real: Labelled frames of films, or none.
    """

    def __init__(self, settings: TuneRun, trunk: Trunk, heads: Heads, rendered: list[Path], real: Frames | None) -> None:
        self.settings, self.trunk, self.heads = settings, trunk, heads
        for module in (trunk, heads):
            module.to(settings.device, memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue] - unknown to the stub
        self._before = (frozen(trunk), frozen(heads))
        learn_from(trunk, settings.trunk_from)
        for module in heads.branch_3d.modules():
            if isinstance(module, nn.Dropout):
                module.p = DROPPED
        first, others = album.apart(rendered)
        self._rendered = album.read_all(others)
        self._real = real
        self._kept = {"": album.load(first), **({"real_": real.kept} if real is not None else {})}
        self._table = torch.from_numpy(supervised(settings.scheme)).to(settings.device)
        self.modules: Mapping[str, nn.Module] = {"trunk": trunk.graph, "heads": heads}
        groups = [{"params": list(heads.parameters())}, *by_size(trunk, settings.learning_rate * settings.trunk_rate)]
        optimizer = Adam(groups, settings.learning_rate, weight_decay=settings.weight_decay, fused=True)
        self.optimizers: Mapping[str, Optimizer] = {"all": optimizer}

    def step(self, number: int, progress: float) -> Scores:
        _keep_statistics(self.heads)
        scene, left_open, real = self.batch(number)
        before = self._said_before(scene.image[-real:]) if real else None
        features, flat = self._said(self.trunk, self.heads, scene.image)
        heatmaps, fields = flat_losses(flat, *_due(scene, left_open, before))
        bones = WEIGH_BONES * self._bones(features, flat, scene, number)
        costs = {"heatmaps": heatmaps, "fields": fields, "bones": bones}
        if before is not None:
            costs["drift"] = self.settings.distil * _drift(features, before[0])
        descend(self.optimizers["all"], torch.stack(list(costs.values())).sum(), self.settings.largest_gradient)
        return {name: float(cost.detach()) for name, cost in costs.items()}

    def batch(self, number: int) -> tuple[Scene, Tensor, int]:
        """Windows, what is left open in them, and how many of them, the last ones, are real. It hangs on the number alone."""
        rng = np.random.default_rng([self.settings.seed, number])
        look = windows.Look.drawn(rng, self.settings.whole)
        count = max(1, self.settings.batch // 2) if look.room == windows.WHOLE else self.settings.batch
        real = round(count * self.settings.real) if self._real is not None else 0
        chosen = [(self._rendered, rng.integers(0, len(self._rendered), count - real))]
        if self._real is not None and real:
            chosen.append((self._real.learned, self._real.some(rng, real)))
        return *windows.seen(chosen, rng, look, self.settings.device), real

    def _said(self, trunk: nn.Module, heads: Heads, image: Tensor) -> tuple[Features, Flat]:
        """Standardised features and the 2D branch's answer."""
        laid = image.contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.settings.device, torch.bfloat16, enabled=self.settings.bf16):
            features = heads.standardised(trunk(laid))
            return features, heads.flat(features)

    @torch.no_grad()
    def _said_before(self, image: Tensor) -> tuple[Features, Flat]:
        """As `_said`, before the run."""
        return self._said(*self._before, image)

    def _bones(self, features: Features, flat: Flat, scene: Scene, number: int) -> Tensor:
        """Mean over the visible joints."""
        off = np.random.default_rng([self.settings.seed, 1, number]).normal(size=scene.points_px.shape)
        aside = BESIDE * torch.from_numpy(off).to(self.settings.device)
        cells = cell_of(scene.points_px, aside, flat.heatmaps.shape[2:])
        above = columns(Features(*(value.float() for value in features)), flat.beside.float(), cells.flatten(1))
        visible = scene.visible & torch.isfinite(scene.points_px).all(-1)
        picture, person, joint = visible.nonzero(as_tuple=True)
        with torch.autocast(self.settings.device, torch.bfloat16, enabled=self.settings.bf16):
            said = self.heads.encodings(self.heads.branch_3d(above.unflatten(1, cells.shape[1:])[picture, person, joint]))
        bones_m = (scene.joints_m - scene.joints_m[:, :, [max(parent, 0) for parent in PARENTS]])[picture, person]
        return bone_losses(said.float(), bones_m, self._table[joint]).sum() / max(1, len(joint))

    def validate(self) -> Scores:
        scores: dict[str, float] = {}
        for name, kept in self._kept.items():
            rows = [self._kept_scores(kept, row) for row in range(min(KEPT, len(kept)))]
            scores |= {f"{name}{key}": _mean([row[key] for row in rows]) for key in rows[0]}
        return scores

    def _kept_scores(self, kept: Album, row: int) -> dict[str, float]:
        """Of one whole picture; NaN where it shows nobody."""
        scene = kept.scene(slice(row, row + 1)).to(self.settings.device)
        left_open = kept.left_open[row : row + 1].to(self.settings.device)
        before = self._said_before(scene.image) if left_open.any() else None
        features, flat = self._said(self.trunk, self.heads, scene.image)
        heatmaps, fields = flat_losses(flat, *_due(scene, left_open, before))
        bones_mm = 1e3 * (self._bones(features, flat, scene, row) / self._table.float().sum(1).mean()).sqrt()
        said = ReadOut().find(flat.heatmaps.float(), flat.fields.float())[0]
        seen = seen_joints(said, scene)
        return {
            "validation_heatmaps": float(heatmaps),
            "validation_fields": float(fields),
            "bones_mm": float(bones_mm) if len(seen) else np.nan,
            "seen": 100 * float(seen.float().mean()),
        }


def _due(scene: Scene, left_open: Tensor, before: tuple[Features, Flat] | None) -> tuple[Tensor, Tensor]:
    """Heatmaps and fields of these windows; what is left open, in the last of them, is what was said before the run."""
    heatmaps, fields = truth.flat_of_scene(scene)
    if before is None:
        return heatmaps, fields
    count = len(before[1].heatmaps)
    told = completed(heatmaps[-count:], fields[-count:], before[1], left_open[-count:])
    return torch.cat([heatmaps[:-count], told[0]]), torch.cat([fields[:-count], told[1]])


def _drift(features: Features, before: Features) -> Tensor:
    """How far the features of the last windows lie from what they were before the run, 1 = by their own deviation."""
    pairs = zip(features, before, strict=True)
    return torch.stack([(now[-len(was) :].float() - was.float()).square().mean() for now, was in pairs]).mean()


def seen_joints(peaks: Tensor, scene: Scene) -> Tensor:
    """Whether each visible joint (flat) has a peak (B, J, K, 3) of its own near it."""
    cells = (scene.points_px + 0.5) / STRIDE - 0.5
    apart = (cells[:, :, :, None] - peaks[:, None, :, :, :2]).norm(dim=-1)  # (B, M, J, K)
    near = (apart * STRIDE < NEAR_PX) & (peaks[:, None, ..., 2] > 0)
    return near.any(-1)[scene.visible & torch.isfinite(scene.points_px).all(-1)]


def frozen(net: N) -> N:
    """A copy that stays as it is."""
    return copy.deepcopy(net).eval().requires_grad_(False)


def learn_from(trunk: Trunk, first: int) -> None:
    """Convolutions before number `first` of the trunk's file stay as they are, which also saves the time of their gradients."""
    for number, layer in trunk.graph.layers.items():
        layer.requires_grad_(int(number) >= first)


def by_size(net: nn.Module, rate: float) -> list[dict[str, Any]]:
    """A learning rate for each tensor, by its size (Shazeer and Stern 2018, Adafactor, section 8): with batch norm folded into
    them, sizes differ two thousand times, and Adam's steps would be nothing to one kernel and the end of another."""
    learning = [value for value in net.parameters() if value.requires_grad]
    return [{"params": [value], "lr": rate * float(value.detach().square().mean().sqrt())} for value in learning]


def _keep_statistics(heads: Heads) -> None:
    """Of batch norm: a few windows are no picture of what whole pictures are like."""
    for module in heads.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()


def _mean(values: list[float]) -> float:
    return float(np.nanmean(values))
