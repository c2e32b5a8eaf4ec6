"""`python -m posewire_xnect.cost`: parameters and multiply-adds of the networks, level by level."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from posewire_xnect.selecsls import SelecSls, SelecSlsSettings
from posewire_xnect.stage_one import StageOne


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one network and picture size."""

    parameters: int
    multiply_adds: int
    """Of convolutions and linear layers; batch norm is folded into them."""


def parameters(net: nn.Module) -> int:
    return sum(value.numel() for value in net.parameters())


def cost(net: nn.Module, height: int, width: int) -> Cost:
    """Counts by running the network on a black picture."""
    total = 0

    def count(layer: nn.Module, _: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        if isinstance(layer, nn.Conv2d):
            total += output.numel() * layer.weight[0].numel()
        elif isinstance(layer, nn.Linear):
            total += output.numel() * layer.in_features

    handles = [layer.register_forward_hook(count) for layer in net.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    with torch.inference_mode():
        net.eval()(torch.zeros(1, 3, height, width))
    for handle in handles:
        handle.remove()
    return Cost(parameters(net), total)


def report(height: int, width: int) -> str:
    """A table of every variant of Table 7.10 and of Stage I."""
    variants = [("AS", "prev", "base"), ("CS", "prev", "base"), ("CS", "prev", "wide"), ("CS", "first", "wide")]
    nets: list[tuple[str, nn.Module]] = [
        (f"core {module} {skip} {outputs}", SelecSls(SelecSlsSettings(module, skip, outputs)))  # type: ignore[arg-type]
        for module, skip, outputs in variants
    ]
    lines = [f"{'network':24s} parameters  multiply-adds at {width} x {height}"]
    for name, net in (*nets, ("Stage I", StageOne())):
        spent = cost(net, height, width)
        lines.append(f"{name:24s} {spent.parameters / 1e6:8.2f} M  {spent.multiply_adds / 1e9:8.2f} G")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m posewire_xnect.cost", description=__doc__)
    parser.add_argument("--width", type=int, default=512)
    parser.add_argument("--height", type=int, default=320)
    flags = parser.parse_args(arguments)
    print(report(flags.height, flags.width))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
