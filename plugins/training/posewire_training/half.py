"""`python -m posewire_training.half FILE.onnx --to HALF.onnx`: the variant of a network that computes in float16, for a GPU.

Convolutions and all that leads to one compute in float16. What stands behind the last ones stays float32, as inputs and outputs
do: a maximum is refined between cells, and coordinates above 2,048 would be rounded to even numbers. Of an int8 file the steps
between its operations go, its weights stay as rounded as they are. What it costs in accuracy, each method's own `measure` prints;
ONNX Runtime computes such a file on a CPU, too, only not faster.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper

from posewire.errors import ModelError
from posewire.runtime import open_session
from posewire_training import onnx_export
from posewire_training.command import command, parser_of
from posewire_training.convolutions import followed_by_a_convolution, with_names
from posewire_training.onnx_graph import constants_of

_FLOAT32_ONLY = {"Resize": (1, 2)}
"""Inputs that ONNX knows as float32 only: the region and the scales."""


def halve(path: Path, to: Path) -> None:
    """Writes the float16 variant of an exported network.

    Raises:
        ModelError: the file is missing or no ONNX file, or has no convolution.
    """
    open_session(path, threads=1).close()  # says what is wrong with the file
    model = _plain(path)
    if not any(node.op_type == "Conv" for node in model.graph.node):
        raise ModelError(f"{path} has no convolution: nothing of it would be float16.", hint="run it as it is")
    _Halved(model.graph).write()
    onnx_export.strip(model)
    helper.set_model_props(model, {told.key: told.value for told in onnx.load(path).metadata_props})
    to.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, to)


def _plain(path: Path) -> ModelProto:
    """With float32 weights, named nodes, known types, and without steps of int8."""
    from onnxruntime.quantization.shape_inference import quant_pre_process  # slow to import

    with tempfile.TemporaryDirectory() as folder, onnx_export.quietly():
        unpacked = Path(folder) / "plain.onnx"
        quant_pre_process(path, unpacked, skip_symbolic_shape=True, skip_optimization=_has_steps(onnx.load(path)))
        model = onnx.load(unpacked)
    _without_steps(model)
    return onnx.shape_inference.infer_shapes(with_names(model))


def _has_steps(model: ModelProto) -> bool:
    return any(node.op_type == "QuantizeLinear" for node in model.graph.node)


def _without_steps(model: ModelProto) -> None:
    """QuantizeLinear becomes a Clip to what its steps can say, as the quantiser has left out every Relu that they say anyway;
    DequantizeLinear goes, and what nodes make of constants alone is a constant."""
    known = constants_of(model)
    stored = {tensor.name for tensor in model.graph.initializer}
    same: dict[str, str] = {}
    kept: list[NodeProto] = []
    for node in model.graph.node:
        node.input[:] = [same.get(name, name) for name in node.input]
        if node.output[0] in known:
            continue
        if node.op_type == "DequantizeLinear":
            same[node.output[0]] = node.input[0]
        elif node.op_type == "QuantizeLinear":
            limits = [f"{node.output[0]}.{end}" for end in ("least", "most")]
            known |= zip(limits, _limits(*(known[name] for name in node.input[1:])), strict=True)
            kept.append(helper.make_node("Clip", [node.input[0], *limits], list(node.output)))
        else:
            kept.append(node)
    read = {name for node in kept for name in node.input} | {value.name for value in model.graph.output}
    tensors = [tensor for tensor in model.graph.initializer if tensor.name in read]
    tensors += [numpy_helper.from_array(known[name], name) for name in known if name in read and name not in stored]
    del model.graph.node[:], model.graph.initializer[:], model.graph.value_info[:]
    model.graph.node.extend(kept)
    model.graph.initializer.extend(tensors)


def _limits(scale: NDArray[Any], zero: NDArray[Any]) -> list[NDArray[Any]]:
    """Of the numbers that steps of one scale can say."""
    kind = np.iinfo(zero.dtype)
    return [(scale * (np.float32(end) - zero.astype(np.float32))).astype(np.float32) for end in (kind.min, kind.max)]


@dataclass
class _Halved:
    """A graph on its way to float16; nodes of `chosen` compute so."""

    graph: GraphProto
    chosen: set[str] = field(init=False)
    floats: set[str] = field(init=False)
    """Tensors that are float32 in the graph as it came."""
    halves: set[str] = field(default_factory=set)
    """Tensors that are float16 by now."""
    made: dict[str, NodeProto] = field(default_factory=dict)
    """Casts by the tensor that each gives."""

    def __post_init__(self) -> None:
        inner = followed_by_a_convolution(self.graph)
        self.chosen = {node.name for node in self.graph.node if node.op_type == "Conv" or node.name in inner}
        infos = (*self.graph.value_info, *self.graph.input, *self.graph.output)
        self.floats = {value.name for value in infos if value.type.tensor_type.elem_type == TensorProto.FLOAT}
        self.floats |= {tensor.name for tensor in self.graph.initializer if tensor.data_type == TensorProto.FLOAT}

    def write(self) -> None:
        """Changes the graph."""
        public = {value.name for value in self.graph.output}
        nodes: list[NodeProto] = []
        for node in self.graph.node:
            is_half = node.name in self.chosen
            float32_only = _FLOAT32_ONLY.get(node.op_type, ()) if is_half else ()
            before = len(self.made)
            for place, name in enumerate(node.input):
                node.input[place] = self._read(name, is_half and place not in float32_only)
            nodes.extend([*self.made.values()][before:])
            nodes.append(node)
            if is_half:
                self._say_half(node, public)
        del self.graph.node[:], self.graph.value_info[:]
        self.graph.node.extend(nodes)
        self._shrink_weights()

    def _read(self, name: str, wants_half: bool) -> str:
        """The tensor of that name as the node wants it, cast once for all who want it so."""
        if name not in self.floats or (name in self.halves) == wants_half:
            return name
        kind, ending = (TensorProto.FLOAT16, "half") if wants_half else (TensorProto.FLOAT, "single")
        cast = f"{name}.{ending}"
        self.made.setdefault(cast, helper.make_node("Cast", [name], [cast], name=cast, to=kind))
        return cast

    def _say_half(self, node: NodeProto, public: set[str]) -> None:
        """Its outputs are float16 from now on."""
        for attribute in node.attribute:
            if node.op_type == "Cast" and attribute.name == "to" and attribute.i == TensorProto.FLOAT:
                attribute.i = TensorProto.FLOAT16
        said = {name for name in node.output if name in self.floats}
        if said & public:
            raise ModelError("An output of the network leads to a convolution.", got=", ".join(said & public))
        self.halves |= said

    def _shrink_weights(self) -> None:
        """What is read as float16 only is stored so; the casts behind it go."""
        readers = {name for node in self.graph.node if node.op_type != "Cast" for name in node.input}
        weights = {tensor.name: tensor for tensor in self.graph.initializer}
        for node in list(self.graph.node):
            tensor = weights.get(node.input[0]) if node.name in self.made else None
            if tensor is not None and tensor.name not in readers:
                tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype("float16"), node.output[0]))
                self.graph.node.remove(node)


@command
def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = parser_of("posewire_training.half", __doc__)
    parser.add_argument("file", type=Path, metavar="FILE.onnx", help="an exported network: float, or the int8 file that ships")
    parser.add_argument("--to", type=Path, required=True, metavar="HALF.onnx")
    flags = parser.parse_args(arguments)
    halve(flags.file, flags.to)
    print(f"{flags.to}: {flags.to.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    sys.exit(main())
