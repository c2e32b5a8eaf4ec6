"""`python -m posewire_vae_lifter.export --run FOLDER --out FILE.onnx`: trained weights to what the live lifter runs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import torch
from torch import Tensor, nn

from posewire_data.joints import JOINTS
from posewire_training import eight_bits, onnx_export, weights
from posewire_training.command import command
from posewire_training.mirror import Mirrored
from posewire_vae_lifter.folding import folded
from posewire_vae_lifter.live import LiveVae, Spread
from posewire_vae_lifter.model import Baseline, Vae
from posewire_vae_lifter.settings import Form, VaeSettings

_X = (0.0, -0.2, -0.2, -0.2, 0.2, 0.2, 0.2, 0.0, 0.0, 0.0, 0.0, 0.35, 0.45, 0.5, -0.35, -0.45, -0.5)
_Y = (0.1, 0.1, 1.0, 1.8, 0.1, 1.0, 1.8, -0.5, -1.0, -1.2, -1.5, -0.95, -0.4, 0.1, -0.95, -0.4, 0.1)
_STANDING = tuple(zip(_X, _Y, strict=True))
"""(17, 2) somebody who stands: on random points a network extrapolates, and says how large numbers round."""


def open_run(folder: Path) -> tuple[LiveVae | Mirrored, VaeSettings]:
    """The network of a run's folder, in eval mode: live.pt (a VAE with its spread), else weights.pt, which has one answer only.

    Raises:
        ModelError: neither is there, or it is of another version or skeleton.
    """
    if (folder / "live.pt").exists():
        kept = weights.load(folder / "live.pt", "vae-live", JOINTS)
        settings = VaeSettings.from_json(kept.settings)
        live = LiveVae(Vae(settings), Spread(settings))
        kept.load_into({"live": live})
        return live.eval(), settings
    kept = weights.load(folder / "weights.pt", get_args(Form), JOINTS)
    settings = VaeSettings.from_json(kept.settings)
    net = Baseline(settings) if kept.method == "baseline" else Vae(settings)
    kept.load_into({"net": net})
    return Mirrored(net).eval(), settings


def example(settings: VaeSettings, net: nn.Module, batch: int = 4, samples: int = 5) -> dict[str, Tensor]:
    """Inputs of the right shapes, for tracing and for the parity test."""
    made = torch.Generator().manual_seed(0)
    points = torch.tensor(_STANDING) + 0.15 * torch.randn(batch, settings.frames, len(JOINTS), 2, generator=made)
    drawn = torch.rand(batch, settings.frames, len(JOINTS), generator=made)
    seen = (drawn < 0.8).float()
    inputs = {"points": points * seen[..., None], "seen": seen, "size": 0.3 * torch.randn(batch, 1, generator=made) - 1.8}
    if isinstance(net, LiveVae):
        inputs["noise"] = torch.randn(batch, samples, net.spread.directions, generator=made)
    return inputs


def export(folder: Path, out: Path, *, half: bool = True) -> float:
    """Writes the ONNX file and returns its largest difference to torch, metres."""
    net, settings = open_run(folder)
    net = folded(net) if isinstance(net, LiveVae) else net
    free = {"noise": {1: "samples"}}
    return onnx_export.export(net, example(settings, net), ["joints_m"], out, half=half, free_axes=free)


@command
def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m posewire_vae_lifter.export", description=__doc__)
    parser.add_argument("--run", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.onnx")
    parser.add_argument("--int8", type=Path, metavar="FILE.onnx", help="also the variant with 8-bit weights")
    flags = parser.parse_args(arguments)
    difference_m = export(flags.run, flags.out)
    print(f"{flags.out}: {flags.out.stat().st_size / 2**20:.2f} MiB, largest difference to torch {difference_m:.1e} m")
    if flags.int8:
        eight_bits.quantize(flags.out, flags.int8)
        print(f"{flags.int8}: {flags.int8.stat().st_size / 2**20:.2f} MiB")


if __name__ == "__main__":
    sys.exit(main())
