"""Small networks and made-up crops for the tests of VNect's training side."""

from __future__ import annotations

import torch

from posewire_vnect import build
from posewire_vnect.network import VNect
from posewire_vnect.settings import HeadKind, VNectSettings
from posewire_vnect.truth import Truth

SIDE = 64


def tiny(head: HeadKind = "locations", seed: int = 0) -> VNect:
    """Untrained."""
    torch.manual_seed(seed)
    return build.network(VNectSettings(trunk="tiny", head=head, side=SIDE, dropout=0.0))


def pictures(count: int, side: int = SIDE) -> torch.Tensor:
    """Smooth noise (count, 3, side, side): a convolution finds something to hold on to."""
    made = torch.Generator().manual_seed(1)
    coarse = torch.rand(count, 3, 8, 8, generator=made)
    return torch.nn.functional.interpolate(coarse, size=(side, side), mode="bilinear")


def made_up(count: int, side: int = SIDE) -> Truth:
    """Joints anywhere."""
    made = torch.Generator().manual_seed(2)
    cells = torch.rand(count, 21, 2, generator=made) * (side / 8 - 3) + 1
    joints_m = 0.4 * torch.randn(count, 21, 3, generator=made)
    return Truth(cells.round(), torch.ones(count, 21), joints_m - joints_m[:, :1])
