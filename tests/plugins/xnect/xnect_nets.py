"""Small networks that the tests share."""

from __future__ import annotations

import torch

from posewire_xnect.selecsls import Level, SelecSlsSettings
from posewire_xnect.stage_one import StageOne, StageOneSettings

TINY = (Level(8, (8, 8), (8, 12)), Level(16, (16, 16), (16, 24)), Level(24, (24, 24, 24), (24, 24, 32)))
SHORT = tuple(Level(level.k, level.base[-2:], level.wide[-2:]) for level in TINY)
"""Two modules a level: exporting takes half the time."""


def tiny(module: str = "CS", skip: str = "first", levels: tuple[Level, ...] = TINY) -> StageOne:
    """A Stage I whose batch norms have seen something, in eval mode."""
    net = StageOne(StageOneSettings(SelecSlsSettings(module, skip, levels=levels), narrow=16, branch=16))  # type: ignore[arg-type]
    for norm in batch_norms(net):
        torch.nn.init.uniform_(norm.weight, 0.5, 1.5)
        torch.nn.init.normal_(norm.bias, std=0.2)
    with torch.no_grad():
        net.train()(torch.rand(4, 3, 64, 96))
    return net.eval()


def silenced(net: StageOne, share: float) -> StageOne:
    """A share of each batch norm's scales and shifts brought to nothing, as Adam with L2 leaves them."""
    for norm in batch_norms(net):
        dead = torch.rand(norm.num_features) < share
        norm.weight.data[dead], norm.bias.data[dead] = 1e-7, -1e-4
    return net


def batch_norms(net: torch.nn.Module) -> list[torch.nn.BatchNorm2d]:
    return [layer for layer in net.modules() if isinstance(layer, torch.nn.BatchNorm2d)]
