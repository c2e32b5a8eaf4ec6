"""A stand-in for the MoveNet trunk: one random convolution for each of its outputs, of its stride and number of features."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FEATURES = {
    "fpn_4": 24,
    "fpn_8": 24,
    "fpn_16": 32,
    "block_8": 48,
    "block_16": 144,
    "block_32": 480,
    "keypoints_4": 17,
    "centre_4": 1,
}


def tiny_trunk(path: Path) -> Path:
    """Writes it."""
    rng = np.random.default_rng(0)
    weights, nodes, outputs = [], [], []
    for name, count in FEATURES.items():
        stride = int(name.rsplit("_", 1)[1])
        kernel = rng.normal(0.0, 1.0 / stride, (count, 3, stride, stride)).astype(np.float32)
        weights.append(numpy_helper.from_array(kernel.astype(np.float16).astype(np.float32), f"{name}_kernel"))
        strides = [stride, stride]
        nodes.append(helper.make_node("Conv", ["image", f"{name}_kernel"], [name], strides=strides, kernel_shape=strides))
        outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", count, None, None]))
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 3, None, None])
    graph = helper.make_graph(nodes, "trunk", [image], outputs, weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return path
