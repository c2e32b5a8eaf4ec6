"""An ONNX file as a torch module: every convolution a layer that may go on learning, everything else arithmetic.

For networks that others trained and that ours begin from (BlazePose, MoveNet). Only what such networks need is read; an operation
that is not known is refused by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from torch import Tensor, nn
from torch.nn import functional

from posewire.errors import ModelError

Attributes: TypeAlias = Mapping[str, Any]
Constants: TypeAlias = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Step:
    """One node: what it computes from which tensors."""

    compute: Callable[..., Tensor]
    inputs: tuple[str, ...]


class OnnxGraph(nn.Module):
    """Takes the graph's inputs in their order and gives the named tensors, which may lie anywhere inside the graph.

    What no output needs is left out. Parameters are named after the convolution's number in the file, whichever outputs are asked
    for: `layers.0.weight`, ...
    """

    def __init__(self, model: onnx.ModelProto, outputs: Sequence[str]) -> None:
        super().__init__()
        constants = constants_of(model)
        self.inputs = tuple(value.name for value in model.graph.input if value.name not in constants)
        self.outputs = tuple(outputs)
        self._numbers = {name: str(number) for number, name in enumerate(_convolutions(model))}
        self.layers = nn.ModuleDict()
        self.steps = {node.output[0]: self._step(node, constants) for node in _needed(model, outputs, constants)}
        """By the tensor that each gives, in the graph's order."""

    def _step(self, node: onnx.NodeProto, constants: Constants) -> Step:
        attributes = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
        moving = tuple(name for name in node.input if name and name not in constants)
        if node.op_type == "Conv":
            layer = convolution(attributes, [constants[name] for name in node.input[1:]])
            self.layers[self._numbers[node.output[0]]] = layer
            return Step(layer, moving)
        if node.op_type not in _OPERATIONS:
            raise ModelError(
                "This ONNX graph has an operation that the reader does not know.",
                got=node.op_type,
                allowed=(*_OPERATIONS, "Conv"),
            )
        fixed = [constants.get(name) for name in node.input]
        return Step(_OPERATIONS[node.op_type](attributes, fixed), moving)

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """The outputs, in their order."""
        known = dict(zip(self.inputs, inputs, strict=True))
        for output, step in self.steps.items():
            known[output] = step.compute(*(known[name] for name in step.inputs))
        return tuple(known[name] for name in self.outputs)


def read(path: Path, outputs: Sequence[str] | None = None) -> OnnxGraph:
    """The graph of a file; `outputs`: names of tensors to give instead of the graph's own.

    Raises:
        ModelError: the file is missing or no ONNX file, has no such tensor, or an operation that is not known.
    """
    try:
        model = onnx.load(path)
    except Exception as error:  # onnx raises protobuf's own errors, whose classes differ between its versions
        raise ModelError(f"{path} cannot be read as ONNX.", got=" ".join(str(error).split())[:200]) from error
    names = list(outputs) if outputs is not None else [value.name for value in model.graph.output]
    made = {name for node in model.graph.node for name in node.output}
    if missing := [name for name in names if name not in made]:
        raise ModelError(
            f"{path} has no such tensor.", got=", ".join(missing), allowed=tuple(value.name for value in model.graph.output)
        )
    return OnnxGraph(model, names)


def constants_of(model: onnx.ModelProto) -> Constants:
    """Initializers, and what nodes make of them alone: weights stored as float16 or int8 are unpacked."""
    known: Constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Constant":
            known[node.output[0]] = numpy_helper.to_array(helper.get_node_attr_value(node, "value"))
        elif node.op_type in ("Cast", "Mul", "DequantizeLinear", "Reshape") and all(name in known for name in node.input):
            known[node.output[0]] = _folded(node, [known[name] for name in node.input])
    return known


def _folded(node: onnx.NodeProto, values: list[NDArray[Any]]) -> NDArray[Any]:
    if node.op_type == "Cast":
        return values[0].astype(helper.tensor_dtype_to_np_dtype(helper.get_node_attr_value(node, "to")))
    if node.op_type == "Mul":
        return values[0] * values[1]
    if node.op_type == "Reshape":
        attributes = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
        return values[0].reshape(_sides(attributes, values[1], values[0].shape))
    codes, scale = values[0].astype(np.float32), values[1]
    axis = next((attribute.i for attribute in node.attribute if attribute.name == "axis"), 1) if scale.ndim else 0
    shape = [-1 if dimension == axis else 1 for dimension in range(codes.ndim)]
    zero = values[2].astype(np.float32).reshape(shape) if len(values) > 2 else 0.0
    return ((codes - zero) * scale.reshape(shape if scale.ndim else ())).astype(np.float32)


def _sides(attributes: Attributes, asked: NDArray[Any], had: Sequence[int]) -> list[int]:
    """Of a Reshape: 0 keeps the side at its place, unless `allowzero` says that it means none."""
    told = [int(side) for side in asked]
    return told if attributes.get("allowzero") else [side or had[place] for place, side in enumerate(told)]


def _convolutions(model: onnx.ModelProto) -> list[str]:
    """The tensors that they give, in the graph's order."""
    return [node.output[0] for node in model.graph.node if node.op_type == "Conv"]


def _needed(model: onnx.ModelProto, outputs: Sequence[str], constants: Constants) -> list[onnx.NodeProto]:
    """The nodes that compute on the way to the outputs, in the graph's order."""
    wanted, kept = set(outputs), list[onnx.NodeProto]()
    for node in reversed(model.graph.node):
        if wanted & set(node.output) and node.output[0] not in constants:
            wanted |= set(node.input)
            kept.append(node)
    return kept[::-1]


def convolution(attributes: Attributes, weights: Sequence[NDArray[Any]]) -> nn.Module:
    """A Conv node as a layer; one that pads its sides unequally (TensorFlow's SAME with a stride) pads before."""
    if attributes.get("auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID"):
        raise ModelError("Convolutions must say their padding as numbers.", got=attributes["auto_pad"].decode())
    kernel = torch.from_numpy(np.array(weights[0], np.float32))
    stride, dilation = attributes.get("strides", [1, 1]), attributes.get("dilations", [1, 1])
    top, left, bottom, right = attributes.get("pads", [0, 0, 0, 0])
    even = (top, left) == (bottom, right)
    groups = attributes.get("group", 1)
    layer = nn.Conv2d(
        kernel.shape[1] * groups,
        kernel.shape[0],
        (kernel.shape[2], kernel.shape[3]),
        (stride[0], stride[1]),
        (top, left) if even else 0,
        (dilation[0], dilation[1]),
        groups,
        bias=len(weights) > 1,
    )
    with torch.no_grad():
        layer.weight.copy_(kernel)
        if layer.bias is not None:
            layer.bias.copy_(torch.from_numpy(np.array(weights[1], np.float32)))
    return layer if even else nn.Sequential(nn.ZeroPad2d((left, right, top, bottom)), layer)


Fixed: TypeAlias = Sequence[NDArray[Any] | None]
"""The node's inputs that are constants, None for those that are not."""
Maker: TypeAlias = Callable[[Attributes, Fixed], Callable[..., Tensor]]


def _clip(attributes: Attributes, fixed: Fixed) -> Callable[[Tensor], Tensor]:
    low, high = (float(limit) if limit is not None else None for limit in (*fixed[1:], None, None)[:2])
    if low is not None and high is not None:  # the same numbers, a third of clamp's time on the way back
        return lambda x: functional.hardtanh(x, low, high)
    return lambda x: x.clamp(low, high)


def _binary(operation: Callable[[Any, Any], Any]) -> Maker:
    def make(_: Attributes, fixed: Fixed) -> Callable[..., Tensor]:
        first, second = (None if value is None else torch.from_numpy(np.array(value)) for value in fixed)
        if first is not None:
            return lambda x: operation(first.to(x.device), x)
        return operation if second is None else lambda x: operation(x, second.to(x.device))

    return make


def _resize(attributes: Attributes, fixed: Fixed) -> Callable[[Tensor], Tensor]:
    kind = (attributes.get("mode"), attributes.get("coordinate_transformation_mode", b"half_pixel"))
    if kind != (b"linear", b"half_pixel"):
        raise ModelError("Only linear half-pixel resizing is known.", got=kind)
    if len(fixed) > 3 and fixed[3] is not None:
        size = (int(fixed[3][2]), int(fixed[3][3]))
        return lambda x: functional.interpolate(x, size, mode="bilinear")
    if fixed[2] is None:
        raise ModelError("Resizing must be by a constant factor or to a constant size.")
    factors = (float(fixed[2][2]), float(fixed[2][3]))
    return lambda x: functional.interpolate(x, scale_factor=factors, mode="bilinear")


def _max_pool(attributes: Attributes, _: Fixed) -> Callable[[Tensor], Tensor]:
    plain: Attributes = {"auto_pad": b"NOTSET", "ceil_mode": 0}
    if any(attributes.get("pads", [])) or any(attributes.get(name, value) != value for name, value in plain.items()):
        raise ModelError("Only pooling without padding, rounded down, is known.", got=dict(attributes))
    return nn.MaxPool2d(tuple(attributes["kernel_shape"]), tuple(attributes.get("strides", [1, 1])))


def _reshape(attributes: Attributes, fixed: Fixed) -> Callable[[Tensor], Tensor]:
    if (asked := fixed[1]) is None:
        raise ModelError("Reshaping must be to a constant shape.")
    return lambda x: x.reshape(_sides(attributes, asked, x.shape))


_OPERATIONS: dict[str, Maker] = {
    "Add": _binary(torch.add),
    "Sub": _binary(torch.sub),
    "Mul": _binary(torch.mul),
    "Clip": _clip,
    "Relu": lambda _attributes, _fixed: torch.relu,
    "Sigmoid": lambda _attributes, _fixed: torch.sigmoid,
    "Resize": _resize,
    "MaxPool": _max_pool,
    "Reshape": _reshape,
}
