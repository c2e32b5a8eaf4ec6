"""VAE-GAN and WGAN-GP: a second network tells poses of the decoder from real ones, and the decoder learns to be taken for real.

Thesis 000, sections 2.1.4 to 2.1.6. It says nothing of which pose belongs to a picture, so the squared error stays beside it.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus
from torch.optim import AdamW, Optimizer

from posewire_training.samples import Sampler
from posewire_training.task import Scores, descend, numbers
from posewire_vae_lifter.model import OTHERS, Vae
from posewire_vae_lifter.settings import VaeSettings
from posewire_vae_lifter.tasks import VaeTask, squared_error

PENALTY = 10.0
"""lambda of Gulrajani et al. 2017, "Improved training of Wasserstein GANs", eq. 3."""


class Critic(nn.Module):
    """Standardised pose (B, 48) to a score (B,), larger for real; `hidden` is the layer D_l of eq. 2.9."""

    def __init__(self, width: int = 256) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(3 * OTHERS, width), nn.LeakyReLU(0.2), nn.Linear(width, width), nn.LeakyReLU(0.2))
        self.score = nn.Linear(width, 1)

    def hidden(self, poses: Tensor) -> Tensor:
        """(B, width)"""
        return self.body(poses)

    def forward(self, poses: Tensor) -> Tensor:
        return self.score(self.body(poses))[:, 0]


class AdversarialTask(VaeTask):
    """The VAE's step, and one of the critic's after it."""

    def __init__(self, settings: VaeSettings, net: Vae, training: Sampler, validation: Mapping[str, Sampler]) -> None:
        super().__init__(settings, net, training, validation)
        self.critic = Critic().to(settings.device)
        critic: Optimizer = AdamW(self.critic.parameters(), settings.learning_rate, betas=(0.5, 0.9))
        self.modules = {**self.modules, "critic": self.critic}
        self.optimizers = {**self.optimizers, "critic": critic}

    def step(self, number: int, progress: float) -> Scores:
        samples = self.draw(number)
        real = self.net.poses.standardised(samples.target_m)
        belief = self.net.believe(*samples.inputs)
        outputs = self.net.decoder(belief.drawn)
        invented = self.net.decoder(torch.randn_like(belief.drawn))  # from the prior: Dec(z) of eq. 2.13
        error, divergence = squared_error(outputs, real, samples), belief.divergence().mean() / real.shape[-1]
        fooling = self._fooling(real, outputs, invented)
        loss = error + self.settings.beta_at(progress) * divergence + self.settings.adversary_weight * fooling
        descend(self.optimizers["net"], loss, self.settings.largest_gradient)
        telling = self._telling(real, outputs.detach(), invented.detach())
        descend(self.optimizers["critic"], telling, self.settings.largest_gradient)
        losses = {"loss": error, "divergence": divergence, "fooling": fooling, "telling": telling}
        return numbers(losses)

    def _fooling(self, real: Tensor, outputs: Tensor, invented: Tensor) -> Tensor:
        """What the decoder minimises: taken for real and, for the VAE-GAN, like the truth in the critic's eyes (eq. 2.10)."""
        scores = torch.cat([self.critic(outputs), self.critic(invented)])
        if self.settings.adversary == "wgan-gp":
            return -scores.mean()
        alike = ((self.critic.hidden(outputs) - self.critic.hidden(real).detach()) ** 2).mean()
        return softplus(-scores).mean() + alike

    def _telling(self, real: Tensor, outputs: Tensor, invented: Tensor) -> Tensor:
        """What the critic minimises: eq. 2.13 for the GAN, eq. 2.8 with the gradient penalty for the WGAN."""
        fake = torch.cat([outputs, invented])
        if self.settings.adversary == "wgan-gp":
            return self.critic(fake).mean() - self.critic(real).mean() + PENALTY * gradient_penalty(self.critic, real, outputs)
        return softplus(self.critic(fake)).mean() + softplus(-self.critic(real)).mean()


def gradient_penalty(critic: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    """(|grad D(x)| - 1)^2 on random points between real and fake (Gulrajani et al. 2017, eq. 3)."""
    between = (real + torch.rand_like(real[:, :1]) * (fake - real)).requires_grad_()
    (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return ((slope.norm(dim=-1) - 1.0) ** 2).mean()
