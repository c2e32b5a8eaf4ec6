"""Weights of convolutions on the grid of int8, so rounded that what they say changes little (Frantar et al. 2023, OPTQ).

Rounding each weight to the nearest step ignores that inputs go together: with ReLU they are all positive, and a bias of many
small steps adds up. Here one input's weights are rounded after the other, and those that are still free take up what the
rounded ones do to the answer; what is left of its mean goes into the bias (Nagel et al. 2019, section 4.2).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, helper, numpy_helper

from posewire.errors import ModelError
from posewire_training.features import Image, features

Double: TypeAlias = NDArray[np.float64]

STEPS = 127
"""From nought to the largest weight of a filter, as onnxruntime.quantization counts them."""
_PLACES = 1024
"""Of each picture at which a convolution's inputs are looked at."""
_DAMPED = 0.01
"""Of the mean variance of an input, added to each: inputs that hardly vary in the pictures may do so live."""


@dataclass(slots=True)
class _Inputs:
    """Moments of what a convolution sees through its window: K = inputs of a group x kernel height x width."""

    count: int
    total: Double
    """(groups, K)."""
    product: Double
    """(groups, K, K)."""


def round_weights(model: onnx.ModelProto, names: Iterable[str], images: Sequence[Image]) -> None:
    """Rounds the convolutions of these names in place, each filter to 127 steps of its largest weight.

    Args:
        model: Of one input; every convolution's weights and bias are initializers.
        names: Of nodes; those that are no convolutions stay.
        images: To be seen as live.
    """
    wanted = set(names)
    convolutions = [node for node in model.graph.node if node.op_type == "Conv" and node.name in wanted]
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    for node, inputs in zip(convolutions, _inputs_of(model, convolutions, images), strict=True):
        weight = tensors[node.input[1]]
        before = numpy_helper.to_array(weight).astype(np.float64)
        groups = len(inputs.total)
        mean = inputs.total / inputs.count
        covariance = inputs.product / inputs.count - mean[:, :, None] * mean[:, None]
        rows = before.reshape(groups, before.shape[0] // groups, -1)
        after = np.stack([rounded(*pair) for pair in zip(rows, covariance, strict=True)])
        weight.CopyFrom(numpy_helper.from_array(after.reshape(before.shape).astype(np.float32), weight.name))
        _add_to_bias(model, node, np.einsum("gok,gk->go", rows - after, mean).ravel())


def rounded(weights: Double, covariance: Double) -> Double:
    """Filters (O, K) on their grids, whose answers to inputs of this covariance (K, K) differ little (OPTQ, algorithm 1).

    The largest weight of a filter keeps its place at the end of the grid: it says how long a step is.
    """
    free = weights.copy()
    step = np.abs(weights).max(1).clip(1e-12) / STEPS
    largest = np.abs(weights).argmax(1)
    damped = covariance + (_DAMPED * float(np.diag(covariance).mean()) + 1e-12) * np.eye(len(covariance))
    factor = np.linalg.cholesky(np.linalg.inv(damped)).T
    for k in range(len(covariance)):
        code = np.rint(free[:, k] / step).clip(-STEPS, STEPS)
        code = np.where(largest == k, np.sign(weights[:, k]) * STEPS, code)
        off = (free[:, k] - code * step) / factor[k, k]
        free[:, k:] -= off[:, None] * factor[k, k:]
        free[:, k] = code * step
    return free


def _inputs_of(model: onnx.ModelProto, convolutions: Sequence[NodeProto], images: Sequence[Image]) -> list[_Inputs]:
    names = list(dict.fromkeys(node.input[0] for node in convolutions))
    kernels = {tensor.name: tuple(tensor.dims) for tensor in model.graph.initializer}
    found: list[_Inputs | None] = [None] * len(convolutions)
    for said in features(model, names, images):
        for number, node in enumerate(convolutions):
            seen = _seen(said[node.input[0]], node, kernels[node.input[1]])
            found[number] = _more(found[number], seen)
    return [inputs for inputs in found if inputs is not None]


def _seen(values: Image, node: NodeProto, kernel: tuple[int, ...]) -> _Inputs:
    """At random places of the features (1, C, H, W)."""
    told = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    if told.get("auto_pad", b"NOTSET") != b"NOTSET" or set(told.get("dilations", ())) - {1}:
        raise ModelError("A convolution pads by itself or is dilated: its weights cannot be rounded.", got=node.name)
    groups = told.get("group", 1)
    top, left, bottom, right = told.get("pads", (0, 0, 0, 0))
    padded = np.pad(values[0], ((0, 0), (top, bottom), (left, right)))
    down, across = told.get("strides", (1, 1))
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernel[2:], (1, 2))[:, ::down, ::across]
    every = windows.shape[1] * windows.shape[2]
    chosen = np.random.default_rng(0).choice(every, min(every, _PLACES), replace=False)
    seen = windows[:, chosen // windows.shape[2], chosen % windows.shape[2]]  # (C, N, kernel height, width)
    rows = seen.swapaxes(0, 1).reshape(len(chosen), groups, -1).swapaxes(0, 1).astype(np.float64)  # (groups, N, K)
    return _Inputs(len(chosen), rows.sum(1), rows.swapaxes(1, 2) @ rows)


def _more(before: _Inputs | None, seen: _Inputs) -> _Inputs:
    if before is None:
        return seen
    return _Inputs(before.count + seen.count, before.total + seen.total, before.product + seen.product)


def _add_to_bias(model: onnx.ModelProto, node: NodeProto, more: Double) -> None:
    """Of every filter; a convolution without a bias gets one."""
    if len(node.input) < 3:
        name = f"{node.output[0]}.bias"
        node.input.append(name)
        model.graph.initializer.append(numpy_helper.from_array(more.astype(np.float32), name))
        return
    bias = next(tensor for tensor in model.graph.initializer if tensor.name == node.input[2])
    bias.CopyFrom(numpy_helper.from_array((numpy_helper.to_array(bias) + more).astype(np.float32), bias.name))
