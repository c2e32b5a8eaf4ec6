"""Weights as 8 bit steps with one float16 scale for 16 of them: 1.1 bytes a number on disk, computed with in float32.

BlazePose's regression tower is a long chain: one scale for a whole output channel moves its 3D by 20 mm, one for every 16 inputs
by 11 (median over rendered people). Its early layers are small and more sensitive still: they stay float16.
"""

from __future__ import annotations

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

_LARGE = 50_000
"""Tensors with fewer numbers are left alone."""
_BLOCK = 16
_STEPS = 127
_SMALLEST = 1e-7
"""Scale of a block of zeros: float16 can say it."""


def round_weights(module: nn.Module) -> None:
    """Rounds the large weights of convolutions and linear layers in place; twice is the same as once."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear) and is_large(tuple(layer.weight.shape)):
            with torch.no_grad():
                layer.weight.copy_(rounded(layer.weight))


def is_large(shape: tuple[int, ...]) -> bool:
    """Whether a weight of this shape is stored in steps."""
    size = int(np.prod(shape))
    return len(shape) in (2, 4) and size >= _LARGE and size // shape[0] % _BLOCK == 0


def rounded(weight: Tensor) -> Tensor:
    """The nearest weights that steps and scales can say."""
    steps, scale = _in_steps(weight.detach().cpu().numpy())
    return torch.from_numpy((steps * scale.astype(np.float32)).reshape(weight.shape)).to(weight)


def _in_steps(values: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float16]]:
    """(O, blocks, _BLOCK) and (O, blocks, 1)."""
    blocks = values.reshape(len(values), -1, _BLOCK)
    scale = (np.abs(blocks).max(axis=-1, keepdims=True) / _STEPS).clip(_SMALLEST).astype(np.float16)
    steps = np.round(blocks / scale.astype(np.float32)).clip(-_STEPS, _STEPS)
    return steps.astype(np.int8), scale


def store_in_steps(model: onnx.ModelProto) -> None:
    """Initializers that `rounded` has seen become int8 * scale; ONNX Runtime multiplies them out when it opens the file."""
    made: list[onnx.NodeProto] = []
    for tensor in list(model.graph.initializer):
        values = numpy_helper.to_array(tensor)
        if tensor.data_type != TensorProto.FLOAT or not is_large(values.shape):
            continue
        steps, scale = _in_steps(values)
        again = (steps * scale.astype(np.float32)).reshape(values.shape)
        if np.abs(values - again).max() <= 1e-3 * np.abs(values).max():
            made += _replaced(model.graph, tensor, steps, scale)
    nodes = [*made, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def _replaced(
    graph: onnx.GraphProto, tensor: onnx.TensorProto, steps: NDArray[np.int8], scale: NDArray[np.float16]
) -> list[onnx.NodeProto]:
    name, shape = tensor.name, np.asarray(tensor.dims, dtype=np.int64)
    tensor.CopyFrom(numpy_helper.from_array(steps, f"{name}.steps"))
    graph.initializer.append(numpy_helper.from_array(scale, f"{name}.scale"))
    graph.initializer.append(numpy_helper.from_array(shape, f"{name}.shape"))
    return [
        helper.make_node("Cast", [f"{name}.steps"], [f"{name}.whole"], to=TensorProto.FLOAT, name=f"{name}.cast"),
        helper.make_node("Cast", [f"{name}.scale"], [f"{name}.size"], to=TensorProto.FLOAT, name=f"{name}.cast_scale"),
        helper.make_node("Mul", [f"{name}.whole", f"{name}.size"], [f"{name}.blocks"], name=f"{name}.multiply"),
        helper.make_node("Reshape", [f"{name}.blocks", f"{name}.shape"], [name], name=f"{name}.reshape"),
    ]
