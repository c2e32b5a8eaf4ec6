"""What lies around the convolutions of an ONNX graph: which nodes lead to one, and a name for each node."""

from __future__ import annotations

import onnx
from onnx import NodeProto


def readers_of(graph: onnx.GraphProto) -> dict[str, list[NodeProto]]:
    """Tensor to the nodes that read it."""
    readers: dict[str, list[NodeProto]] = {}
    for node in graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    return readers


def followed_by_a_convolution(graph: onnx.GraphProto) -> set[str]:
    """Names of all nodes behind which there is a convolution."""
    readers = readers_of(graph)
    inner: set[str] = set()
    for node in reversed(graph.node):
        behind = [reader for name in node.output for reader in readers.get(name, [])]
        if any(reader.op_type == "Conv" or reader.name in inner for reader in behind):
            inner.add(node.name)
    return inner


def with_names(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model, with a name for each node, by which the quantiser is told of it, and weights of its own for each convolution."""
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    taken: set[str] = set()
    for number, node in enumerate(model.graph.node):
        node.name = f"{node.op_type}_{number}"
        for place, name in enumerate(node.input):
            if node.op_type == "Conv" and name in tensors and name in taken:
                node.input[place] = f"{name}.{number}"
                model.graph.initializer.add().CopyFrom(tensors[name])
                model.graph.initializer[-1].name = node.input[place]
            taken.add(name)
    return model
