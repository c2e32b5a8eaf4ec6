"""What is learned from a batch: the beta-VAE's loss, and the baseline's."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

from posewire_training.samples import Sampler, Samples
from posewire_training.task import Scores, descend
from posewire_vae_lifter.model import Baseline, Vae
from posewire_vae_lifter.settings import VaeSettings

_FIT_SAMPLES = 20_000
_VALIDATION_SAMPLES = 4_000


class Lifting:
    """What VAE and baseline share: samples, the optimiser, errors in millimetres.

    Args:
        settings: Of the run.
        training: Where batches come from.
        validation: By name, what errors are measured on: each once drawn, always the same.
    """

    def __init__(self, settings: VaeSettings, net: Vae | Baseline, training: Sampler, validation: Mapping[str, Sampler]) -> None:
        self.settings, self.net, self._training = settings, net.to(settings.device), training
        self.fit(training.draw(np.random.default_rng([settings.seed, 1]), _FIT_SAMPLES, settings.device))
        rng = np.random.default_rng(1)
        self._validation = {name: drawn.draw(rng, _VALIDATION_SAMPLES, settings.device) for name, drawn in validation.items()}
        self.modules: Mapping[str, nn.Module] = {"net": net}
        self.optimizers: Mapping[str, Optimizer] = {
            "net": AdamW(net.parameters(), settings.learning_rate, weight_decay=settings.weight_decay, fused=True)
        }

    def fit(self, samples: Samples) -> None:
        """Mean and deviation of what goes in and comes out."""
        self.net.features.fit(*samples.inputs)
        self.net.poses.scaler.fit(samples.target_m[:, 1:])

    def error(self, outputs: Tensor, target: Tensor, samples: Samples) -> Tensor:
        """What reconstruction costs, as the settings measure it."""
        if self.settings.error == "squared":
            return squared_error(outputs, target, samples)
        return distance(outputs, target, samples, self.net.poses.scaler.deviation)

    def draw(self, number: int) -> Samples:
        """The batch of a step."""
        return self._training.draw(
            np.random.default_rng([self.settings.seed, 2, number]), self.settings.batch, self.settings.device
        )

    def validate(self) -> Scores:
        """MPJPE of the mode on each validation sampler, mm."""
        return {f"{name}_mm": 1e3 * error_m(self.net, samples) for name, samples in self._validation.items()}


def error_m(net: nn.Module, samples: Samples) -> float:
    """MPJPE of the usable rows."""
    usable = torch.from_numpy(samples.view.usable)
    return float((net(*samples.inputs) - samples.target_m)[usable].norm(dim=-1).mean())


class BaselineTask(Lifting):
    """Mean squared error of the standardised pose."""

    net: Baseline

    def step(self, number: int, progress: float) -> Scores:
        samples = self.draw(number)
        with torch.autocast(self.settings.device, torch.bfloat16, enabled=self.settings.bf16):
            outputs = self.net.outputs(*samples.inputs)
        loss = self.error(outputs.float(), self.net.poses.standardised(samples.target_m), samples)
        descend(self.optimizers["net"], loss, self.settings.largest_gradient)
        return {"loss": float(loss.detach())}


class VaeTask(Lifting):
    """Reconstruction + beta * divergence (thesis 000, eq. 2.4), the divergence per output (section 4.2)."""

    net: Vae

    def step(self, number: int, progress: float) -> Scores:
        samples = self.draw(number)
        with torch.autocast(self.settings.device, torch.bfloat16, enabled=self.settings.bf16):
            belief = self.net.believe(*samples.inputs)
            outputs = self.net.decoder(belief.drawn).float()
        target = self.net.poses.standardised(samples.target_m)
        error = self.error(outputs, target, samples)
        divergence = belief.divergence().mean() / target.shape[-1]
        descend(self.optimizers["net"], error + self.settings.beta_at(progress) * divergence, self.settings.largest_gradient)
        return {"loss": float(error.detach()), "divergence": float(divergence.detach())}


def distance(outputs: Tensor, target: Tensor, samples: Samples, deviation: Tensor) -> Tensor:
    """Mean distance of a joint to its truth over the usable rows, in units of the poses' own deviation (16, 3)."""
    usable = torch.from_numpy(samples.view.usable).to(outputs)
    off_m = (outputs - target).unflatten(-1, deviation.shape) * deviation
    lengths = (off_m.square().sum(dim=-1) + 1e-6).sqrt().mean(dim=-1) / deviation.square().mean().sqrt()
    return (lengths * usable).sum() / usable.sum().clamp_min(1)


def squared_error(outputs: Tensor, target: Tensor, samples: Samples) -> Tensor:
    """Mean over the usable rows: of the others too little is seen for an answer."""
    usable = torch.from_numpy(samples.view.usable).to(outputs)
    return (((outputs - target) ** 2).mean(dim=-1) * usable).sum() / usable.sum().clamp_min(1)
