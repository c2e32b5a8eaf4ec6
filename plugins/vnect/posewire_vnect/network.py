"""VNect's network: a trunk, and a head that says heatmaps H and location maps X, Y, Z (thesis 002, section 5.3 and Figure 5.4).

    features -> H (stride 8)
    features -> first X, Y, Z; dX, dY, dZ -> BL = |d| (eq. 5.2) -> all concatenated back -> X, Y, Z

Two things are ours, because the trunk is BlazePose's. Location maps are computed at stride 16 and brought to stride 8 by bilinear
upsampling: they are smooth, and cost a quarter. And the trunk's vector, which holds its own 3D, gives a `coarse` pose; maps are
said relative to it, so that the maps need to learn only what image evidence at the joint adds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from posewire_vnect.features import Features, Trunk, Widths
from posewire_vnect.names import JOINTS, ROOT

J = len(JOINTS)
_LEAST_DEVIATION = 1e-2
_RIDGE = 3e-3
"""Share of each standardised feature's own weight."""


@dataclass(frozen=True, slots=True)
class HeadSettings:
    """Sizes of the head."""

    flat: int = 64
    """Features of the heatmap branch, stride 8."""
    spatial: int = 128
    """Features of the location map branch, stride 16."""
    blocks: int = 2
    """Residual blocks before the first answer."""
    hidden: int = 256
    """Features of the vector's layer."""
    dropout: float = 0.1
    """Of whole channels of what the trunk says: no answer may hang on one of them, rendered people differ from real ones."""


class Maps(NamedTuple):
    """What the head says of B crops; h = S / 8."""

    heat: Tensor
    """(B, J, h, h) logits: sigmoid is the heatmap."""
    places_m: Tensor
    """(B, J, 3, h, h) X, Y, Z from the root."""
    first_m: Tensor
    """(B, J, 3, h/2, h/2) the first answer: intermediate supervision."""
    bones_m: Tensor
    """(B, J, 3, h/2, h/2) dX, dY, dZ from the kinematic parent."""
    coarse_m: Tensor
    """(B, J, 3) without a place: from the trunk's vector alone."""


class Block(nn.Module):
    """Depthwise 5x5, pointwise, added to what came in."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(width, width, 5, padding=2, groups=width, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, width, 1, bias=False),
            nn.BatchNorm2d(width),
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.body(x))


def _mixed(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


class HeatBranch(nn.Module):
    """Fine features to heatmap logits."""

    def __init__(self, widths: Widths, settings: HeadSettings) -> None:
        super().__init__()
        self.body = nn.Sequential(_mixed(widths.fine, settings.flat), Block(settings.flat))
        self.heat = nn.Conv2d(settings.flat, J, 1)
        assert self.heat.bias is not None
        nn.init.constant_(self.heat.bias, -4.0)  # nearly every cell is empty

    def forward(self, fine: Tensor) -> Tensor:
        return self.heat(self.body(fine))


class CoarsePose(nn.Module):
    """The vector to one pose: a straight line from it, begun by least squares, and a hidden layer beside."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, widths: Widths, settings: HeadSettings) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(widths.vector))
        self.register_buffer("deviation", torch.ones(widths.vector))
        self.hidden = nn.Sequential(nn.Linear(widths.vector, settings.hidden), nn.ReLU(), nn.Dropout(settings.dropout))
        self.straight = nn.Linear(widths.vector, 3 * J)
        self.out = nn.Linear(settings.hidden, 3 * J)
        for layer in (self.straight, self.out):
            nn.init.normal_(layer.weight, std=1e-3)

    def forward(self, vector: Tensor) -> tuple[Tensor, Tensor]:
        """(B, J, 3) and the hidden features (B, hidden)."""
        vector = (vector - self.mean) / self.deviation
        hidden = self.hidden(vector)
        return (self.straight(vector) + self.out(hidden)).unflatten(1, (J, 3)), hidden

    @torch.no_grad()
    def fit(self, vectors: Tensor, joints_m: Tensor, last: int | None = None) -> None:
        """Begins from many samples: their mean and deviation, and the least squares answer, pulled towards the mean pose.

        Args:
            vectors: (N, V).
            joints_m: (N, J, 3); what is not known (NaN) counts as the mean pose.
            last: How many of the vector's last numbers the answer begins from; None = all.
        """
        first = 0 if last is None else vectors.shape[1] - last
        self.mean.copy_(vectors.mean(0))
        self.deviation.copy_(vectors.std(0) + _LEAST_DEVIATION)
        x, y = ((vectors - self.mean) / self.deviation)[:, first:], joints_m.flatten(1)
        middle = y.nanmean(0)
        pulled = x.T @ x + _RIDGE * len(x) * torch.eye(x.shape[1], device=x.device)
        self.straight.weight.zero_()
        self.straight.weight[:, first:] = torch.linalg.solve(pulled, x.T @ (y - middle).nan_to_num(0.0)).T
        self.straight.bias.copy_(middle)


class MapBranch(nn.Module):
    """Everything the trunk says, at stride 16, to location maps."""

    def __init__(self, widths: Widths, settings: HeadSettings) -> None:
        super().__init__()
        width = settings.spatial
        self.from_fine = nn.Conv2d(widths.fine, width, 1, bias=False)
        self.from_mid = nn.Conv2d(widths.mid, width, 1, bias=False)
        self.from_deep = nn.Conv2d(widths.deep, width, 1, bias=False)
        self.from_vector = nn.Linear(settings.hidden + 3 * J, width, bias=False)
        self.from_place = nn.Conv2d(2, width, 1, bias=False)
        self.norm = nn.BatchNorm2d(width)
        self.blocks = nn.Sequential(*(Block(width) for _ in range(settings.blocks)))
        self.first = nn.Conv2d(width, 3 * J, 1)
        self.bones = nn.Conv2d(width, 3 * J, 1)
        self.again = nn.Sequential(_mixed(width + 7 * J, width), Block(width))
        self.last = nn.Conv2d(width, 3 * J, 1)
        for layer in (self.first, self.last):
            nn.init.normal_(layer.weight, std=1e-3)

    def forward(self, features: Features, coarse: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """First, parent-relative and last maps, each (B, J, 3, S/16, S/16), relative to the coarse pose where root-relative."""
        deep = nn.functional.interpolate(self.from_deep(features.deep), scale_factor=2.0, mode="bilinear")
        everywhere = self.from_vector(torch.cat([hidden, coarse.flatten(1)], 1))[..., None, None]
        fine = self.from_fine(nn.functional.avg_pool2d(features.fine, 2)) + self.from_place(places(features.mid))
        x = self.blocks(torch.relu(self.norm(fine + self.from_mid(features.mid) + deep + everywhere)))
        first = coarse[..., None, None] + self.first(x).unflatten(1, (J, 3))
        bones = self.bones(x).unflatten(1, (J, 3))
        lengths = (bones.square().sum(2) + 1e-6).sqrt()  # eq. 5.2
        back = torch.cat([x, first.flatten(1, 2), bones.flatten(1, 2), lengths], 1)
        return first, bones, first + self.last(self.again(back)).unflatten(1, (J, 3))


def places(like: Tensor) -> Tensor:
    """(1, 2, h, w) where each cell lies in the crop, -1..1: the vector says where the trunk sees joints, in the same unit."""
    y, x = (torch.linspace(-1.0, 1.0, side, device=like.device, dtype=like.dtype) for side in like.shape[2:])
    return torch.stack(torch.meshgrid(x, y, indexing="xy"))[None]


class LocationHead(nn.Module):
    """Features to Maps."""

    def __init__(self, widths: Widths, settings: HeadSettings | None = None) -> None:
        super().__init__()
        self.settings = settings = settings or HeadSettings()
        self.drop = nn.Dropout2d(settings.dropout)
        self.heat = HeatBranch(widths, settings)
        self.coarse = CoarsePose(widths, settings)
        self.maps = MapBranch(widths, settings)

    def forward(self, features: Features) -> Maps:
        fine, mid, deep = (self.drop(part) for part in features[:3])
        coarse, hidden = self.coarse(features.vector)
        coarse = coarse - coarse[:, ROOT : ROOT + 1]
        first, bones, last = self.maps(Features(fine, mid, deep, features.vector), coarse, hidden)
        places = nn.functional.interpolate(last.flatten(1, 2), scale_factor=2.0, mode="bilinear").unflatten(1, (J, 3))
        return Maps(self.heat(fine), places, first, bones, coarse)


class VNect(nn.Module):
    """Pictures (B, 3, S, S), RGB 0..1, to Maps (or, with the head of `regression`, to its Answers)."""

    def __init__(self, trunk: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.trunk, self.head = trunk, head

    def forward(self, image: Tensor) -> Maps:
        return self.head(self.trunk(image))


def widths_of(trunk: nn.Module) -> Widths:
    """What a trunk says it gives."""
    known: Trunk = trunk  # pyright: ignore[reportAssignmentType] - torch's attributes are untyped
    return known.widths
