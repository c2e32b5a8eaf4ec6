"""`python -m posewire_vnect.quantise FILE.onnx --to int8.onnx --shots FOLDER`: static int8, to compare.

U8 activations x S8 weights, calibrated on training crops, half rendered and half real if --real is given. What it costs says
`python -m posewire_vnect.measure FILE.onnx int8.onnx`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from posewire_training import static_eight_bits
from posewire_training.command import command
from posewire_vnect.shots import load, shards
from posewire_vnect.truth import random_views, seen_again


def calibration(folders: Sequence[Path], count: int) -> list[np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
    """`count` crops of each folder, each (1, 3, S, S)."""
    images: list[np.ndarray[tuple[int, ...], np.dtype[np.float32]]] = []
    for folder in folders:
        drawn = load(shards(folder)[0]).rows(slice(0, count))
        seen = seen_again(drawn.image.float() / 255, random_views(np.random.default_rng(0), drawn)).clamp(0, 1)
        images += [row[None].numpy() for row in seen]
    return images


@command
def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m posewire_vnect.quantise", description="Static int8 of an exported VNect.")
    parser.add_argument("file", type=Path, metavar="FILE.onnx")
    parser.add_argument("--to", type=Path, required=True, metavar="FILE.onnx")
    parser.add_argument("--shots", type=Path, required=True, metavar="FOLDER", help="training crops")
    parser.add_argument("--real", type=Path, metavar="FOLDER", help="crops of real footage")
    parser.add_argument("--begin", type=int, default=0, help="convolutions at the start that stay float")
    parser.add_argument("--count", type=int, default=48, help="crops of each folder")
    flags = parser.parse_args(arguments)
    torch.set_num_threads(1)
    folders = [folder for folder in (flags.shots, flags.real) if folder is not None]
    static_eight_bits.quantize(flags.file, flags.to, calibration(folders, flags.count), begin=flags.begin)
    print(flags.to)


if __name__ == "__main__":
    sys.exit(main())
