"""Training the heads on what a frozen trunk said of pictures (cache.py, footage.py): the 2D branch first, then the 3D branch.

"Training the 2D pose branch first ... is important for the convergence" (thesis 002, section 6.3.1). The 3D branch learns at the
cells of visible joints only, from columns of features that are gathered once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from posewire.errors import SettingsError
from posewire_data.joints import PARENTS
from posewire_training import tensors
from posewire_training.origin import to_learn_from
from posewire_training.settings import TrainSettings
from posewire_training.task import Scores, descend, validation_means
from posewire_xnect import cache
from posewire_xnect.movenet import Features, Flat, Heads, columns
from posewire_xnect.skeleton import J, Scheme, supervised
from posewire_xnect.targets import STRIDE

HELD = 20
"""Every 20th part of the training pictures is kept apart, to choose by."""
WEIGH_HEATMAPS, WEIGH_FIELDS = 300.0, 300.0
"""So that both losses are between 1 and 10 for a network that says nothing."""
SOMEBODY = 2.0
"""By how much more a pixel counts where a peak is, or a link."""


@dataclass(frozen=True, slots=True)
class StageOneRun(TrainSettings):
    """A run on a frozen trunk."""

    steps: int = 6000
    batch: int = 2
    """Parts of the cache a step, five pictures each."""
    learning_rate: float = 2e-3
    warm_up_steps: int = 100
    weight_decay: float = 1e-6
    average: float = 0.995
    bf16: bool = True
    validate_every: int = 200
    scheme: Scheme = "sparse"
    deep_steps: int = 6000
    deep_batch: int = 1024
    """Joints a step of the 3D branch."""
    real: float = 0.2
    """Share of the parts that are real footage (footage.py), where there is some."""

    COUNTS: ClassVar[tuple[str, ...]] = (*TrainSettings.COUNTS, "deep_steps", "deep_batch")
    SHARES: ClassVar[tuple[str, ...]] = ("real",)


def footage_in(folder: Path | None) -> list[Path]:
    """Parts of real footage to learn from besides; none where no folder is given.

    Raises:
        SettingsError: a folder is given, and holds none.
    """
    known = cache.paths(folder) if folder is not None else []
    if folder is not None and not known:
        hint = "python -m posewire_xnect.train footage makes some"
        raise SettingsError("There is no footage to learn from.", got=folder, allowed="a folder with part_...pt", hint=hint)
    return known


def divided(folder: Path) -> tuple[list[Path], list[Path]]:
    """Parts to learn from, and parts to choose by.

    Raises:
        SettingsError: the folder holds fewer than two, or held-out people.
    """
    known = cache.paths(to_learn_from(folder))
    if len(known) < 2:
        hint = "make it with python -m posewire_xnect.train cache"
        raise SettingsError(
            "The cache holds too few parts to learn from.", got=f"{len(known)} in {folder}", allowed="2 and more", hint=hint
        )
    return [path for number, path in enumerate(known) if number % HELD], known[::HELD]


class FlatTask:
    """The 2D branch."""

    def __init__(self, settings: StageOneRun, heads: Heads, folder: Path, footage: Path | None = None) -> None:
        self.settings, self.heads, self.folder, self.real = settings, heads, folder, footage_in(footage)
        training, self.held = divided(folder)
        heads.fit(cache.drawn(training[:100], 12, np.random.default_rng(0)).features)
        heads.to(settings.device, memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue] - the stub does not know it
        learning = nn.ModuleList([heads.merge, heads.branch_2d, heads.heatmaps, heads.fields])
        self.modules: Mapping[str, nn.Module] = {"heads": heads}
        rate, decay = settings.learning_rate, settings.weight_decay
        self.optimizers: Mapping[str, Optimizer] = {"flat": Adam(learning.parameters(), rate, weight_decay=decay)}

    def step(self, number: int, progress: float) -> Scores:
        part = self.batch(number)
        heatmaps, fields = flat_losses(self._said(part), part.heatmaps, part.fields)
        descend(self.optimizers["flat"], heatmaps + fields, self.settings.largest_gradient)
        return {"heatmaps": float(heatmaps.detach()), "fields": float(fields.detach())}

    def batch(self, number: int) -> cache.Part:
        """Of a step, on the device that learns."""
        drawn = self._drawn(np.random.default_rng([self.settings.seed, number]))
        return cache.joined([cache.load(path) for path in drawn]).to(self.settings.device)

    def _drawn(self, rng: np.random.Generator) -> list[Path]:
        """Parts of a step."""
        rendered, _ = divided(self.folder)  # it may still grow
        is_real = rng.random(self.settings.batch) < (self.settings.real if self.real else 0.0)
        sources = [self.real if one else rendered for one in is_real]
        return [source[rng.integers(len(source))] for source in sources]

    def _said(self, part: cache.Part) -> Flat:
        features = Features(*(value.contiguous(memory_format=torch.channels_last) for value in part.features))  # a quarter faster
        with torch.autocast(self.settings.device, torch.bfloat16, enabled=self.settings.bf16):
            return self.heads.flat(self.heads.standardised(features))

    def validate(self) -> Scores:
        losses: list[dict[str, Tensor]] = []
        for path in self.held[:12]:
            part = cache.load(path).to(self.settings.device)
            losses.append(
                dict(zip(("heatmaps", "fields"), flat_losses(self._said(part), part.heatmaps, part.fields), strict=True))
            )
        return validation_means(losses)


def flat_losses(said: Flat, heatmaps: Tensor, fields: Tensor) -> tuple[Tensor, Tensor]:
    """Of what was said and what should have been: per-pixel L2 (section 6.2.3), weighed; where somebody is it counts three times
    as much, as most of a picture is nobody."""
    of_peaks = (said.heatmaps.float() - heatmaps) ** 2 * (1.0 + SOMEBODY * heatmaps)
    on_link = (fields != 0).any(2, keepdim=True)
    of_links = (said.fields.float() - fields) ** 2 * (1.0 + SOMEBODY * on_link)
    return WEIGH_HEATMAPS * of_peaks.mean(), WEIGH_FIELDS * of_links.mean()


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """N visible joints of the training pictures."""

    features: Tensor
    """(N, all channels) float16 at a cell by the joint, standardised."""
    joint: Tensor
    """(N,) which joint it is."""
    bones_m: Tensor
    """(N, J, 3) of its person, as targets of the encodings; NaN = unknown."""

    def to(self, device: str | torch.device) -> Columns:
        """On another device."""
        return tensors.moved(self, device)


@torch.inference_mode()
def gather(heads: Heads, known: Iterable[Path], seed: int = 0) -> Columns:
    """What lies above every visible joint: at its cell, or at one beside it, as peaks are not exact; on the heads' device."""
    device = next(heads.parameters()).device
    chance, found = torch.Generator().manual_seed(seed), list[tuple[Tensor, Tensor, Tensor]]()
    parents = [max(parent, 0) for parent in PARENTS]
    for path in known:
        part = cache.load(path).to(device)
        features = heads.standardised(part.features)
        visible = part.visible & torch.isfinite(part.points_px).all(-1)
        picture, person, joint = visible.nonzero(as_tuple=True)
        off = 0.4 * torch.randn(part.points_px.shape, generator=chance).to(device)
        cells = cell_of(part.points_px, off, part.heatmaps.shape[2:])
        with torch.autocast(device.type, torch.bfloat16):  # the 2D branch learned with it, too
            beside = heads.flat(features).beside.float()
        above = columns(features, beside, cells.flatten(1)).unflatten(1, cells.shape[1:])
        bones_m = part.joints_m - part.joints_m[:, :, parents]
        found.append((above[picture, person, joint].half(), joint, bones_m[picture, person]))
    return Columns(*(torch.cat(values) for values in zip(*found, strict=True)))


def cell_of(points_px: Tensor, off: Tensor, shape: torch.Size) -> Tensor:
    """(B, M, J) number of the cell nearest to each point moved by `off` cells, row by row; the first where it is NaN."""
    x, y = ((points_px + 0.5) / STRIDE - 0.5 + off).nan_to_num(0.0).round().long().unbind(-1)
    return y.clamp(0, shape[0] - 1) * shape[1] + x.clamp(0, shape[1] - 1)


def bone_losses(said: Tensor, due_m: Tensor, supervised_there: Tensor) -> Tensor:
    """(n, J) squared error of each bone, metres squared; zero where it is not supervised.

    Args:
        said: (n, 3 J) encodings.
        due_m: (n, J, 3) bones; NaN = unknown.
        supervised_there: (n, J) bool, of the joint at which each was said.
    """
    squared = ((said.unflatten(1, (J, 3)) - due_m.nan_to_num(0.0)) ** 2).sum(-1)
    return torch.where(supervised_there & torch.isfinite(due_m).all(-1), squared, 0.0)


class DeepTask:
    """The 3D branch, which learns from columns."""

    def __init__(self, settings: StageOneRun, heads: Heads, training: Columns, held: Columns) -> None:
        device = settings.device
        self.settings, self.heads, self.training, self.held = settings, heads.to(device), training.to(device), held.to(device)
        self.table = torch.from_numpy(supervised(settings.scheme)).to(device)
        learning = nn.ModuleList([heads.branch_3d, heads.encodings])
        self.modules: Mapping[str, nn.Module] = {"heads": heads}
        rate, decay = 0.5 * settings.learning_rate, settings.weight_decay
        self.optimizers: Mapping[str, Optimizer] = {"deep": Adam(learning.parameters(), rate, weight_decay=decay)}

    def step(self, number: int, progress: float) -> Scores:
        rng = np.random.default_rng([self.settings.seed, number])
        rows = torch.from_numpy(rng.integers(0, len(self.training.joint), self.settings.deep_batch)).to(self.settings.device)
        squared = self._squared(self.training, rows)
        loss = squared.sum() / self.settings.deep_batch
        descend(self.optimizers["deep"], 10.0 * loss, self.settings.largest_gradient)
        return {"encodings": float(loss.detach())}

    def _squared(self, of: Columns, rows: Tensor) -> Tensor:
        """(n, J) as bone_losses."""
        with torch.autocast(self.settings.device, torch.bfloat16, enabled=self.settings.bf16):
            said = self.heads.encodings(self.heads.branch_3d(of.features[rows].float())).float()
        due = of.bones_m[rows]
        return bone_losses(said, due, self.table[of.joint[rows]])

    def validate(self) -> Scores:
        squared = self._squared(self.held, torch.arange(len(self.held.joint), device=self.settings.device))
        table = self.table[self.held.joint]
        return {"validation_bone_mm": 1e3 * float(squared.sqrt()[table].mean())}
