"""int8 of an exported network, and what it costs and saves:

    python -m posewire_xnect.quantise stage1_float.onnx --to xnect_stage1.onnx --videos walking_side.mp4
    python -m posewire_xnect.quantise stage2_float.onnx --to xnect_stage2.onnx

Stage I becomes static (posewire_training.static_eight_bits), calibrated on rendered and real pictures. Stage II's products become
dynamic (posewire_training.eight_bits): it is small and is run once.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from posewire.errors import ModelError
from posewire.runtime import open_session
from posewire_training import eight_bits, onnx_export, static_eight_bits
from posewire_training.command import command
from posewire_training.compact import finish
from posewire_xnect import calibration, networks
from posewire_xnect.calibration import Image
from posewire_xnect.people import belongs_to
from posewire_xnect.rows import WIDTH
from posewire_xnect.skeleton import J

_RUNS = 21


def stage_two(path: Path, to: Path) -> None:
    """Writes dynamic int8 of Stage II."""
    eight_bits.quantize(path, to)
    finish(path, to)


def compared(path: Path, small: Path, images: Sequence[Image]) -> str:
    """Table of bytes, time and people of Stage I before and after, on pictures that calibration did not see."""
    nets = [networks.StageOneNet(open_session(file, threads=1)) for file in (path, small)]
    found = [[net.look(image) for image in images] for net in nets]
    gaps_px: list[float] = []
    both = 0
    for before, after in zip(*found, strict=True):
        owner = belongs_to(after.points_px, before.points_px)
        both += int((owner >= 0).sum())
        gap = np.linalg.norm(after.points_px[owner >= 0] - before.points_px[owner[owner >= 0]], axis=-1)
        gaps_px += gap[np.isfinite(gap)].tolist()
    people = [sum(len(of_picture.confidence) for of_picture in side) for side in found]
    median_px = float(np.median(gaps_px)) if gaps_px else float("nan")
    lines = [_cost(path, small, {"image": images[0]})]
    lines.append(f"people in {len(images)} pictures: {people[0]} before, {people[1]} after, {both} the same")
    lines.append(f"their joints apart: median {median_px:.2f} px, {_share(gaps_px, 4.0):.1f} % beyond 4 px")
    return "\n".join(lines)


def _share(gaps_px: Sequence[float], beyond_px: float) -> float:
    return 100 * float(np.mean(np.array(gaps_px) > beyond_px)) if gaps_px else float("nan")


def _cost(path: Path, small: Path, inputs: dict[str, Any]) -> str:
    """Bytes and time of one thread in the processor, which other programs' work does not change."""
    ms = [_processor_ms(file, inputs) for file in (path, small)]
    sizes = [file.stat().st_size / 1e6 for file in (path, small)]
    return f"{sizes[0]:.2f} MB, {ms[0]:.2f} ms before; {sizes[1]:.2f} MB, {ms[1]:.2f} ms after: {ms[0] / ms[1]:.2f} times faster"


def _processor_ms(path: Path, inputs: dict[str, Any]) -> float:
    session = open_session(path, threads=1)
    times: list[float] = []
    for _ in range(_RUNS):
        start = time.process_time()
        session.run(inputs)
        times.append(time.process_time() - start)
    session.close()
    return 1e3 * float(np.median(times))


def compared_stage_two(path: Path, small: Path) -> str:
    """Bytes, time and difference of Stage II before and after, on standardised noise."""
    rows = np.random.default_rng(0).normal(0.0, 0.3, (10, J, WIDTH)).astype(np.float32)
    before, after = (onnx_export.run(file, {"rows": rows})[0] for file in (path, small))
    gap_mm = 1e3 * np.linalg.norm(after - before, axis=-1)
    return f"{_cost(path, small, {'rows': rows})}\njoints apart: mean {gap_mm.mean():.1f} mm, largest {gap_mm.max():.1f} mm"


def _quantise(flags: argparse.Namespace) -> str:
    session = open_session(flags.file, threads=1)
    kind = session.metadata.get("posewire_kind")
    session.close()
    if kind == networks.STAGE_TWO:
        stage_two(flags.file, flags.to)
        return compared_stage_two(flags.file, flags.to)
    if kind != networks.STAGE_ONE:
        raise ModelError(f"{flags.file} is no network of XNect.", got=kind, allowed=[networks.STAGE_ONE, networks.STAGE_TWO])
    images = [*calibration.rendered(flags.pack, flags.pictures), *calibration.of_videos(flags.videos, flags.pictures)]
    static_eight_bits.quantize(flags.file, flags.to, images)
    return compared(flags.file, flags.to, list(calibration.rendered(flags.pack, flags.pictures, "test")))


@command
def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m posewire_xnect.quantise", description="Writes a network of XNect as int8.")
    parser.add_argument("file", type=Path, help="exported with float weights")
    parser.add_argument("--to", type=Path, required=True, metavar="FILE.onnx")
    parser.add_argument("--pack", type=Path, default=Path("data") / "synth.npz", metavar="FILE.npz", help="bodies to render")
    parser.add_argument("--videos", type=Path, nargs="*", default=[], metavar="FILM", help="real footage that you may use")
    parser.add_argument("--pictures", type=int, default=24, help="rendered ones, and frames of each film")
    flags = parser.parse_args(arguments)
    print(_quantise(flags))


if __name__ == "__main__":
    sys.exit(main())
