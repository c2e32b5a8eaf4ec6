"""The static int8 variant of an exported network of convolutions: U8 activations x S8 weights, a scale for each filter.

The last convolutions and what follows them stay float: with 256 levels neighbouring cells of a heatmap would be equally high, and
a peak would be two. Before anything is rounded, channels are brought towards one size (equalizing.py) and weights onto their grid
so that answers change little (weight_rounding.py).
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import onnx
from onnx import NodeProto

from posewire_training import onnx_export
from posewire_training.compact import finish
from posewire_training.convolutions import followed_by_a_convolution, readers_of, with_names
from posewire_training.equalizing import equalize
from posewire_training.features import Image
from posewire_training.weight_rounding import round_weights

_WITH_CONVOLUTIONS = ("Clip", "Concat", "MaxPool", "Relu", "Resize")
"""Operations that int8 has, too: quantised where nothing but quantised ones writes and reads them, or they would round for
nothing. Sums of a branch and what went round it stay float: they are cheap, and would be rounded anew block after block."""

_NEWEST = 0.1
"""Weight of a picture's ranges in their running mean: the few numbers beyond it are cut off, and all others get finer steps."""


def quantize(path: Path, to: Path, images: Iterable[Image], *, begin: int = 0) -> None:
    """Writes the int8 variant of a network that takes one picture, calibrated on the images; `begin` as quantised_nodes."""
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static  # slow to import
    from onnxruntime.quantization.shape_inference import quant_pre_process

    given = list(images)
    images = [given[number] for number in np.random.default_rng(0).permutation(len(given))]  # a running mean leans on the last
    with tempfile.TemporaryDirectory() as folder, onnx_export.quietly():
        plain = Path(folder) / "plain.onnx"
        quant_pre_process(path, plain, skip_symbolic_shape=True)  # folds batch norms, and weights that are stored small
        model = with_names(onnx.load(plain))
        names = quantised_nodes(model.graph, begin)
        equalize(model, names, images)
        round_weights(model, names, images)
        quantize_static(
            model,
            to,
            cast(Any, _Reader(model.graph.input[0].name, images)),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_quantize=names,
            extra_options={"CalibMovingAverage": True, "CalibMovingAverageConstant": _NEWEST},
        )
    finish(path, to)


def quantised_nodes(graph: onnx.GraphProto, begin: int = 0) -> list[str]:
    """Names of the convolutions that another one follows, and of what only such ones write and read.

    A convolution whose answer goes on as float stays float, and what leads to it alone: a logit may be thousands below nought,
    and 256 levels of such a range say nothing about what is near it. So does one that stands alone among float operations.

    Args:
        graph: With a name for each node.
        begin: Number of the first convolution that may be int8: what the first ones round goes through all others.
    """
    readers = readers_of(graph)
    first = [node.name for node in graph.node if node.op_type == "Conv"][:begin]
    return _with_int8_beside(graph, readers, _that_may_be(graph, readers) - set(first))


def _that_may_be(graph: onnx.GraphProto, readers: Mapping[str, list[NodeProto]]) -> set[str]:
    """As quantised_nodes, judged by what comes behind a node alone."""
    inner = followed_by_a_convolution(graph)
    chosen: set[str] = set()
    for node in reversed(graph.node):  # readers come after what they read
        after = [reader for name in node.output for reader in readers.get(name, [])]
        last = [reader.op_type == "Conv" and reader.name not in inner for reader in after]
        fit = [is_last or reader.op_type == "Add" or reader.name in chosen for is_last, reader in zip(last, after, strict=True)]
        wanted = any(fit) if node.op_type == "Conv" else node.op_type in _WITH_CONVOLUTIONS and all(fit)
        if node.name in inner and wanted:
            chosen.add(node.name)
    return chosen


def _with_int8_beside(graph: onnx.GraphProto, readers: Mapping[str, list[NodeProto]], may: set[str]) -> list[str]:
    """Those that read what int8 wrote, and of the convolutions also those whose answer int8 reads."""
    chosen: dict[str, None] = {}
    made: set[str] = set()
    constants = {"", *(tensor.name for tensor in graph.initializer)}
    for node in graph.node:
        read = [name in made for name in node.input if name not in constants]
        is_read = any(reader.name in may for name in node.output for reader in readers.get(name, []))
        if node.name in may and (any(read) or is_read if node.op_type == "Conv" else all(read)):
            chosen[node.name] = None
            made.update(node.output)
    return list(chosen)


class _Reader:
    """As onnxruntime.quantization.CalibrationDataReader is used."""

    def __init__(self, name: str, images: Iterable[Image]) -> None:
        self._name = name
        self._images: Iterator[Image] = iter(images)

    def get_next(self) -> dict[str, Image] | None:
        image = next(self._images, None)
        return None if image is None else {self._name: image}
