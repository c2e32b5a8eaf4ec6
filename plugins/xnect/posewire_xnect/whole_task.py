"""Training SelecSLS and both branches from nothing, on pictures rendered where they are used: the route for a GPU.

The 2D branch learns alone first (section 6.3.1); then all learn together. Adam with L2, not AdamW: only so do filters fall silent
that export can take out (section 7.1).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from posewire_synth.dataset import Pictures
from posewire_synth.studio import Batch
from posewire_training.settings import TrainSettings
from posewire_training.task import Scores, descend, validation_means
from posewire_xnect import truth
from posewire_xnect.branches import WEIGH_FIELDS, WEIGH_HEATMAPS
from posewire_xnect.skeleton import Scheme
from posewire_xnect.stage_one import StageOne, losses

WEIGH_ENCODINGS = 10.0
_HELD_BATCHES = 4
_HELD_SEED = 900_001
"""Pictures to choose by: people of the training split, in pictures that no training step sees."""


@dataclass(frozen=True, slots=True)
class WholeRun(TrainSettings):
    """A run of SelecSLS; the defaults are for 25 minutes of one large GPU."""

    steps: int = 9000
    batch: int = 64
    """Pictures a step."""
    learning_rate: float = 2e-3
    warm_up_steps: int = 300
    weight_decay: float = 1e-5
    average: float = 0.998
    bf16: bool = True
    device: str = "cuda"
    validate_every: int = 500
    scheme: Scheme = "sparse"
    flat_first: float = 0.3
    """Share of the steps in which only the 2D branch learns."""


class WholeTask:
    """Stage I as one network."""

    def __init__(self, settings: WholeRun, net: StageOne, pack: Path, size: tuple[int, int] = (320, 512)) -> None:
        self.settings, self.net, self.pack, self.size = settings, net.to(settings.device), pack, size
        self.modules: Mapping[str, nn.Module] = {"net": net}
        adam = Adam(net.parameters(), settings.learning_rate, weight_decay=settings.weight_decay)
        self.optimizers: Mapping[str, Optimizer] = {"net": adam}
        self._held: list[Batch] = []
        self._stream: Iterator[Batch] | None = None

    def _batches(self, seed: int, first: int) -> Iterator[Batch]:
        settings = self.settings
        return iter(
            Pictures(self.pack, "groups", batch=settings.batch, size=self.size, seed=seed, first=first, device=settings.device)
        )

    def step(self, number: int, progress: float) -> Scores:
        if self._stream is None:
            self._stream = self._batches(self.settings.seed, number)
        found = self._losses(next(self._stream))
        deep = progress >= self.settings.flat_first
        total = WEIGH_HEATMAPS * found["heatmaps"] + WEIGH_FIELDS * found["fields"]
        total = total + WEIGH_ENCODINGS * found["encodings"] * (1.0 if deep else 0.0)
        descend(self.optimizers["net"], total, self.settings.largest_gradient)
        return {name: float(value.detach()) for name, value in found.items()}

    def _losses(self, batch: Batch) -> dict[str, Tensor]:
        with torch.autocast(self.settings.device, torch.bfloat16, enabled=self.settings.bf16):
            said = self.net(batch.image)
        due = truth.of_batch(batch, self.settings.scheme)
        return losses(type(said)(*(value.float() for value in said)), due)._asdict()

    def validate(self) -> Scores:
        if not self._held:
            stream = self._batches(_HELD_SEED, 0)
            self._held = [next(stream) for _ in range(_HELD_BATCHES)]
        return validation_means([self._losses(batch) for batch in self._held])
