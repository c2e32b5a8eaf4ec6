"""`python -m posewire_xnect.int8_speed`: what int8 saves Stage I on SelecSLS, whose convolutions are dense.

Weights are random: they do not change the time. Batch norm is set by a few rendered pictures, so that int8 has sensible ranges,
and the heatmaps are without peaks: among thousands equally high ones torch and ONNX Runtime would choose differently.
They are timed as `posewire_training.times` says.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn

from posewire_training import static_eight_bits
from posewire_training.command import command
from posewire_training.times import fastest_ms
from posewire_xnect import calibration
from posewire_xnect.calibration import Image
from posewire_xnect.export import export_stage_one
from posewire_xnect.stage_one import StageOne


def random_stage_one(images: Sequence[Image]) -> StageOne:
    """Batch norm as the pictures have it."""
    torch.manual_seed(0)
    net = StageOne().train()
    for value in net.heatmaps.parameters():
        nn.init.constant_(value, -1.0)  # features are positive
    for layer in net.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.momentum = None  # the mean of all batches
    with torch.inference_mode():
        net(torch.from_numpy(np.concatenate(images)))
    return net.eval()


def report(pack: Path, pictures: int) -> str:
    """Two lines: one thread and two."""
    images = list(calibration.rendered(pack, pictures))
    with tempfile.TemporaryDirectory() as folder:
        plain, small = Path(folder) / "float.onnx", Path(folder) / "int8.onnx"
        export_stage_one(random_stage_one(images), torch.from_numpy(np.concatenate(images[:2])), plain)
        static_eight_bits.quantize(plain, small, images)
        lines: list[str] = []
        for threads in (1, 2):
            before, after = fastest_ms((plain, small), [{"image": images[0]}] * 2, threads)
            lines.append(f"threads {threads}: float {before:.1f} ms, int8 {after:.1f} ms, {before / after:.2f} times faster")
    return "\n".join(lines)


@command
def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m posewire_xnect.int8_speed", description=__doc__)
    parser.add_argument("--pack", type=Path, default=Path("data") / "synth.npz", metavar="FILE.npz", help="bodies to render")
    parser.add_argument("--pictures", type=int, default=4, help="rendered to set batch norm and to calibrate")
    flags = parser.parse_args(arguments)
    torch.set_num_threads(1)
    print(report(flags.pack, flags.pictures))


if __name__ == "__main__":
    sys.exit(main())
