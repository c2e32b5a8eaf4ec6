"""A trained network as an ONNX file with a free batch axis, checked against torch."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from posewire.errors import ModelError
from posewire.runtime import open_session

PARITY = 1e-4
"""Largest allowed difference between torch and ONNX Runtime, in the unit of the output (metres)."""
OPSET = 18
_SMALL = 256
"""Tensors with fewer numbers stay float32: nothing to gain."""


def export(
    module: nn.Module,
    inputs: Mapping[str, Tensor],
    outputs: Sequence[str],
    path: Path,
    *,
    half: bool = False,
    free_axes: Mapping[str, Mapping[int, str]] | None = None,
) -> float:
    """Writes the network and returns its largest difference to torch on `inputs`, and on a batch of another size.

    Args:
        module: In eval mode; its forward takes the inputs in their order.
        inputs: Example tensors by name; the first axis of each is the batch.
        outputs: Names of what it returns.
        path: The .onnx file.
        half: Stores large weights as float16 and computes in float32. The module's own weights are rounded likewise, so that
            both speak of the same network.
        free_axes: Input to its further axes of any length, by name; the batch is always free.

    Raises:
        ModelError: the difference is above PARITY.
    """
    if half:
        round_to_half(module)
    path.parent.mkdir(parents=True, exist_ok=True)
    free = {name: {0: "batch", **(free_axes or {}).get(name, {})} for name in inputs}
    with quietly():
        torch.onnx.export(
            module.eval(),
            tuple(inputs.values()),
            path,
            input_names=list(inputs),
            output_names=list(outputs),
            opset_version=OPSET,
            dynamic_shapes=_dimensions(free),
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    model = onnx.load(path)
    strip(model)
    if half:
        store_as_half(model)
    onnx.save(model, path)
    worst = max(parity(module, inputs, path), parity(module, {name: value[:1] for name, value in inputs.items()}, path))
    if not worst <= PARITY:
        raise ModelError(f"{path} does not say what the network says.", got=f"difference {worst:.2e}", allowed=f"{PARITY:.0e}")
    return worst


@contextmanager
def quietly() -> Generator[None]:
    """Without what exporter and quantiser say of their own future and of packages that are not needed here."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)


def _dimensions(free: Mapping[str, Mapping[int, str]]) -> tuple[dict[int, torch.export.Dim], ...]:
    """As torch says free axes: one Dim for each name."""
    dims = {name: torch.export.Dim(name) for axes in free.values() for name in axes.values()}
    return tuple({axis: dims[name] for axis, name in axes.items()} for axes in free.values())


def parity(module: nn.Module, inputs: Mapping[str, Tensor], path: Path) -> float:
    """Largest difference of any output between torch and ONNX Runtime."""
    with torch.inference_mode():
        said = module(*inputs.values())
    torch_says = [value.numpy() for value in (said if isinstance(said, tuple) else (said,))]
    runtime_says = run(path, {name: value.numpy() for name, value in inputs.items()})
    return max(float(np.abs(a - b).max()) for a, b in zip(torch_says, runtime_says, strict=True))


def run(path: Path, inputs: Mapping[str, NDArray[np.float32]]) -> list[NDArray[np.float32]]:
    """The outputs of an ONNX file on the CPU, one thread, in the file's order."""
    session = open_session(path, threads=1)
    outputs = session.run(inputs)
    session.close()
    return list(outputs.values())


def round_to_half(module: nn.Module) -> None:
    """Rounds the large weights to what float16 can hold; they stay float32."""
    with torch.no_grad():
        for value in (*module.parameters(), *module.buffers()):
            if value.is_floating_point() and value.numel() >= _SMALL:
                value.copy_(value.half().float())


def strip(model: onnx.ModelProto) -> None:
    """Drops what the exporter wrote about this machine's source files."""
    model.doc_string, model.graph.doc_string = "", ""
    del model.metadata_props[:]
    for node in model.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    del model.graph.value_info[:]  # shapes between the nodes: large, and wrong once a product is quantised
    for value in (*model.graph.input, *model.graph.output, *model.graph.initializer):
        value.doc_string = ""
        del value.metadata_props[:]


def store_as_half(model: onnx.ModelProto) -> None:
    """Large float32 initializers become float16 with a Cast behind each; ONNX Runtime folds the casts when it opens the file."""
    casts: list[onnx.NodeProto] = []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if tensor.data_type == TensorProto.FLOAT and values.size >= _SMALL and _fits_half(values):
            name = tensor.name
            tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}.half"))
            casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT, name=f"{name}.cast"))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def _fits_half(values: NDArray[np.float32]) -> bool:
    """True where float16 holds the very numbers: what the exporter has folded together (batch norm) was not rounded."""
    with np.errstate(over="ignore"):
        return bool((values.astype(np.float16).astype(np.float32) == values).all())


def store_as_single(model: onnx.ModelProto) -> None:
    """Undoes what `export` does to large weights where they are stored by half."""
    halves = {tensor.name: tensor for tensor in model.graph.initializer if tensor.data_type == TensorProto.FLOAT16}
    kept = [node for node in model.graph.node if not (node.op_type == "Cast" and node.input[0] in halves)]
    for node in model.graph.node:
        if node.op_type == "Cast" and node.input[0] in halves:
            tensor = halves[node.input[0]]
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float32), node.output[0]))
    del model.graph.node[:]
    model.graph.node.extend(kept)
