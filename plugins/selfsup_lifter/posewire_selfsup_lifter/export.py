"""A run's lifter as ONNX, with the inputs that posewire_lifting feeds."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from posewire_data.joints import JOINTS
from posewire_selfsup_lifter.settings import SelfsupSettings
from posewire_selfsup_lifter.students import new_networks, student
from posewire_training import onnx_export, weights
from posewire_training.mirror import Mirrored

METHOD = "selfsup"
WEIGHTS = "weights.pt"


def open_run(folder: Path) -> nn.Module:
    """The lifter of a run's folder, in eval mode.

    Raises:
        ModelError: there are no weights, or of another method, version or skeleton.
    """
    stored = weights.load(folder / WEIGHTS, METHOD, JOINTS)
    settings = SelfsupSettings.from_json(stored.settings)
    networks = new_networks(settings)
    stored.load_into(networks)
    return student(settings, networks)


def example(rows: int = 8) -> dict[str, Tensor]:
    """Inputs of the right shapes, for tracing and for the parity test."""
    made = torch.Generator().manual_seed(0)
    seen = (torch.rand(rows, 1, len(JOINTS), generator=made) < 0.8).float()
    points = torch.randn(rows, 1, len(JOINTS), 2, generator=made) * seen[..., None]
    return {"points": points, "seen": seen, "size": torch.randn(rows, 1, generator=made) * 0.5 - 2.0}


def export(folder: Path, to: Path, *, half: bool = True) -> float:
    """Writes the ONNX file, which asks the lifter of the view and of its mirror image; returns its largest difference to torch,
    metres."""
    return onnx_export.export(Mirrored(open_run(folder)), example(), ["joints_m"], to, half=half)
