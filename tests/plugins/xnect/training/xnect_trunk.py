"""A stand-in for the MoveNet trunk: one random convolution for each of its features, of its stride and number of channels, and
small heads like its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FEATURES = {"fpn_4": 24, "fpn_8": 24, "fpn_16": 32, "block_8": 48, "block_16": 144, "block_32": 480}
HEADS = {"keypoints_4": 17, "centre_4": 1, "reach_4": 34}
"""Each reads fpn_4: 3 x 3 channel by channel, 1 x 1, relu, 1 x 1."""
HIDDEN = 8
RARE = -2.0
"""Bias of a head: on noise its logits have some peaks, none of them so high that they look the same."""


class Drawn:
    """Nodes in their order, with random weights that float16 holds."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self._rng = np.random.default_rng(0)

    def feature(self, name: str, channels: int) -> None:
        """Of the image; each cell sees its own pixels."""
        stride = int(name.rsplit("_", 1)[1])
        kernel = self._rng.normal(0.0, 1.0 / stride, (channels, 3, stride, stride))
        self._convolution("image", name, kernel, strides=[stride, stride])

    def head(self, gives: str, count: int) -> None:
        """On fpn_4."""
        channels = FEATURES["fpn_4"]
        around, mixed, last = (self._small(*shape) for shape in ((channels, 1, 3), (HIDDEN, channels, 1), (count, HIDDEN, 1)))
        self._convolution("fpn_4", f"{gives}_around", around, group=channels, pads=[1, 1, 1, 1])
        self._convolution(f"{gives}_around", f"{gives}_mixed", mixed, np.full(HIDDEN, 0.1))
        self.nodes.append(helper.make_node("Relu", [f"{gives}_mixed"], [f"{gives}_relu"]))
        self._convolution(f"{gives}_relu", gives, last, np.full(count, RARE))

    def _small(self, outputs: int, inputs: int, side: int) -> np.ndarray:
        """A kernel that gives numbers as large as those that it takes."""
        return self._rng.normal(0.0, 1.0 / np.sqrt(inputs * side**2), (outputs, inputs, side, side))

    def _convolution(self, reads: str, gives: str, kernel: np.ndarray, bias: np.ndarray | None = None, **sizes: Any) -> None:
        weights = [self._weight(f"{gives}_kernel", kernel)]
        if bias is not None:
            weights.append(self._weight(f"{gives}_bias", bias))
        self.nodes.append(helper.make_node("Conv", [reads, *weights], [gives], kernel_shape=kernel.shape[2:], **sizes))

    def _weight(self, name: str, values: np.ndarray) -> str:
        self.weights.append(numpy_helper.from_array(values.astype(np.float16).astype(np.float32), name))
        return name


def tiny_trunk(path: Path) -> Path:
    """Writes it."""
    drawn = Drawn()
    for name, count in FEATURES.items():
        drawn.feature(name, count)
    for name, count in HEADS.items():
        drawn.head(name, count)
    outputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", count, None, None])
        for name, count in (FEATURES | HEADS).items()
    ]
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 3, None, None])
    graph = helper.make_graph(drawn.nodes, "trunk", [image], outputs, drawn.weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return path
