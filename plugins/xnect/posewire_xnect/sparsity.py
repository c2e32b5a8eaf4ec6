"""Implicit filter sparsity (thesis 002, section 7.1): filters that training has silenced are taken out, and what that changed.

Training with Adam and L2 drives the scales gamma of some batch norms to nothing; a filter with |gamma| < 1e-3 counts as inactive.
AdamW and SGD do not do this. It has to happen before batch norm is folded.

A filter is taken out only if nothing notices: what is left of it (its shift beta, behind the ReLU) must be silent too, and a
grouped convolution must keep equally many features in each group. The report says how many stay for those reasons. Features that
are added to others (module type AS) cannot be taken out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor, nn

from posewire.errors import ModelError
from posewire_xnect.selecsls import SelecSls, SelecSlsModule
from posewire_xnect.stage_one import Branch, StageOne

THRESHOLD = 1e-3
"""|gamma| below which a filter is inactive; "purposefully conservative" (section 7.1)."""


Consumers: TypeAlias = tuple[tuple[nn.Conv2d, int], ...]
"""(convolution, number of its first input that is ours)."""


@dataclass(frozen=True, slots=True, eq=False)
class Feature:
    """The outputs of one convolution, and everybody who reads them."""

    name: str
    producer: nn.Sequential
    """Convolution, batch norm, ReLU."""
    consumers: Consumers


@dataclass(frozen=True, slots=True)
class Pruned:
    """Of one convolution, or of all."""

    name: str
    filters: int
    inactive: int
    """With |gamma| < THRESHOLD."""
    removed: int


@dataclass(frozen=True, slots=True)
class Report:
    """What pruning did."""

    layers: tuple[Pruned, ...]
    parameters_before: int
    parameters_after: int

    def total(self) -> Pruned:
        """All layers together."""
        counts = (sum(getattr(layer, name) for layer in self.layers) for name in ("filters", "inactive", "removed"))
        return Pruned("total", *counts)

    def __str__(self) -> str:
        lines = [f"{'filters of':24s}   all  inactive  removed"]
        for layer in (*(layer for layer in self.layers if layer.inactive), self.total()):
            lines.append(f"{layer.name:24s} {layer.filters:5d}  {layer.inactive:8d}  {layer.removed:7d}")
        return "\n".join([*lines, f"parameters {self.parameters_before} -> {self.parameters_after}"])


def prune(net: StageOne) -> Report:
    """Takes inactive filters out of the network, in place; its batch norms must not be folded yet."""
    before = _parameters(net)
    wires = wiring(net)
    kept = [_kept(feature) for feature in wires]
    inputs = _kept_inputs(wires, kept)
    layers = tuple(
        Pruned(feature.name, len(keep), int(_inactive(feature).sum()), int((~keep).sum()))
        for feature, keep in zip(wires, kept, strict=True)
    )
    for feature, keep in zip(wires, kept, strict=True):
        _keep_outputs(feature.producer, keep)
    for conv, keep in inputs.items():
        _keep_inputs(conv, keep)
    return Report(layers, before, _parameters(net))


def wiring(net: StageOne) -> list[Feature]:
    """Every feature of the network that may lose filters."""
    flat, deep = net.branch_2d, net.branch_3d
    readers = tuple((_conv(branch.narrow), 0) for branch in (flat, deep))
    beside = (_conv(deep.mix), _conv(deep.lift).out_channels)
    return [
        *_core_wiring(net.core, readers),
        *_branch_wiring("branch_2d", flat, ((net.heatmaps, 0), (net.fields, 0), beside)),
        *_branch_wiring("branch_3d", deep, ((net.encodings, 0),)),
    ]


def _core_wiring(core: SelecSls, readers: Consumers) -> list[Feature]:
    modules = list(core.modules_in_order())
    found = [Feature("stem", core.stem, ((_conv(modules[0].conv1), 0),))]
    for number, module in enumerate(modules):
        found.extend(_module_wiring(f"features.{number}", module))
        onward = readers if module is modules[-1] else ((_conv(modules[number + 1].conv1), 0),)
        skips = [modules[other] for other, source in enumerate(core.sources) if source == number]
        if not module.adds and not any(other.adds for other in skips):
            onward += tuple((_conv(other.conv6), other.inside) for other in skips)
            found.append(Feature(f"features.{number}.conv6", module.conv6, onward))
    return found


def _module_wiring(name: str, module: SelecSlsModule) -> list[Feature]:
    """Conv1 to conv5: each is read by the next, the 3x3 ones also by conv6."""
    meeting, k = _conv(module.conv6), _conv(module.conv1).out_channels
    half = _conv(module.conv3).out_channels
    return [
        Feature(f"{name}.conv1", module.conv1, ((_conv(module.conv2), 0), (meeting, 0))),
        Feature(f"{name}.conv2", module.conv2, ((_conv(module.conv3), 0),)),
        Feature(f"{name}.conv3", module.conv3, ((_conv(module.conv4), 0), (meeting, k))),
        Feature(f"{name}.conv4", module.conv4, ((_conv(module.conv5), 0),)),
        Feature(f"{name}.conv5", module.conv5, ((meeting, k + half),)),
    ]


def _branch_wiring(name: str, branch: Branch, readers: Consumers) -> list[Feature]:
    return [
        Feature(f"{name}.narrow", branch.narrow, ((_conv(branch.lift), 0),)),
        Feature(f"{name}.lift", branch.lift, ((_conv(branch.mix), 0),)),
        Feature(f"{name}.mix", branch.mix, ((_conv(branch.last), 0),)),
        Feature(f"{name}.last", branch.last, readers),
    ]


def _conv(block: nn.Sequential) -> nn.Conv2d:
    conv = block[0]
    assert isinstance(conv, nn.Conv2d)
    return conv


def _norm(block: nn.Sequential) -> nn.BatchNorm2d:
    norm = block[1]
    if not isinstance(norm, nn.BatchNorm2d):
        raise ModelError("This network's batch norms are folded: its scales are gone.", hint="prune before export folds them")
    return norm


def _inactive(feature: Feature) -> Tensor:
    """(filters,) bool."""
    return _norm(feature.producer).weight.detach().abs() < THRESHOLD


def _kept(feature: Feature) -> Tensor:
    """(filters,) bool: all but what is inactive and silent, equally many in each group, one at least."""
    norm = _norm(feature.producer)
    scale, shift = norm.weight.detach().abs(), norm.bias.detach()
    silent = _inactive(feature) & (shift < THRESHOLD)
    groups = max(_conv(feature.producer).groups, *(conv.groups for conv, _ in feature.consumers))
    by_group = silent.view(groups, -1)
    count = min(int(by_group.sum(1).min()), by_group.shape[1] - 1)
    order = torch.where(silent, scale, torch.inf).view(groups, -1).argsort(dim=1)
    keep = torch.ones_like(by_group)
    keep.scatter_(1, order[:, :count], torch.zeros_like(order[:, :count], dtype=torch.bool))
    return keep.flatten()


def _kept_inputs(wires: list[Feature], kept: list[Tensor]) -> dict[nn.Conv2d, Tensor]:
    """Which inputs each reading convolution still has, once all features have lost theirs."""
    inputs: dict[nn.Conv2d, Tensor] = {}
    for feature, keep in zip(wires, kept, strict=True):
        for conv, first in feature.consumers:
            own = inputs.setdefault(conv, torch.ones(conv.in_channels, dtype=torch.bool, device=keep.device))
            own[first : first + len(keep)] = keep
    return inputs


def _keep_outputs(block: nn.Sequential, keep: Tensor) -> None:
    conv, norm = _conv(block), _norm(block)
    conv.weight = nn.Parameter(conv.weight.detach()[keep])
    norm.weight, norm.bias = nn.Parameter(norm.weight.detach()[keep]), nn.Parameter(norm.bias.detach()[keep])
    assert norm.running_mean is not None and norm.running_var is not None
    norm.running_mean, norm.running_var = norm.running_mean[keep], norm.running_var[keep]
    conv.out_channels = norm.num_features = int(keep.sum())


def _keep_inputs(conv: nn.Conv2d, keep: Tensor) -> None:
    """A grouped weight lists only its own group's inputs, so each group picks among its own."""
    weight = conv.weight.detach().unflatten(0, (conv.groups, -1))  # (G, out / G, in / G, h, w)
    own = keep.view(conv.groups, -1)
    conv.weight = nn.Parameter(torch.cat([part[:, mask] for part, mask in zip(weight, own, strict=True)]))
    conv.in_channels = int(keep.sum())


def _parameters(net: nn.Module) -> int:
    return sum(value.numel() for value in net.parameters())
