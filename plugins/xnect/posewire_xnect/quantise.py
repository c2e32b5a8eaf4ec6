"""int8 of an exported network, and what it costs and saves:

    python -m posewire_xnect.quantise stage1_float.onnx --to xnect_stage1.onnx --videos walking_side.mp4
    python -m posewire_xnect.quantise stage2_float.onnx --to xnect_stage2.onnx

Stage I becomes static: U8 activations x S8 weights, a scale for each filter, calibrated on rendered and real pictures. The last
convolutions and what follows them stay float: with 256 levels neighbouring cells of a heatmap would be equally high, and a peak
would be two. Stage II's products become dynamic int8 (posewire_training.eight_bits): it is small and is run once.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import onnx
from onnx import NodeProto

from posewire.errors import EXIT_CODE, ModelError, PosewireError
from posewire.runtime import open_session
from posewire_training import eight_bits, onnx_export
from posewire_xnect import calibration, networks
from posewire_xnect.calibration import Image
from posewire_xnect.compact import store_compactly
from posewire_xnect.people import belongs_to
from posewire_xnect.rows import WIDTH
from posewire_xnect.skeleton import J

_WITH_CONVOLUTIONS = ("Clip", "Concat", "MaxPool", "Relu", "Resize")
"""Operations that int8 has, too: quantised where nothing but quantised ones reads them, or they would round for nothing. Sums
of a branch and what went round it stay float: they are cheap, and rounding them anew block after block was half of all errors."""
_RUNS = 21


def stage_one(path: Path, to: Path, images: Iterable[Image]) -> None:
    """Writes static int8 of Stage I, calibrated on the images."""
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static  # slow to import
    from onnxruntime.quantization.shape_inference import quant_pre_process

    with tempfile.TemporaryDirectory() as folder, onnx_export.quietly():
        plain = Path(folder) / "plain.onnx"
        quant_pre_process(path, plain, skip_symbolic_shape=True)  # folds batch norms, and weights that are stored small
        model = _with_names(onnx.load(plain))
        quantize_static(
            model,
            to,
            cast(Any, _Reader(images)),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_quantize=quantised_nodes(model.graph),
        )
    _finish(path, to)


def stage_two(path: Path, to: Path) -> None:
    """Writes dynamic int8 of Stage II."""
    eight_bits.quantize(path, to)
    _finish(path, to)


def quantised_nodes(graph: onnx.GraphProto) -> list[str]:
    """Names of the convolutions that another one follows, and of what only such ones read.

    A convolution whose answer goes on as float stays float, and what leads to it alone: a logit may be thousands below nought,
    and 256 levels of such a range say nothing about what is near it.
    """
    readers: dict[str, list[NodeProto]] = {}
    for node in graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    inner = _followed_by_a_convolution(graph, readers)
    chosen: list[str] = []
    for node in reversed(graph.node):  # readers come after what they read
        after = [reader for name in node.output for reader in readers.get(name, [])]
        last = [reader.op_type == "Conv" and reader.name not in inner for reader in after]
        fit = [is_last or reader.op_type == "Add" or reader.name in chosen for is_last, reader in zip(last, after, strict=True)]
        wanted = any(fit) if node.op_type == "Conv" else node.op_type in _WITH_CONVOLUTIONS and all(fit)
        if node.name in inner and wanted:
            chosen.append(node.name)
    return chosen[::-1]


def _followed_by_a_convolution(graph: onnx.GraphProto, readers: Mapping[str, list[NodeProto]]) -> set[str]:
    """Names of all nodes behind which there is a convolution."""
    inner: set[str] = set()
    for node in reversed(graph.node):
        behind = [reader for name in node.output for reader in readers.get(name, [])]
        if any(reader.op_type == "Conv" or reader.name in inner for reader in behind):
            inner.add(node.name)
    return inner


def _with_names(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model, with a name for each node, by which the quantiser is told of it."""
    for number, node in enumerate(model.graph.node):
        node.name = f"{node.op_type}_{number}"
    return model


class _Reader:
    """As onnxruntime.quantization.CalibrationDataReader is used."""

    def __init__(self, images: Iterable[Image]) -> None:
        self._images: Iterator[Image] = iter(images)

    def get_next(self) -> dict[str, Image] | None:
        image = next(self._images, None)
        return None if image is None else {"image": image}


def _finish(path: Path, to: Path) -> None:
    """What the file says of itself stays, what the quantiser says of this machine goes; float weights are stored small again."""
    model = onnx.load(to)
    onnx_export.strip(model)
    onnx.save(model, to)
    store_compactly(to, {told.key: told.value for told in onnx.load(path).metadata_props})


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
    stage_one(flags.file, flags.to, images)
    return compared(flags.file, flags.to, list(calibration.rendered(flags.pack, flags.pictures, "test")))


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m posewire_xnect.quantise", description="Writes a network of XNect as int8.")
    parser.add_argument("file", type=Path, help="exported with float weights")
    parser.add_argument("--to", type=Path, required=True, metavar="FILE.onnx")
    parser.add_argument("--pack", type=Path, default=Path("data") / "synth.npz", metavar="FILE.npz", help="bodies to render")
    parser.add_argument("--videos", type=Path, nargs="*", default=[], metavar="FILM", help="real footage that you may use")
    parser.add_argument("--pictures", type=int, default=24, help="rendered ones, and frames of each film")
    flags = parser.parse_args(arguments)
    try:
        print(_quantise(flags))
    except PosewireError as error:
        print(error, file=sys.stderr)
        return EXIT_CODE
    return 0


if __name__ == "__main__":
    sys.exit(main())
