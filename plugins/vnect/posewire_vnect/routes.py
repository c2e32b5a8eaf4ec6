"""`python -m posewire_vnect.routes --rendered RUN/cache --real RUN/cache_real`: what carries 3D from rendered to real people?

Least squares from a part of the frozen trunk's vector to the pose, with and without real crops, judged on other real crops by
their pseudo-labels (12 limb joints). Seconds instead of trainings; it decided what the head sees.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from posewire import metrics
from posewire_blazepose.names import KEYPOINT_NAMES
from posewire_training.command import command
from posewire_vnect import cache
from posewire_vnect.features import Widths
from posewire_vnect.names import INPUT_PX, JOINTS, STRIDE_PX
from posewire_vnect.network import CoarsePose, HeadSettings
from posewire_vnect.shots import shards

_LIMBS = [i for i, name in enumerate(JOINTS) if name.split("_")[-1] in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")]
_TOWER = 4 * 288
_VECTORS: dict[str, slice] = {
    "BlazePose's 3D points": slice(_TOWER + 39 * 5, None),
    "all its answers": slice(_TOWER, None),
    "answers and tower features": slice(0, None),
}
_REAL_WEIGHT = 8
"""Copies of each real crop: there are few."""


def fitted(vectors: Tensor, joints_m: Tensor) -> CoarsePose:
    """The straight part of a coarse pose."""
    coarse = CoarsePose(Widths(1, 1, 1, vectors.shape[1]), HeadSettings(hidden=1))
    coarse.fit(vectors, joints_m)
    return coarse


@torch.no_grad()
def answers(coarse: CoarsePose, vectors: Tensor) -> Tensor:
    """(N, J, 3)."""
    straight = coarse.straight((vectors - coarse.mean) / coarse.deviation).unflatten(1, (len(JOINTS), 3))
    return straight - straight[:, :1]


def table_of(rendered: list[Path], real: list[Path]) -> Table:
    """One row a route: errors on the half of the real crops that none of them was fitted to."""
    vectors, joints_m = cache.vectors(rendered)
    real_vectors, real_m = cache.vectors(real)
    half = len(real_m) // 2
    table = Table("the pose from", "fitted to", "real: PA mm", "real: MPJPE mm", "rendered: MPJPE mm", box=None)
    kept = len(vectors) // 10
    for name, part in _VECTORS.items():
        for kind, copies in (("rendered", 0), ("rendered and real", _REAL_WEIGHT)):
            x = torch.cat([vectors[kept:], *[real_vectors[:half]] * copies])[:, part]
            y = torch.cat([joints_m[kept:], *[real_m[:half]] * copies])
            coarse = fitted(x, y)
            on_real, on_rendered = (answers(coarse, v[:, part]) for v in (real_vectors[half:], vectors[:kept]))
            numbers = (*_errors(on_real, real_m[half:]), _errors(on_rendered, joints_m[:kept])[1])
            table.add_row(name, kind, *(f"{number:.1f}" for number in numbers))
    return table


def blazepose_off_px(files: list[Path]) -> float:
    """Median over crops of how far BlazePose's own limb joints lie from the labels, pixels."""
    off_px: list[Tensor] = []
    columns = [KEYPOINT_NAMES.index(JOINTS[joint]) for joint in _LIMBS]
    for path in files:
        with np.load(path) as file:
            vectors, cells = torch.from_numpy(file["vector"]).float(), torch.from_numpy(file["cells"])
        points = vectors[:, _TOWER : _TOWER + 39 * 3].unflatten(1, (39, 3))[:, columns, :2]
        true_px = (cells[:, _LIMBS] + 0.5) * STRIDE_PX - 0.5
        off_px.append(((points + 1) * (INPUT_PX / 2) - true_px).norm(dim=-1).nanmean(1))
    return float(torch.cat(off_px).nanmedian())


def _errors(said_m: Tensor, true_m: Tensor) -> tuple[float, float]:
    said, true = (np.asarray(values[:, _LIMBS].numpy(), dtype=np.float64) for values in (said_m, true_m))
    return 1e3 * metrics.pa_mpjpe_m(said, true), 1e3 * metrics.mpjpe_m(said, true)


@command
def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(
        prog="python -m posewire_vnect.routes", description="Which features carry 3D to real people."
    )
    parser.add_argument("--rendered", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--real", type=Path, required=True, metavar="FOLDER")
    flags = parser.parse_args(arguments)
    torch.set_num_threads(1)
    rendered, real = shards(flags.rendered / "view_0"), shards(flags.real / "view_0")
    table = table_of(rendered, real)
    off_px = [blazepose_off_px(files) for files in (rendered, real)]
    Console(width=None if sys.stdout.isatty() else 160).print(table)
    print(f"BlazePose's own limb joints are off by a median of {off_px[0]:.1f} px on rendered and {off_px[1]:.1f} on real crops.")


if __name__ == "__main__":
    sys.exit(main())
