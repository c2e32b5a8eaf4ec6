"""The static int8 variant of an exported network of convolutions: U8 activations x S8 weights, a scale for each filter.

The last convolutions and what follows them stay float: with 256 levels neighbouring cells of a heatmap would be equally high, and
a peak would be two.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias, cast

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto

from posewire_training import onnx_export
from posewire_training.compact import finish

Image: TypeAlias = NDArray[np.float32]
"""(1, 3, H, W) as the network takes it."""

_WITH_CONVOLUTIONS = ("Clip", "Concat", "MaxPool", "Relu", "Resize")
"""Operations that int8 has, too: quantised where nothing but quantised ones reads them, or they would round for nothing. Sums
of a branch and what went round it stay float: they are cheap, and rounding them anew block after block was half of all errors."""


def quantize(path: Path, to: Path, images: Iterable[Image]) -> None:
    """Writes the int8 variant of a network that takes one picture, calibrated on the images."""
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static  # slow to import
    from onnxruntime.quantization.shape_inference import quant_pre_process

    with tempfile.TemporaryDirectory() as folder, onnx_export.quietly():
        plain = Path(folder) / "plain.onnx"
        quant_pre_process(path, plain, skip_symbolic_shape=True)  # folds batch norms, and weights that are stored small
        model = _with_names(onnx.load(plain))
        quantize_static(
            model,
            to,
            cast(Any, _Reader(model.graph.input[0].name, images)),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_quantize=quantised_nodes(model.graph),
        )
    finish(path, to)


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

    def __init__(self, name: str, images: Iterable[Image]) -> None:
        self._name = name
        self._images: Iterator[Image] = iter(images)

    def get_next(self) -> dict[str, Image] | None:
        image = next(self._images, None)
        return None if image is None else {self._name: image}
