"""The 3D branch of an exported Stage I, taken out and put back: what else the file holds stays, whether int8 or float.

On a MoveNet trunk the branch is a few fully connected layers that are asked at the maxima only (movenet.Heads.at). So it can
learn on though nobody has the float weights any more, and without a step of the trunk.
"""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import NodeProto, helper, numpy_helper
from torch import Tensor, nn

from posewire.errors import ModelError
from posewire_training.compact import round_compactly, store_compactly
from posewire_training.onnx_graph import constants_of

ENCODINGS = "encodings"
COLUMNS = "columns"
"""Output of `open_below`: what the branch is fed, (1, N, all channels)."""


class DeepFile:
    """An exported Stage I.

    Raises:
        ModelError: its encodings are not said by fully connected layers.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._model = path, onnx.load(path)
        self._nodes, self._below = _branch(self._model)
        if not any(node.op_type == "MatMul" for node in self._nodes):
            allowed = "a file of train export --trunk, whose 3D branch is asked at the maxima"
            raise ModelError(f"{path} has no 3D branch that can learn on.", got=self._nodes[0].op_type, allowed=allowed)

    def layers(self) -> nn.Sequential:
        """The branch, columns (..., all channels) to encodings (..., 3 J)."""
        constants, found = constants_of(self._model), list[nn.Module]()
        for node in self._nodes:
            if node.op_type == "Relu":
                found.append(nn.ReLU())
            elif node.op_type == "MatMul":
                found.append(_linear(constants[node.input[1]]))
            else:
                bias = next(constants[name] for name in node.input if name in constants)
                last = found[-1]
                assert isinstance(last, nn.Linear)
                last.bias = nn.Parameter(torch.from_numpy(bias.astype(np.float32)))
        return nn.Sequential(*found)

    def write_below(self, path: Path) -> None:
        """The same file with one more output, COLUMNS."""
        model = copy.deepcopy(self._model)
        model.graph.node.append(helper.make_node("Identity", [self._below], [COLUMNS]))
        model.graph.output.append(helper.make_tensor_value_info(COLUMNS, onnx.TensorProto.FLOAT, None))
        onnx.save(model, path)

    def write_with(self, layers: nn.Sequential, path: Path) -> None:
        """The same file with other layers, stored small (posewire_training.compact); `layers` are rounded to what it holds.

        Args:
            layers: Linear and ReLU by turns, from as many channels to as many encodings as before.
            path: The .onnx file to write.
        """
        round_compactly(layers)
        model, last = copy.deepcopy(self._model), self._nodes[-1].output[0]
        old = {node.output[0] for node in self._nodes}
        first = next(place for place, node in enumerate(model.graph.node) if node.output[0] in old)
        kept = list(model.graph.node)
        nodes, weights = _nodes_of(layers, self._below, last)
        del model.graph.node[:]
        before, after = kept[:first], [node for node in kept[first:] if node.output[0] not in old]
        model.graph.node.extend([*before, *nodes, *after])
        model.graph.initializer.extend(weights)
        _drop_unused(model)
        path.parent.mkdir(parents=True, exist_ok=True)
        onnx.save(model, path)
        store_compactly(path, {told.key: told.value for told in self._model.metadata_props})


def _branch(model: onnx.ModelProto) -> tuple[list[NodeProto], str]:
    """The nodes from the columns to the encodings, in order, and the name of the columns."""
    makers = {name: node for node in model.graph.node for name in node.output}
    constants = constants_of(model)
    if ENCODINGS not in makers:
        raise ModelError("This is no Stage I.", got="no output encodings", allowed="a file of train export")
    node = makers[ENCODINGS]
    while node.op_type in ("Mul", "Reshape"):  # zero where no peak is; rows to joints by candidates
        node = makers[node.input[0]]
    found = [node]
    while True:
        name = next(name for name in node.input if name not in constants)
        node = makers[name]
        if node.op_type not in ("Add", "MatMul", "Relu"):
            return found[::-1], name
        found.append(node)


def _linear(weight: NDArray[np.generic]) -> nn.Linear:
    """Of a matrix (inputs, outputs); no bias yet."""
    layer = nn.Linear(*weight.shape)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(weight.astype(np.float32).T.copy()))
    return layer


def _nodes_of(layers: nn.Sequential, below: str, above: str) -> tuple[list[NodeProto], list[onnx.TensorProto]]:
    """What computes `above` of `below`, and its weights."""
    nodes, weights, name = list[NodeProto](), list[onnx.TensorProto](), below
    for number, layer in enumerate(layers):
        own = f"branch_3d.{number}"
        gives = above if number == len(layers) - 1 else own
        if isinstance(layer, nn.Linear):
            weights += [_stored(f"{own}.weight", layer.weight.T), _stored(f"{own}.bias", layer.bias)]
            nodes.append(helper.make_node("MatMul", [name, f"{own}.weight"], [f"{own}.product"]))
            nodes.append(helper.make_node("Add", [f"{own}.product", f"{own}.bias"], [gives]))
        else:
            nodes.append(helper.make_node("Relu", [name], [gives]))
        name = gives
    return nodes, weights


def _stored(name: str, values: Tensor) -> onnx.TensorProto:
    return numpy_helper.from_array(np.ascontiguousarray(values.detach().numpy()), name)


def _drop_unused(model: onnx.ModelProto) -> None:
    """Nodes and weights that no output needs."""
    wanted, kept = {value.name for value in model.graph.output}, list[NodeProto]()
    for node in reversed(model.graph.node):
        if wanted.intersection(node.output):
            wanted.update(node.input)
            kept.append(node)
    weights = [tensor for tensor in model.graph.initializer if tensor.name in wanted]
    del model.graph.node[:], model.graph.initializer[:]
    model.graph.node.extend(reversed(kept))
    model.graph.initializer.extend(weights)
