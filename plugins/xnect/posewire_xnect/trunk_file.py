"""A trunk that has learned, as a file like the one that it was read from: caches, footage and export take either."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import nn

from posewire_training.compact import round_compactly, store_compactly
from posewire_training.onnx_graph import OnnxGraph, Step


def write(trunk: Path, learned: OnnxGraph, first: int, to: Path) -> None:
    """Rounds what has learned to what a file can hold (posewire_training.compact) and writes all of it.

    Args:
        trunk: The file that it was read from.
        learned: With the same convolutions; rounded in place.
        first: The first of them that has learned: the others are rounded already.
        to: The new file.
    """
    for number, layer in learned.layers.items():
        if int(number) >= first:
            round_compactly(layer)
    model = onnx.load(trunk)
    _put_weights(model, learned)
    _drop_unused(model)
    to.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, to)
    store_compactly(to, {told.key: told.value for told in model.metadata_props})


def head_of(graph: OnnxGraph, output: str) -> dict[str, Step]:
    """What is computed for this output alone, in its order: back from it while each tensor is needed once."""
    needed = Counter([*graph.outputs, *(name for step in graph.steps.values() for name in step.inputs)])
    names = [output]
    while len(before := graph.steps[names[-1]].inputs) == 1 and before[0] in graph.steps and needed[before[0]] == 1:
        names.append(before[0])
    return {name: graph.steps[name] for name in reversed(names)}


def _put_weights(model: onnx.ModelProto, learned: OnnxGraph) -> None:
    """Each convolution takes its weights as plain numbers."""
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    for number, node in enumerate(convolutions):
        if str(number) in learned.layers:
            for place, values in enumerate(_weights(learned.layers[str(number)]), 1):
                node.input[place] = f"{node.output[0]}.weights.{place}"
                model.graph.initializer.append(numpy_helper.from_array(values, node.input[place]))


def _weights(layer: nn.Module) -> list[NDArray[np.float32]]:
    """Kernel, and bias where there is one."""
    conv = next(module for module in layer.modules() if isinstance(module, nn.Conv2d))
    return [value.detach().float().contiguous().numpy() for value in (conv.weight, conv.bias) if value is not None]


def _drop_unused(model: onnx.ModelProto) -> None:
    """What only unpacked the old weights."""
    wanted = {value.name for value in model.graph.output}
    kept: list[onnx.NodeProto] = []
    for node in reversed(model.graph.node):
        if wanted & set(node.output):
            wanted |= set(node.input)
            kept.append(node)
    tensors = [tensor for tensor in model.graph.initializer if tensor.name in wanted]
    del model.graph.node[:], model.graph.initializer[:]
    model.graph.node.extend(kept[::-1])
    model.graph.initializer.extend(tensors)
