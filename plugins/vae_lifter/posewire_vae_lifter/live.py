"""What ships: a trained VAE, asked of a view and of its mirror image, and hypotheses around what it says.

Shapes: B batch, S samples, H hidden, L latent, D directions of hypotheses.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from posewire_training.mirror import both, mirrored
from posewire_vae_lifter.model import Vae
from posewire_vae_lifter.settings import VaeSettings

DIRECTIONS = 6
"""In which hypotheses differ. With many, twenty hypotheses would fill the space so thinly that none is near the truth; chosen on
the validation subjects."""


class Spread(nn.Module):
    """Where hypotheses lie around the mode, in the latent space: learned after the VAE, see spread.py.

    The encoder's own variance cannot say it: the reconstruction loss shrinks it wherever the output would move, so that its
    samples are far closer together than the mode is to the truth.
    """

    temperature: Tensor

    def __init__(self, settings: VaeSettings, directions: int = DIRECTIONS) -> None:
        super().__init__()
        self.directions = directions
        self.hidden = nn.Linear(settings.hidden, 64)
        self.steps = nn.Linear(64, directions * settings.latent)
        self.register_buffer("temperature", torch.ones(1))

    def forward(self, hidden: Tensor, noise: Tensor) -> Tensor:
        """Encoder's hidden layer (B, H) and normal noise (B, S, D) to steps from the mean (B, S, L)."""
        steps = self.steps(torch.relu(self.hidden(hidden))).unflatten(-1, (self.directions, -1))  # (B, D, L): this input's own
        return self.temperature * (noise @ steps)


SHARE = 0.5
"""Of the view's own answer; the rest is its mirror image's, of which there is only one."""


class LiveVae(nn.Module):
    """A view and noise to poses, the mode where the noise is zero."""

    def __init__(self, vae: Vae, spread: Spread) -> None:
        super().__init__()
        self.vae, self.spread = vae, spread

    def forward(self, points: Tensor, seen: Tensor, size: Tensor, noise: Tensor) -> Tensor:
        """Noise (B, S, D) to joints (B, S, 17, 3), metres."""
        vae, batch, samples = self.vae, noise.shape[0], noise.shape[1]
        mean, _, hidden = vae.encoder(vae.features(*both(points, seen, size)))  # (2 B, ...)
        latent = mean[:batch, None] + self.spread(hidden[:batch], noise)  # (B, S, L)
        rows = torch.cat([latent.flatten(0, 1), mean[batch:]])  # ONNX Runtime adds a bias inside a product of two axes only
        poses_m = vae.poses(vae.decoder(rows))
        own_m, other_m = poses_m[: batch * samples].unflatten(0, (batch, samples)), poses_m[batch * samples :]
        return SHARE * own_m + (1.0 - SHARE) * mirrored(other_m)[:, None]
