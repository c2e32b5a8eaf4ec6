"""Stage I: the core and two branches that speak at w/8 of everybody in the picture (thesis 002, section 6.3.1), and its losses.

The 2D branch gives heatmaps and part affinity fields; the 3D branch sees the core's and the 2D branch's features and gives the
encodings. The widths of the branches are ours: Figure 7.6, which shows them, is a picture without text in our copy. They grow to
w/8 by bilinear upsampling, not by transposed convolution, whose grid artefacts harm part association (section 7.2.1).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor, nn

from posewire.errors import SettingsError
from posewire_xnect.selecsls import SelecSls, SelecSlsSettings, convolution
from posewire_xnect.skeleton import LINKS, J


@dataclass(frozen=True, slots=True)
class StageOneSettings:
    """Sizes of Stage I."""

    core: SelecSlsSettings = field(default_factory=SelecSlsSettings)
    narrow: int = 256
    """Features of a branch at w/16."""
    branch: int = 128
    """Features of a branch at w/8."""


class Maps(NamedTuple):
    """What Stage I says; B pictures, h and w an eighth of theirs."""

    heatmaps: Tensor
    """(B, J, h, w)."""
    fields: Tensor
    """(B, A, 2, h, w)."""
    encodings: Tensor
    """(B, 3 J, h, w) metres."""


class Truth(NamedTuple):
    """What it should say: targets.heatmaps, targets.affinity_fields and encodings.encode of each picture."""

    heatmaps: Tensor
    fields: Tensor
    encodings: Tensor
    weights: Tensor
    """(B, J, h, w) of the bones; zero where the scheme writes nothing."""


class Losses(NamedTuple):
    """Each a mean, to be weighed by who trains."""

    heatmaps: Tensor
    fields: Tensor
    encodings: Tensor


class Branch(nn.Module):
    """(B, inputs, h/16, w/16) to features (B, branch, h/8, w/8); `beside` are features that are already at w/8."""

    def __init__(self, inputs: int, beside: int, settings: StageOneSettings) -> None:
        super().__init__()
        self.narrow = convolution(inputs, settings.narrow, 1)
        self.lift = convolution(settings.narrow, settings.branch, 3, grouped=True)
        self.mix = convolution(settings.branch + beside, settings.branch, 1)
        self.last = convolution(settings.branch, settings.branch, 3, grouped=True)

    def forward(self, x: Tensor, beside: Tensor | None = None) -> Tensor:
        x = nn.functional.interpolate(self.lift(self.narrow(x)), scale_factor=2.0, mode="bilinear")
        return self.last(self.mix(x if beside is None else torch.cat([x, beside], dim=1)))


class StageOne(nn.Module):
    """(B, 3, h, w) RGB 0..1, sides multiples of 16, to Maps."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, settings: StageOneSettings | None = None) -> None:
        super().__init__()
        self.settings = settings = settings or StageOneSettings()
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1))
        self.register_buffer("deviation", torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1))
        self.core = SelecSls(settings.core)
        self.branch_2d = Branch(self.core.features_out, 0, settings)
        self.branch_3d = Branch(self.core.features_out, settings.branch, settings)
        self.heatmaps = nn.Conv2d(settings.branch, J, 1)
        self.fields = nn.Conv2d(settings.branch, 2 * len(LINKS), 1)
        self.encodings = nn.Conv2d(settings.branch, 3 * J, 1)

    def forward(self, image: Tensor) -> Maps:
        """Everybody's maps.

        Raises:
            SettingsError: a side is no multiple of 16: the maps would not fit their targets.
        """
        height, width = image.shape[2:]
        if height % 16 or width % 16:
            raise SettingsError("XNect takes sides that are multiples of 16.", got=f"{width} x {height}", hint="pad the picture")
        features = self.core((image - self.mean) / self.deviation)
        flat = self.branch_2d(features)
        deep = self.branch_3d(features, flat)
        return Maps(self.heatmaps(flat), self.fields(flat).unflatten(1, (-1, 2)), self.encodings(deep))


def losses(said: Maps, truth: Truth) -> Losses:
    """Per-pixel L2 of heatmaps and fields (section 6.2.3), and of the encodings where and in the channels that are supervised."""
    return Losses(
        ((said.heatmaps - truth.heatmaps) ** 2).mean(),
        ((said.fields - truth.fields) ** 2).mean(),
        encoding_loss(said.encodings, truth.encodings, truth.weights),
    )


def encoding_loss(said: Tensor, truth: Tensor, weights: Tensor) -> Tensor:
    """Weighted L2 of the bones that the weights name: "weighted by a limited support Gaussian" (section 6.2.3), metres squared.

    Args:
        said, truth: (B, 3 J, h, w).
        weights: (B, J, h, w). Channel-sparse, channel-dense and ORPM supervision differ in nothing but these.
    """
    squared = ((said - truth) ** 2).unflatten(1, (J, 3)).sum(2)
    return (squared * weights).sum() / weights.sum().clamp_min(1e-6)
