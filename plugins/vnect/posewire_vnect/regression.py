"""Direct regression with multi-modal fusion (thesis 002, section 4.1.2), to compare with location maps: `--head regression`.

Three stubs say the pose relative to the root, to first and to second order parents (Figure 4.1); three fully connected layers
fuse them. Each stub is a 5x5 convolution of stride 2 with 128 features and a fully connected layer, as in the base network.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from posewire_vnect.features import Features, Widths
from posewire_vnect.losses import distance, heat_loss
from posewire_vnect.names import JOINTS, PARENTS
from posewire_vnect.network import HeadSettings, HeatBranch
from posewire_vnect.truth import Truth

J = len(JOINTS)
FIRST: list[int] = [max(parent, 0) for parent in PARENTS]
SECOND: list[int] = [FIRST[parent] for parent in FIRST]
_STUB = 128
_FUSION = (2048, 1024)


class Answers(NamedTuple):
    """Of B crops."""

    heat: Tensor
    """(B, J, h, h) logits."""
    root_m: Tensor
    """(B, J, 3) from the root."""
    first_m: Tensor
    """(B, J, 3) from the parent."""
    second_m: Tensor
    """(B, J, 3) from the parent's parent."""
    fused_m: Tensor
    """(B, J, 3) from the root: the answer."""


class RegressionLosses(NamedTuple):
    """Means over the joints that are known, metres but for the heatmaps."""

    heat: Tensor
    modes: Tensor
    fused: Tensor

    def total(self, progress: float) -> Tensor:
        """The modes are auxiliary: they fade as the intermediate losses of location maps do."""
        return 0.03 * self.heat + (1.0 - 0.9 * progress) * self.modes + 3.0 * self.fused


class Stub(nn.Module):
    """Features at stride 16 to 3 J numbers."""

    def __init__(self, inputs: int, cells: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, _STUB, 5, stride=2, padding=2, bias=False), nn.BatchNorm2d(_STUB), nn.ReLU(inplace=True)
        )
        self.out = nn.Linear(_STUB * cells, 3 * J)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.body(x).flatten(1))


class RegressionHead(nn.Module):
    """Features of crops of `side` pixels to Answers."""

    def __init__(self, widths: Widths, side: int, settings: HeadSettings | None = None) -> None:
        super().__init__()
        settings = settings or HeadSettings()
        cells = (side // 32) ** 2
        self.heat = HeatBranch(widths, settings)
        self.drop = nn.Dropout2d(settings.dropout)
        self.stubs = nn.ModuleList(Stub(widths.mid + widths.deep, cells) for _ in range(3))
        sizes = (9 * J, *_FUSION)
        layers = [nn.Sequential(nn.Linear(a, b), nn.ReLU(inplace=True)) for a, b in zip(sizes, _FUSION, strict=False)]
        self.fusion = nn.Sequential(*layers, nn.Linear(_FUSION[-1], 3 * J))

    def forward(self, features: Features) -> Answers:
        deep = nn.functional.interpolate(features.deep, scale_factor=2.0, mode="bilinear")
        x = self.drop(torch.cat([features.mid, deep], 1))
        modes = [stub(x) for stub in self.stubs]
        fused = self.fusion(torch.cat(modes, 1))
        root, first, second, fused = (mode.unflatten(1, (J, 3)) for mode in (*modes, fused))
        return Answers(self.heat(self.drop(features.fine)), root, first, second, fused)


def regression_losses(said: Answers, truth: Truth) -> RegressionLosses:
    """Of a batch."""
    joints_m = truth.joints_m
    modes = (
        distance(said.root_m, joints_m)
        + distance(said.first_m, joints_m - joints_m[:, FIRST])
        + distance(said.second_m, joints_m - joints_m[:, SECOND])
    )
    return RegressionLosses(heat_loss(said.heat, truth), modes, distance(said.fused_m, joints_m))
