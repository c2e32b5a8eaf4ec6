"""Trained networks to what runs live: batch norm folded, maxima and read-out inside the graph, checked against torch."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from posewire_training import onnx_export
from posewire_xnect import sparsity
from posewire_xnect.readout import LiveStageOne
from posewire_xnect.skeleton import J
from posewire_xnect.stage_one import StageOne
from posewire_xnect.stage_two import WIDTH, StageTwo


@dataclass(frozen=True, slots=True)
class Exported:
    """What became of Stage I."""

    difference: float
    """Largest of any output between torch and ONNX Runtime, both folded."""
    pruned: sparsity.Report


def export_stage_one(net: StageOne, image: Tensor, path: Path, *, half: bool = False) -> Exported:
    """Writes picture -> peaks, integrals, encodings for pictures of one size; `net` stays as it is.

    Args:
        net: Trained.
        image: (B, 3, h, w), B at least 2: pictures with people, of the size that will run. Without peaks parity would
            say nothing; with hundreds (noise, an untrained network) two of the same height change places.
        path: The .onnx file.
        half: Stores large weights as float16.

    Raises:
        ModelError: ONNX Runtime says something else than torch.
    """
    smaller = copy.deepcopy(net).eval()
    report = sparsity.prune(smaller)
    live = LiveStageOne(folded(smaller)).eval()
    difference = onnx_export.export(live, {"image": image}, ["peaks", "integrals", "encodings"], path, half=half)
    return Exported(difference, report)


def export_stage_two(net: StageTwo, path: Path, *, half: bool = False) -> float:
    """Writes rows (P, J, 3 + 3 J) -> joints_m (P, J, 3) for any number of people; returns the largest difference, metres."""
    made = torch.Generator().manual_seed(0)
    rows = net.mean.view(J, WIDTH) + net.deviation.view(J, WIDTH) * torch.randn(4, J, WIDTH, generator=made)
    return onnx_export.export(net, {"rows": rows}, ["joints_m"], path, half=half)


def folded(net: StageOne) -> StageOne:
    """A copy whose batch norms are part of the convolutions before them; in eval mode it says the same."""
    copied = copy.deepcopy(net).eval()
    for block in [module for module in copied.modules() if isinstance(module, nn.Sequential)]:
        conv, norm = block[0], block[1]
        if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            block[0], block[1] = fuse_conv_bn_eval(conv, norm), nn.Identity()
    return copied
