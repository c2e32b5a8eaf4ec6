"""Weights stored small: large matrices as int8 with one scale a filter, the rest as float16; ONNX Runtime unpacks both.

A network is rounded first, so that torch and the file speak of the same one. Rounding twice changes nothing: what came as int8
(most of the MoveNet trunk) stays as it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from posewire_training.onnx_export import strip

LARGE = 10_000
"""Numbers of a matrix that is stored as int8."""
_SMALL = 256
"""Fewer numbers stay float32."""


def round_compactly(module: nn.Module) -> None:
    """Rounds the weights to what `store_compactly` can hold."""
    kernels = {id(layer.weight) for layer in module.modules() if isinstance(layer, nn.Conv2d | nn.Linear)}
    with torch.no_grad():
        for value in module.parameters():
            if id(value) in kernels and value.numel() >= LARGE:
                value.copy_(torch.from_numpy(_unpacked(*_packed(value.numpy(), 0))))
            elif value.numel() >= _SMALL:
                value.copy_(value.half().float())


def _packed(values: NDArray[np.float32], axis: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Codes, and one scale for each filter along `axis`."""
    others = tuple(other for other in range(values.ndim) if other != axis)
    scale = np.abs(values).max(axis=others, keepdims=True).clip(1e-12) / np.float32(127)
    return np.rint(values / scale).astype(np.int8), scale.astype(np.float32)


def _unpacked(codes: NDArray[np.int8], scale: NDArray[np.float32]) -> NDArray[np.float32]:
    return codes.astype(np.float32) * scale


def _fits(values: NDArray[np.float32], axis: int) -> bool:
    """True where codes hold the very numbers: what was left at float16 (the trunk's first blocks) is not rounded further."""
    return np.allclose(_unpacked(*_packed(values, axis)), values, rtol=1e-5, atol=1e-7)


def store_compactly(path: Path, metadata: Mapping[str, str], *, pack: bool = True) -> None:
    """Rewrites an ONNX file whose network was rounded, and lets it say what it is; with `pack` off the latter only."""
    model = onnx.load(path)
    if pack:
        _pack(model)
        _shorten_names(model)
    helper.set_model_props(model, dict(metadata))
    onnx.save(model, path)


def finish(path: Path, to: Path) -> None:
    """After a quantiser made `to` of `path`: what `path` says of itself is said again, what the quantiser says of this machine
    goes, and weights that stayed float are stored small."""
    model = onnx.load(to)
    strip(model)
    onnx.save(model, to)
    store_compactly(to, {told.key: told.value for told in onnx.load(path).metadata_props})


def _pack(model: onnx.ModelProto) -> None:
    axes = _filter_axes(model)
    before: list[onnx.NodeProto] = []
    for tensor in list(model.graph.initializer):
        values = numpy_helper.to_array(tensor)
        if tensor.data_type != TensorProto.FLOAT or values.size < _SMALL:
            continue
        axis = axes.get(tensor.name)
        if axis is not None and values.size >= LARGE and _fits(values, axis):
            before.extend(_as_bytes(model, tensor, *_packed(values, axis)))
        elif (values.astype(np.float16).astype(np.float32) == values).all():
            before.append(helper.make_node("Cast", [f"{tensor.name}.half"], [tensor.name], to=TensorProto.FLOAT))
            tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{tensor.name}.half"))
    nodes = [*before, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def _shorten_names(model: onnx.ModelProto) -> None:
    """Numbers what lies inside the graph: the exporter's names take as much room as a small layer."""
    public = {value.name for value in (*model.graph.input, *model.graph.output)}
    short: dict[str, str] = {name: name for name in ("", *public)}
    for node in model.graph.node:
        node.name = ""
        node.input[:] = [short.setdefault(name, str(len(short))) for name in node.input]
        node.output[:] = [short.setdefault(name, str(len(short))) for name in node.output]
    for tensor in model.graph.initializer:
        tensor.name = short[tensor.name]


def _filter_axes(model: onnx.ModelProto) -> dict[str, int]:
    """The axis along which the filters of each weight lie."""
    axes: dict[str, int] = {}
    for node in model.graph.node:
        if node.op_type == "Conv":
            axes[node.input[1]] = 0
        elif node.op_type == "MatMul":
            axes[node.input[1]] = 1
        elif node.op_type == "Gemm":
            turned = next((attribute.i for attribute in node.attribute if attribute.name == "transB"), 0)
            axes[node.input[1]] = 0 if turned else 1
    return axes


def _as_bytes(
    model: onnx.ModelProto, tensor: TensorProto, codes: NDArray[np.int8], scale: NDArray[np.float32]
) -> list[onnx.NodeProto]:
    """Puts codes and scale where the weight was; returns the nodes that make it again."""
    name = tensor.name
    tensor.CopyFrom(numpy_helper.from_array(codes, f"{name}.codes"))
    model.graph.initializer.append(numpy_helper.from_array(scale, f"{name}.scale"))
    cast = helper.make_node("Cast", [f"{name}.codes"], [f"{name}.cast"], to=TensorProto.FLOAT)
    return [cast, helper.make_node("Mul", [f"{name}.cast", f"{name}.scale"], [name])]
