"""The trunk's own centres and reaches after tune.py: their heads learn to say again what they said on the trunk as it was.

Tuning moves the features that these two small heads read (fpn_4), and nothing there holds what they make of them: centres become
less sure, and reaches too short. No labels are needed, as the trunk before says what is due (Hinton et al. 2015, "Distilling the
knowledge in a neural network"). All pictures are looked at once, by both trunks; the steps then see the heads alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from posewire.errors import ModelError
from posewire_training import loop
from posewire_training.onnx_graph import OnnxGraph
from posewire_training.origin import to_learn_from
from posewire_training.settings import TrainSettings
from posewire_training.task import Scores, descend, numbers, validation_means
from posewire_xnect import album, trunk_file
from posewire_xnect.movenet import FEATURES, REACH, Trunk
from posewire_xnect.tune import by_size

READ, CENTRE = FEATURES[0], FEATURES[-1]
WEIGH_CENTRES, MORE_AT_PEOPLE = 300.0, 20.0
"""Of nearly all cells the centres say nobody: those that somebody stands on count up to 21 times as much."""
SURE = 0.1
"""Reaches are learned where a centre is at least so sure."""
SHORTEST = 2.0
"""Cells: smaller people's reaches are held no closer than theirs."""
KEPT = 12
"""Every so many pictures one is kept apart, to choose by."""


@dataclass(frozen=True, slots=True)
class SettleRun(TrainSettings):
    """A run: less than two minutes of one core, and a quarter of a second before for each picture."""

    steps: int = 600
    batch: int = 6
    """Pictures a step."""
    learning_rate: float = 5e-3
    """For a tensor whose numbers are 1 in size (tune.by_size)."""
    warm_up_steps: int = 20
    weight_decay: float = 0.0
    average: float = 0.0
    largest_gradient: float = 1e3
    validate_every: int = 100
    rendered: int = 384
    """Rendered pictures that are looked at (1.3 MB of memory each); of films' frames all are."""

    COUNTS: ClassVar[tuple[str, ...]] = (*TrainSettings.COUNTS, "rendered")


class Seen(NamedTuple):
    """What the trunks make of N pictures, float16."""

    fine: Tensor
    """(N, 24, h, w) READ of the trunk that has learned."""
    centre: Tensor
    """(N, 1, h, w) logits of the trunk before."""
    reach: Tensor
    """(N, 34, h, w) its REACH."""


@torch.no_grad()
def seen(trunk: Trunk, before: Trunk, images: Iterable[Tensor]) -> Seen:
    """Of pictures (1, 3, H, W), on the device of both trunks."""
    known: list[list[Tensor]] = []
    for image in images:
        known.append([value.half() for value in (trunk.said(image)[0], *before.said(image)[-2:])])
    return Seen(*(torch.cat(values) for values in zip(*known, strict=True)))


class OwnHeads(nn.Module):
    """READ to centres and reaches, by the trunk's own layers, not by copies."""

    def __init__(self, graph: OnnxGraph) -> None:
        super().__init__()
        self.steps = trunk_file.head_of(graph, CENTRE) | trunk_file.head_of(graph, REACH)
        apart = {name for step in self.steps.values() for name in step.inputs} - set(self.steps)
        if apart != {READ}:
            raise ModelError("The trunk's centres and reaches must have heads of their own.", got=apart, allowed=f"read {READ}")
        made = [step.compute for step in self.steps.values()]
        self.layers = nn.ModuleDict({number: layer for number, layer in graph.layers.items() if layer in made})

    def forward(self, fine: Tensor) -> tuple[Tensor, Tensor]:
        known = {READ: fine}
        for output, step in self.steps.items():
            known[output] = step.compute(*(known[name] for name in step.inputs))
        return known[CENTRE], known[REACH]


class SettleTask:
    """Of the two heads of a trunk, which learn in place; the rest of it stays."""

    def __init__(self, settings: SettleRun, trunk: Trunk, known: Seen) -> None:
        self.settings, self.heads = settings, OwnHeads(trunk.graph).to(settings.device).requires_grad_(True)
        self._known = Seen(*(value.to(settings.device) for value in known))
        kept = np.arange(len(known.fine)) % KEPT == 0
        self._learned, self._kept = np.flatnonzero(~kept), np.flatnonzero(kept)
        self.modules: Mapping[str, nn.Module] = {"heads": self.heads}
        groups = by_size(self.heads, settings.learning_rate)
        self.optimizers: Mapping[str, Optimizer] = {"heads": Adam(groups, weight_decay=settings.weight_decay)}

    def step(self, number: int, progress: float) -> Scores:
        chosen = np.random.default_rng([self.settings.seed, number]).choice(self._learned, self.settings.batch)
        losses = self._losses(torch.from_numpy(chosen))
        descend(self.optimizers["heads"], torch.stack(list(losses.values())).sum(), self.settings.largest_gradient)
        return numbers(losses)

    def validate(self) -> Scores:
        return validation_means([self._losses(row) for row in torch.from_numpy(self._kept).split(1)])

    def _losses(self, rows: Tensor) -> dict[str, Tensor]:
        fine, centre, reach = (value[rows.to(self.settings.device)].float() for value in self._known)
        said, sure = self.heads(fine), centre.sigmoid()
        return {"centres": centre_loss(said[0].sigmoid(), sure), "reaches": reach_loss(said[1], reach, sure)}


def centre_loss(said: Tensor, due: Tensor) -> Tensor:
    """Of probabilities."""
    return WEIGH_CENTRES * ((said - due).square() * (1.0 + MORE_AT_PEOPLE * due)).mean()


def reach_loss(said: Tensor, due: Tensor, sure: Tensor) -> Tensor:
    """Mean difference as a share of how far a person's keypoints lie apart (root mean square): large and small people count
    alike. Weighed by how sure the centre is (B, 1, h, w)."""
    spread = due.unflatten(1, (-1, 2)).square().sum(2).mean(1, keepdim=True).sqrt().clamp_min(SHORTEST)
    weight = sure * (sure > SURE)
    return (weight * (said - due).abs().mean(1, keepdim=True) / spread).sum() / weight.sum().clamp_min(1e-3)


def settle(
    settings: SettleRun, trunk: Path, before: Path, pictures: Path, out: Path, real: Path | None = None, *, quiet: bool = False
) -> Path:
    """Writes out/trunk.onnx, in which nothing but the two heads has changed; returns it.

    Args:
        settings: Of the run.
        trunk: That has learned (tune.py).
        before: What it was.
        pictures: Rendered ones (album.py); the first file is left to choose by, as tune.py does.
        out: Where everything goes.
        real: Labelled frames of films, looked at besides.
        quiet: Shows no progress.

    Raises:
        SettingsError: there is only one file of pictures.
    """
    loop.set_up(settings)
    _, files = album.apart(album.paths(to_learn_from(pictures)))
    images = chain(islice(_images(files), settings.rendered), _images(album.paths(real) if real is not None else []))
    net, old = (Trunk(path).to(settings.device) for path in (trunk, before))
    task = SettleTask(settings, net, seen(net, old, (image.to(settings.device) for image in images)))
    task.heads.load_state_dict(loop.train(task, settings, out, quiet=quiet)["heads"].state_dict())
    trunk_file.write(trunk, net.graph.cpu(), min(map(int, task.heads.layers)), out / "trunk.onnx")
    return out / "trunk.onnx"


def _images(files: Iterable[Path]) -> Iterator[Tensor]:
    """(1, 3, H, W), one after the other."""
    for known in map(album.load, files):
        yield from (image.float() / 255 for image in known.image.split(1))
