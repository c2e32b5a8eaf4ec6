"""The cross-modal form: an image encoder and the 2D encoder share one latent space, from which a pose and an image are decoded.

Thesis 000, sections 4.1.1 (modalities), 4.1.2 (ResNet-18; five convolutions with batch norm and upsampling), 4.2 (one pair of
encoder and decoder after the other; L1 for images, squared error for poses, the divergence divided by the outputs).
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise, product
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, l1_loss
from torch.optim import AdamW, Optimizer

from posewire_training.samples import Sampler, Samples
from posewire_training.task import Scores, descend
from posewire_vae_lifter.figures import rendered
from posewire_vae_lifter.model import LOGVAR_RANGE, Belief, Vae
from posewire_vae_lifter.settings import VaeSettings
from posewire_vae_lifter.tasks import Lifting, error_m, squared_error

IMAGE_PX = 32
"""The document's are 256. Stick figures with soft edges show as much in 32, and a step costs a quarter of one with 64."""
_Module = TypeVar("_Module", bound=nn.Module)
PAIRS = tuple(product(("points", "image"), ("pose", "image")))
"""Encoder and decoder, one pair a step in turn."""


class BasicBlock(nn.Module):
    """Two convolutions of three and a shortcut (He et al. 2016, figure 2)."""

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Sequential(
            nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False), nn.BatchNorm2d(channels), nn.ReLU()
        )
        self.second = nn.Sequential(nn.Conv2d(channels, channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels))
        same = stride == 1 and channels_in == channels
        shortcut = (nn.Conv2d(channels_in, channels, 1, stride, bias=False), nn.BatchNorm2d(channels))
        self.shortcut = nn.Identity() if same else nn.Sequential(*shortcut)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.second(self.first(x)) + self.shortcut(x))


class ImageEncoder(nn.Module):
    """ResNet-18 (He et al. 2016, table 1) and two linear layers; not pre-trained, since no free weights are at hand."""

    def __init__(self, latent: int) -> None:
        super().__init__()
        stem = nn.Sequential(nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1))
        levels = [(64, 64, 1), (64, 128, 2), (128, 256, 2), (256, 512, 2)]
        blocks = [BasicBlock(*sizes) for a, b, stride in levels for sizes in ((a, b, stride), (b, b, 1))]
        self.body = nn.Sequential(stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.mean, self.logvar = nn.Linear(512, latent), nn.Linear(512, latent)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, H, W) to mean and log-variance (B, L)."""
        hidden = self.body(images)
        return self.mean(hidden), self.logvar(hidden).clamp(*LOGVAR_RANGE)


class ImageDecoder(nn.Module):
    """Latent to image: five convolutions with batch norm and activation, the picture doubled before each but the first."""

    def __init__(self, latent: int, image_px: int | None = None) -> None:
        super().__init__()
        self.first_px = (image_px or IMAGE_PX) // 16
        self.up = nn.Linear(latent, 128 * self.first_px**2)
        widths = (128, 128, 64, 32, 16, 3)
        self.convolutions = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1) for a, b in pairwise(widths))
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) for width in widths[1:])

    def forward(self, latent: Tensor) -> Tensor:
        x = self.up(latent).unflatten(1, (128, self.first_px, self.first_px))
        for number, (convolution, norm) in enumerate(zip(self.convolutions, self.norms, strict=True)):
            x = norm(convolution(interpolate(x, scale_factor=2.0) if number else x))
            x = torch.sigmoid(x) if number == 4 else torch.relu(x)
        return x


class CrossModalTask(Lifting):
    """Learns one pair of encoder and decoder a step; images are stick figures of the newest frame."""

    net: Vae

    def __init__(self, settings: VaeSettings, net: Vae, training: Sampler, validation: Mapping[str, Sampler]) -> None:
        super().__init__(settings, net, training, validation)
        self.eyes = _by_channels_last(ImageEncoder(settings.latent).to(settings.device))
        self.painter = _by_channels_last(ImageDecoder(settings.latent).to(settings.device))
        self.modules: Mapping[str, nn.Module] = {"net": net, "eyes": self.eyes, "painter": self.painter}
        parameters = [parameter for module in self.modules.values() for parameter in module.parameters()]
        adam: Optimizer = AdamW(parameters, settings.learning_rate, weight_decay=settings.weight_decay, fused=True)
        self.optimizers: Mapping[str, Optimizer] = {"net": adam}
        self._last = {f"{a}_to_{b}": float("nan") for a, b in PAIRS}

    def step(self, number: int, progress: float) -> Scores:
        source, target = PAIRS[number % len(PAIRS)]
        samples = self.draw(number)
        with torch.autocast(self.settings.device, torch.bfloat16, enabled=self.settings.bf16):
            belief = self.believe(samples, source)
            loss, outputs = self._loss(belief, samples, target)
        divergence = belief.divergence().mean() / outputs
        descend(self.optimizers["net"], loss + self.settings.beta_at(progress) * divergence, self.settings.largest_gradient)
        self._last[f"{source}_to_{target}"] = float(loss.detach())
        return dict(self._last)

    def believe(self, samples: Samples, source: str) -> Belief:
        """The latent's distribution, as the 2D or as the image says."""
        if source == "points":
            return self.net.believe(*samples.inputs)
        mean, logvar = self.eyes(self.images(samples))
        return Belief(mean, logvar, mean + (0.5 * logvar).exp() * torch.randn_like(mean))

    def images(self, samples: Samples) -> Tensor:
        """(B, 3, H, W) stick figures of what the camera sees, nothing hidden."""
        points = (samples.clean / samples.size.exp()[:, None]).cpu().numpy()
        return torch.from_numpy(rendered(points, IMAGE_PX)).to(samples.size).contiguous(memory_format=torch.channels_last)

    def _loss(self, belief: Belief, samples: Samples, target: str) -> tuple[Tensor, int]:
        """Reconstruction, and the number of outputs that the divergence is divided by."""
        if target == "image":
            return l1_loss(self.painter(belief.drawn).float(), self.images(samples)), 3 * IMAGE_PX**2
        pose = self.net.poses.standardised(samples.target_m)
        return squared_error(self.net.decoder(belief.drawn).float(), pose, samples), pose.shape[-1]

    def validate(self) -> Scores:
        """Errors from 2D, and from images."""
        errors = {f"{name}_mm": 1e3 * error_m(self.net, samples) for name, samples in self._validation.items()}
        samples = self._validation["clean"]
        poses_m = self.net.poses(self.net.decoder(self.eyes(self.images(samples))[0]))
        return errors | {"image_mm": 1e3 * float((poses_m - samples.target_m).norm(dim=-1).mean())}


def _by_channels_last(module: _Module) -> _Module:
    """In oneDNN's own order: other weights and images are copied at every convolution."""
    return module.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue] - torch's stubs leave it out
