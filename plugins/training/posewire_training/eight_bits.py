"""The int8 variants of an exported network: one for many rows at once, one for a single row as it is run live.

With many rows the products are what costs, and eight bits make them cheaper. With one row every weight is read for a single
product: what costs is memory, and the number of operations around it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import NodeProto, helper, numpy_helper

from posewire_training.onnx_export import quietly, store_as_single, strip

BLOCK = 128
"""Weights that share a scale, of one output."""
_LEAST = 1024
"""Products with fewer weights stay float32."""


def quantize(path: Path, to: Path) -> None:
    """Writes the variant for batches: weights as int8 by column, inputs of each product scaled as they come.

    Seven bits of the weights are used: processors without VNNI add pairs of products in 16 bits, which eight would overflow.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic  # slow to import

    with quietly():
        kinds, weight = ["MatMul", "Gemm"], QuantType.QInt8
        quantize_dynamic(_plain(path), to, kinds, per_channel=True, reduce_range=True, weight_type=weight)


def quantize_for_one(path: Path, to: Path) -> None:
    """Writes the variant for one row at a time: weights as int8 with a scale for each BLOCK of them, products in integers.

    ONNX Runtime's own operation MatMulNBits does it (8 bits: from version 1.22).
    """
    from onnxruntime.quantization.matmul_nbits_quantizer import DefaultWeightOnlyQuantConfig, MatMulNBitsQuantizer

    model = _plain(path)
    _products_without_bias(model)
    small = [node.name for node in model.graph.node if node.op_type == "MatMul" and _weights(model, node.input[1]) < _LEAST]
    config = DefaultWeightOnlyQuantConfig(block_size=BLOCK, is_symmetric=True, accuracy_level=4, bits=8)
    with quietly():
        quantizer = MatMulNBitsQuantizer(model, nodes_to_exclude=small, algo_config=config)
        quantizer.process()
    onnx.save(quantizer.model.model, to)  # pyright: ignore[reportAttributeAccessIssue] - it wraps the model by now


def _plain(path: Path) -> onnx.ModelProto:
    model = onnx.load(path)
    store_as_single(model)
    strip(model)
    return model


def _weights(model: onnx.ModelProto, name: str) -> int:
    """How many numbers an initializer has; 0 where it is none."""
    return next((int(np.prod(tensor.dims)) for tensor in model.graph.initializer if tensor.name == name), 0)


def _products_without_bias(model: onnx.ModelProto) -> None:
    """Gemm becomes MatMul and Add, the kind that can be quantised by blocks."""
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    nodes: list[NodeProto] = []
    for node in model.graph.node:
        if node.op_type != "Gemm":
            nodes.append(node)
            continue
        weight = tensors[node.input[1]]
        if any(attribute.name == "transB" and attribute.i for attribute in node.attribute):
            turned = np.ascontiguousarray(numpy_helper.to_array(weight).T)
            weight.CopyFrom(numpy_helper.from_array(turned, weight.name))
        factors, bias = list(node.input[:2]), list(node.input[2:])
        product = f"{node.output[0]}.product" if bias else node.output[0]
        nodes.append(helper.make_node("MatMul", factors, [product], name=f"{node.name}.product"))
        if bias:
            nodes.append(helper.make_node("Add", [product, *bias], list(node.output), name=f"{node.name}.bias"))
    del model.graph.node[:]
    model.graph.node.extend(nodes)
