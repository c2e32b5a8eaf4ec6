"""Training SelecSLS and both branches from nothing, on pictures rendered where they are used: the route for a GPU.

The 2D branch learns alone first (section 6.3.1); then all learn together. Adam with L2, not AdamW: only so do filters fall silent
that export can take out (section 7.1). Labelled frames of films (footage.py) may be among the pictures; where their labels say
nothing, nothing is learned.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from posewire.errors import SettingsError
from posewire_synth.dataset import Pictures
from posewire_training.settings import TrainSettings
from posewire_training.task import Scores, descend, validation_means
from posewire_xnect import truth, windows
from posewire_xnect.branches import WEIGH_FIELDS, WEIGH_HEATMAPS
from posewire_xnect.footage import completed
from posewire_xnect.frames import Ahead, Frames
from posewire_xnect.selecsls import Module, Outputs, SelecSlsSettings, Skip
from posewire_xnect.skeleton import Scheme
from posewire_xnect.stage_one import Maps, StageOne, StageOneSettings, Truth, losses
from posewire_xnect.truth import Scene

WEIGH_ENCODINGS = 10.0
_HELD_BATCHES = 4
_HELD_SEED = 900_001
"""Pictures to choose by: people of the training split, in pictures that no training step sees."""
_HELD_FRAMES = 40
"""Of those that are kept."""


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
    real: float = 0.2
    """Share of the pictures that are frames of films, where there are some."""
    module: Module = "CS"
    """Of SelecSLS, as the two below: selecsls.py."""
    skip: Skip = "first"
    outputs: Outputs = "wide"

    SHARES: ClassVar[tuple[str, ...]] = ("flat_first", "real")

    def network(self) -> StageOne:
        """That these settings name, untrained."""
        return StageOne(StageOneSettings(SelecSlsSettings(self.module, self.skip, self.outputs)))


class WholeTask:
    """Stage I as one network.

    Args:
        settings: Of the run.
        net: Untrained, or trained before.
        pack: Of which pictures are rendered.
        size: H, W of all pictures.
        real: Labelled frames of films, or none.
    """

    def __init__(
        self, settings: WholeRun, net: StageOne, pack: Path, size: tuple[int, int] = (320, 512), real: Frames | None = None
    ) -> None:
        self.settings, self.net, self.pack, self.size, self._real = settings, net.to(settings.device), pack, size, real
        self._from_real = round(settings.batch * settings.real) if real else 0
        if self._from_real == settings.batch:
            got, hint = f"--batch {settings.batch} --real {settings.real}", "--real 0.2"
            raise SettingsError("No rendered picture is left in a batch.", got=got, allowed="some of them", hint=hint)
        self._ahead = Ahead(self._cut_frames)
        self.modules: Mapping[str, nn.Module] = {"net": net}
        adam = Adam(net.parameters(), settings.learning_rate, weight_decay=settings.weight_decay)
        self.optimizers: Mapping[str, Optimizer] = {"net": adam}
        self._held: list[Scene] = []
        self._stream: Iterator[Scene] | None = None

    def _scenes(self, seed: int, first: int) -> Iterator[Scene]:
        """Rendered pictures of one step after the other."""
        told, count = self.settings, self.settings.batch - self._from_real
        for batch in Pictures(self.pack, "groups", batch=count, size=self.size, seed=seed, first=first, device=told.device):
            yield truth.scene_of(batch)

    def step(self, number: int, progress: float) -> Scores:
        if self._stream is None:
            self._stream = self._scenes(self.settings.seed, number)
        scene, frames = next(self._stream), self._frames(number)
        found = self._losses(scene) if frames is None else self._losses(scene, frames[0], left_open=frames[1])
        deep = progress >= self.settings.flat_first
        total = WEIGH_HEATMAPS * found["heatmaps"] + WEIGH_FIELDS * found["fields"]
        total = total + WEIGH_ENCODINGS * found["encodings"] * (1.0 if deep else 0.0)
        descend(self.optimizers["net"], total, self.settings.largest_gradient)
        return {name: float(value.detach()) for name, value in found.items()}

    def _frames(self, number: int) -> tuple[Scene, Tensor] | None:
        """Frames of films of a step, and what is left open in them; None where there are none."""
        if self._real is None or not self._from_real:
            return None
        return windows.recoloured_there(*self._ahead.of(number), self.settings.device)

    def _cut_frames(self, number: int) -> tuple[windows.Cut, np.random.Generator]:
        """Of a step, on the CPU, and the chance that is left for their colours."""
        assert self._real is not None
        rng = np.random.default_rng([self.settings.seed, 2, number])
        look = replace(windows.Look.drawn(rng, whole=1.0), room=(self.size[1], self.size[0]))
        return windows.cut([(self._real.learned, self._real.some(rng, self._from_real))], rng, look), rng

    def _losses(self, *known: Scene, left_open: Tensor | None = None) -> dict[str, Tensor]:
        """Of all pictures together; `left_open` in those of the last scene."""
        with torch.autocast(self.settings.device, torch.bfloat16, enabled=self.settings.bf16):
            said = self.net(torch.cat([scene.image for scene in known]))
        said = Maps(*(value.float() for value in said))
        each = [truth.of_scene(scene, self.settings.scheme) for scene in known]
        due = Truth(*(torch.cat(values) for values in zip(*each, strict=True)))
        return losses(said, due if left_open is None else _as_said(due, said, left_open))._asdict()

    def validate(self) -> Scores:
        if not self._held:
            stream = self._scenes(_HELD_SEED, 0)
            self._held = [next(stream) for _ in range(_HELD_BATCHES)]
        scores = validation_means([self._losses(scene) for scene in self._held])
        return {**scores, **(self._kept_scores(self._real) if self._real else {})}

    def _kept_scores(self, real: Frames) -> Scores:
        """Of whole frames that are kept."""
        device, kept = self.settings.device, real.kept
        rows = [slice(row, row + 1) for row in range(min(_HELD_FRAMES, len(kept)))]
        each = [self._losses(kept.scene(row).to(device), left_open=kept.left_open[row].to(device)) for row in rows]
        return {f"real_{name}": value for name, value in validation_means(each).items()}


def _as_said(due: Truth, said: Maps, left_open: Tensor) -> Truth:
    """What is due, and in the last pictures, where labels leave something open (B, J, h, w), what is said: nothing to learn."""
    count = len(left_open)
    own = Maps(*(value[-count:].detach() for value in said))
    heatmaps, fields = completed(due.heatmaps[-count:], due.fields[-count:], own, left_open)
    return due._replace(heatmaps=torch.cat([due.heatmaps[:-count], heatmaps]), fields=torch.cat([due.fields[:-count], fields]))
