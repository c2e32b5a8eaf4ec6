"""`python -m posewire_vnect.measure --shots FOLDER [FILE.onnx ...]`: an exported VNect on rendered people that no training saw.

The folder is made by `python -m posewire_vnect.shots --split test`: CMU subject 13, held-out bodies and backgrounds. Counted are
the 14 common joints that lie in the picture, root-relative, at the universal height, in crops around the true box as in Table
5.1; "two scales" is the mean of the crop as it is and shrunk to 0.7 (section 5.3.2). `bundled` is the file in posewire_models.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from posewire import metrics
from posewire.data import FloatArray
from posewire.runtime import Session, open_session
from posewire_synth.layers import marked
from posewire_synth.points import COMMON_14
from posewire_training.command import at_least_one, command
from posewire_vnect.names import INPUT_PX, JOINTS, STRIDE_PX
from posewire_vnect.shots import Shots, read_all, shards
from posewire_vnect.truth import centred_views, of_shots, seen_again

_COMMON = [JOINTS.index(name) for name in COMMON_14]
_BATCH = 16
_SMALL = 0.7
FILL = 0.8
"""Share of the crop that the longer side of a person's box takes at scale 1."""
_REPEATS = 40


class Read(NamedTuple):
    """What a network says of N crops."""

    points_px: FloatArray
    """(N, J, 2) crop pixels."""
    confidence: FloatArray
    """(N, J)."""
    joints_m: FloatArray
    """(N, J, 3)."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Means over all crops."""

    pck150: float
    """Per cent."""
    auc: float
    mpjpe_mm: float
    pa_mpjpe_mm: float
    pck_2d: float
    """Per cent within 0.2 of the person's box."""


def read(session: Session, shots: Shots, scale: float = 1.0) -> Read:
    """Runs the network on crops around the people, shrunk about their centre where scale is below 1."""
    A = centred_views(shots, FILL * scale)
    parts: list[Read] = []
    for first in range(0, len(shots), _BATCH):
        rows = slice(first, first + _BATCH)
        seen = seen_again(shots.image[rows].float() / 255, A[rows]).clamp(0, 1)
        parts.append(_read(session.run({"image": seen.numpy()}), scale))
    return Read(*(np.concatenate(some) for some in zip(*parts, strict=True)))


def _read(said: dict[str, Any], scale: float) -> Read:
    """2D in pixels of the crop at scale 1."""
    middle, cells = (INPUT_PX - 1) / 2, said["peaks_cells"].astype(np.float64)
    points_px = (_pixels(cells) - middle) / scale + middle
    return Read(points_px, said["confidence"], at(said, cells))


def at(said: dict[str, Any], cells: FloatArray) -> FloatArray:
    """(B, J, 3) read from the windows at cells (B, J, 2), bilinear, inside the window."""
    patches = said["patches_m"].astype(np.float64)  # (B, J, 3, P, P)
    last = patches.shape[-1] - 1
    where = np.clip(cells - said["patch_corner_cells"], 0.0, last)
    low = np.minimum(where.astype(int), last - 1)
    x, y = np.moveaxis(where - low, -1, 0)
    b, j = np.ogrid[: len(cells), : cells.shape[1]]
    corners = [patches[b, j, :, low[..., 1] + dy, low[..., 0] + dx] for dy in (0, 1) for dx in (0, 1)]
    weights = [(1 - y) * (1 - x), (1 - y) * x, y * (1 - x), y * x]
    return np.sum([w[..., None] * c for w, c in zip(weights, corners, strict=True)], axis=0)


def both(one: Read, other: Read) -> Read:
    """The mean of two scales; in 2D weighted by confidence."""
    weight = one.confidence / (one.confidence + other.confidence).clip(1e-6)
    points_px = weight[..., None] * one.points_px + (1 - weight[..., None]) * other.points_px
    return Read(points_px, np.maximum(one.confidence, other.confidence), (one.joints_m + other.joints_m) / 2)


def _pixels(cells: FloatArray) -> FloatArray:
    return (cells + 0.5) * STRIDE_PX - 0.5


def measured(said: Read, shots: Shots) -> Measured:
    """Against the labels of the crops."""
    truth = of_shots(shots, centred_views(shots, FILL))
    inside = (truth.height > 0).numpy()[:, _COMMON, None]
    points_px = _pixels(truth.cells.numpy()[:, _COMMON].astype(np.float64))
    true_px = np.where(inside, points_px, np.nan)
    low, high = np.where(inside, points_px, np.inf).min(1), np.where(inside, points_px, -np.inf).max(1)
    boxes_px = np.concatenate([low, high], -1)
    true_m = np.where(inside, truth.joints_m.numpy()[:, _COMMON].astype(np.float64), np.nan)
    said_m, said_px = said.joints_m[:, _COMMON], said.points_px[:, _COMMON]
    return Measured(
        100 * metrics.pck_3d(said_m, true_m),
        100 * metrics.auc_3d(said_m, true_m),
        1e3 * metrics.mpjpe_m(said_m, true_m),
        1e3 * metrics.pa_mpjpe_m(said_m, true_m),
        100 * metrics.pck_2d(said_px, true_px, boxes_px),
    )


def clear(shots: Shots) -> Shots:
    """Those whose common joints are all seen, or hidden by the person's own body only."""
    return shots.rows(marked(shots.visibility[:, _COMMON]).all(1))


def milliseconds(path: Path, threads: int) -> float:
    """Median time of one crop."""
    session = open_session(path, threads=threads)
    image, taken_s = np.random.default_rng(0).random((1, 3, INPUT_PX, INPUT_PX), dtype=np.float32), list[float]()
    for _ in range(_REPEATS):
        began_s = time.perf_counter()
        session.run({"image": image})
        taken_s.append(time.perf_counter() - began_s)
    session.close()
    return 1e3 * median(taken_s)


def table_of(paths: Sequence[Path], shots: Shots) -> Table:
    """One file a row and scale."""
    table = Table("network", "3DPCK@150", "AUC", "MPJPE mm", "PA mm", "2D PCK@0.2", "ms, 1 thread", "2 threads", box=None)
    for path in paths:
        session = open_session(path, threads=1)
        one, small = read(session, shots), read(session, shots, _SMALL)
        session.close()
        times = [f"{milliseconds(path, threads):.1f}" for threads in (1, 2)]
        for name, said, cost in ((path.stem, one, times), (f"{path.stem}, two scales", both(one, small), ["", ""])):
            values = measured(said, shots)
            numbers = (values.pck150, values.auc, values.mpjpe_mm, values.pa_mpjpe_mm, values.pck_2d)
            table.add_row(name, *(f"{value:.1f}" for value in numbers), *cost)
    return table


@command
def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    from posewire_models import model_path

    parser = argparse.ArgumentParser(prog="python -m posewire_vnect.measure", description="Accuracy on held-out rendered people.")
    parser.add_argument("files", nargs="*", default=["bundled"], metavar="FILE.onnx")
    parser.add_argument("--shots", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--most", type=at_least_one, default=1024, help="crops to look at")
    parser.add_argument("--clear", action="store_true", help="only people whose 14 joints nothing but themselves hides")
    flags = parser.parse_args(arguments)
    torch.set_num_threads(1)
    paths = [model_path("vnect") if name == "bundled" else Path(name) for name in flags.files]
    shots = read_all(shards(flags.shots))
    shots = (clear(shots) if flags.clear else shots).rows(slice(0, flags.most))
    Console(width=None if sys.stdout.isatty() else 160).print(table_of(paths, shots))


if __name__ == "__main__":
    sys.exit(main())
