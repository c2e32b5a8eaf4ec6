"""Channels of a network's features brought towards one size, so that the 256 steps of int8 serve all of them.

A step is as long as the largest channel needs; where another is a fiftieth of that, nothing is left of it. A factor for each
channel goes into the convolution that writes it, its inverse into those that read it (Nagel et al. 2019, section 4.1), or, where
something else reads or writes it, into a product beside it (Xiao et al. 2023, SmoothQuant, eq. 3). The network says what it said.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TypeAlias

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, helper, numpy_helper

from posewire_training.features import Image, features

Factors: TypeAlias = NDArray[np.float32]
"""(C,)."""

_SHARE = 0.5
"""Exponent: 1 makes all channels alike and leaves the differences to the weights, 0 leaves them where they are."""
_SMALLEST = 1e-3
"""Of the largest channel: what is smaller is taken for that."""
_ALIKE = 1.05
"""Factors that differ by less are not worth a product."""


def equalize(model: onnx.ModelProto, names: Collection[str], images: Sequence[Image]) -> None:
    """Rewrites in place what the convolutions among the nodes of these names, which will be int8, read and write.

    From then on no float operation reads what is rounded for one of them.
    """
    graph = _Graph(model, names)
    rounded = graph.rounded()
    for name, sizes in _sizes(model, rounded, images).items():
        factors = (sizes.clip(_SMALLEST * sizes.max() + 1e-12)) ** -_SHARE
        graph.scale(name, (factors / np.exp(np.log(factors).mean())).astype(np.float32))
    graph.write()


def _sizes(model: onnx.ModelProto, names: Sequence[str], images: Sequence[Image]) -> dict[str, NDArray[np.float64]]:
    """(C,) largest magnitude of each channel."""
    largest: dict[str, NDArray[np.float64]] = {}
    for said in features(model, names, images):
        for name in names:
            here = np.abs(said[name]).max((0, 2, 3)).astype(np.float64)
            largest[name] = np.maximum(largest.get(name, 0.0), here)
    return largest


class _Graph:
    """A model, who reads and who writes what in it, and the products that come to it."""

    def __init__(self, model: onnx.ModelProto, names: Collection[str]) -> None:
        self._model = model
        self._chosen = set(names)
        self._tensors = {tensor.name: tensor for tensor in model.graph.initializer}
        self._makers = {name: node for node in model.graph.node for name in node.output}
        self._readers: dict[str, list[NodeProto]] = {}
        for node in model.graph.node:
            for name in dict.fromkeys(node.input):
                self._readers.setdefault(name, []).append(node)
        self._products: dict[str, NodeProto] = {}
        """By the name of the node behind which they stand."""

    def rounded(self) -> list[str]:
        """Features that int8 convolutions read, or write alone or through a ReLU, and that no other int8 operation reads."""
        seen: dict[str, None] = {}
        for node in self._model.graph.node:
            if node.op_type == "Conv" and node.name in self._chosen:
                seen.update(dict.fromkeys((node.input[0], self._last(node).output[0])))
        return [name for name in seen if name in self._makers and self._is_ours(name)]

    def _is_ours(self, name: str) -> bool:
        maker = self._makers[name]
        by_others = maker.name in self._chosen and self._convolution(maker) is None
        return not by_others and all(node.op_type == "Conv" for node in self._int8_readers(name))

    def _int8_readers(self, name: str) -> list[NodeProto]:
        return [node for node in self._readers.get(name, []) if node.name in self._chosen]

    def _last(self, convolution: NodeProto) -> NodeProto:
        """The ReLU behind a convolution, if that alone reads it, or the convolution."""
        readers = self._readers.get(convolution.output[0], [])
        alone = len(readers) == 1 and readers[0].op_type == "Relu" and readers[0].name in self._chosen
        return readers[0] if alone else convolution

    def _convolution(self, maker: NodeProto) -> NodeProto | None:
        """The int8 convolution behind which `maker` is the last."""
        writer = self._makers.get(maker.input[0]) if maker.op_type == "Relu" else maker
        if writer is None or writer.op_type != "Conv" or writer.name not in self._chosen:
            return None
        return writer if self._last(writer) is maker else None

    def scale(self, name: str, factors: Factors) -> None:
        """Makes the channels of these features so many times as large where they are rounded."""
        maker, int8 = self._makers[name], self._int8_readers(name)
        convolution = self._convolution(maker)
        floats = [node for node in self._readers.get(name, []) if node not in int8]
        if convolution is None and not floats and factors.max() < _ALIKE * factors.min():
            return
        scaled = f"{name}.even"
        if convolution is None:
            self._multiply(maker, name, scaled, factors)
        else:
            self._into_writer(convolution, factors)
            maker.output[0] = scaled
            if floats or name in {value.name for value in self._model.graph.output}:
                self._multiply(maker, scaled, name, np.reciprocal(factors))
        for node in int8:
            node.input[0] = scaled
            self._into_reader(node, np.reciprocal(factors))

    def _multiply(self, behind: NodeProto, what: str, to: str, factors: Factors) -> None:
        constant = f"{what}.factors"
        self._model.graph.initializer.append(numpy_helper.from_array(factors[None, :, None, None], constant))
        self._products[behind.name] = helper.make_node("Mul", [what, constant], [to], f"even_{to}")

    def _into_writer(self, node: NodeProto, factors: Factors) -> None:
        self._change(node.input[1], factors[:, None, None, None])
        if len(node.input) > 2:
            self._change(node.input[2], factors)

    def _into_reader(self, node: NodeProto, factors: Factors) -> None:
        groups = next((attribute.i for attribute in node.attribute if attribute.name == "group"), 1)
        filters = self._tensors[node.input[1]].dims[0]
        of_filter = np.repeat(factors.reshape(groups, -1), filters // groups, axis=0)  # (O, inputs of a group)
        self._change(node.input[1], of_filter[:, :, None, None])

    def _change(self, name: str, factors: NDArray[np.float32]) -> None:
        tensor = self._tensors[name]
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor) * factors, name))

    def write(self) -> None:
        """Puts the products where they belong."""
        nodes = list(self._model.graph.node)
        both = [new for node in nodes for new in (node, self._products.get(node.name)) if new is not None]
        copies = [NodeProto.FromString(node.SerializeToString()) for node in both]
        del self._model.graph.node[:]
        self._model.graph.node.extend(copies)
