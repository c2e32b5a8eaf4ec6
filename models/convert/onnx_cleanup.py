"""Small rewrites of an ONNX graph that keep what it computes: each takes a model and changes it in place."""

import numpy as np
import onnx
from onnx import helper, numpy_helper

FLOAT16 = onnx.TensorProto.FLOAT16
FLOAT32 = onnx.TensorProto.FLOAT


def initializers(model: onnx.ModelProto) -> dict[str, onnx.TensorProto]:
    return {tensor.name: tensor for tensor in model.graph.initializer}


def constant(model: onnx.ModelProto, name: str) -> np.ndarray:
    return numpy_helper.to_array(initializers(model)[name])


def rename(model: onnx.ModelProto, old: str, new: str) -> None:
    for node in model.graph.node:
        node.input[:] = [new if name == old else name for name in node.input]
        node.output[:] = [new if name == old else name for name in node.output]


def replace_input(model: onnx.ModelProto, name: str, shape: list[int | str]) -> str:
    """Declare the model's only input anew; returns the old name, to which the graph's first nodes still listen."""
    old = model.graph.input[0].name
    del model.graph.input[:]
    model.graph.input.append(helper.make_tensor_value_info(name, FLOAT32, shape))
    return old


def take_nchw_input(model: onnx.ModelProto, name: str, shape: list[int | str]) -> None:
    """Let the caller hand over (N, 3, H, W): drop the first Transpose of a graph that took (N, H, W, 3)."""
    old = replace_input(model, name, shape)
    transpose = next(node for node in model.graph.node if node.op_type == "Transpose")
    before = [node for node in model.graph.node if old in node.input]
    if before == [transpose]:
        rename(model, transpose.output[0], name)
    else:  # input -> Pad -> Transpose: the Pad changes places with the Transpose
        (pad,) = before
        if pad.op_type != "Pad" or transpose.input[0] != pad.output[0]:
            raise ValueError(f"expected Pad and Transpose behind the input, got {pad.op_type}")
        pads = constant(model, pad.input[1]).reshape(2, 4)[:, [0, 3, 1, 2]].reshape(-1)
        model.graph.initializer.append(numpy_helper.from_array(pads, "input_pads"))
        pad.input[0], pad.input[1], pad.output[0] = name, "input_pads", transpose.output[0]
    model.graph.node.remove(transpose)


def keep_outputs(model: onnx.ModelProto, outputs: dict[str, str]) -> None:
    """Keep only the named outputs (old name -> new name); what fed the others goes."""
    kept = {output.name: output for output in model.graph.output}
    del model.graph.output[:]
    for old, new in outputs.items():
        rename(model, old, new)
        kept[old].name = new
        model.graph.output.append(kept[old])
    drop_unused(model)


def drop_unused(model: onnx.ModelProto) -> None:
    """Remove nodes and constants that no output needs, and the stale shape notes."""
    needed = {output.name for output in model.graph.output}
    nodes: list[onnx.NodeProto] = []
    for node in reversed(model.graph.node):
        if needed & set(node.output):
            nodes.append(node)
            needed |= set(node.input)
    del model.graph.node[:]
    model.graph.node.extend(reversed(nodes))
    constants = [tensor for tensor in model.graph.initializer if tensor.name in needed]
    del model.graph.initializer[:]
    model.graph.initializer.extend(constants)
    del model.graph.value_info[:]


def fold_pads(model: onnx.ModelProto) -> None:
    """Give a convolution's zero Pad of height and width to the convolution itself."""
    producers = {output: node for node in model.graph.node for output in node.output}
    for node in model.graph.node:
        pad = producers.get(node.input[0]) if node.op_type == "Conv" else None
        if pad is None or pad.op_type != "Pad":
            continue
        if pad.attribute and pad.attribute[0].s != b"constant":
            continue
        top = constant(model, pad.input[1]).reshape(2, 4)
        own = {attribute.name: attribute for attribute in node.attribute}
        if top[:, :2].any() or ("auto_pad" in own and own["auto_pad"].s not in (b"NOTSET", b"VALID")):
            continue
        old = np.array(own["pads"].ints if "pads" in own else [0, 0, 0, 0])
        for name in {"pads", "auto_pad"} & set(own):
            node.attribute.remove(own[name])
        node.attribute.append(helper.make_attribute("pads", (old + top[:, 2:].reshape(-1)).tolist()))
        node.input[0] = pad.input[0]
    drop_unused(model)


def reshape_output(model: onnx.ModelProto, name: str, shape: list[int | str]) -> None:
    """Give an output other axes; the first may be named (any number of people)."""
    node = next(node for node in model.graph.node if name in node.output)
    if node.op_type != "Reshape":
        rename(model, name, f"{name}_before")
        model.graph.node.append(helper.make_node("Reshape", [f"{name}_before", ""], [name]))
        node = model.graph.node[-1]  # append copies
    target = np.array([-1 if isinstance(n, str) else n for n in shape], np.int64)
    node.input[1] = f"{name}_shape"
    model.graph.initializer.append(numpy_helper.from_array(target, node.input[1]))
    output = next(output for output in model.graph.output if output.name == name)
    output.CopyFrom(helper.make_tensor_value_info(name, FLOAT32, shape))
    drop_unused(model)


def give_nchw_output(model: onnx.ModelProto, name: str, shape: list[int | str]) -> None:
    """Hand an output over as the convolution made it: drop the Transpose to (N, H, W, C) behind it."""
    transpose = next(node for node in model.graph.node if name in node.output)
    if transpose.op_type != "Transpose":
        raise ValueError(f"{name} is made by {transpose.op_type}, not by Transpose")
    model.graph.node.remove(transpose)
    rename(model, transpose.input[0], name)
    output = next(output for output in model.graph.output if output.name == name)
    output.CopyFrom(helper.make_tensor_value_info(name, FLOAT32, shape))


def apply_sigmoid(model: onnx.ModelProto, name: str) -> None:
    """Turn an output of logits into probabilities."""
    rename(model, name, f"{name}_logits")
    model.graph.node.append(helper.make_node("Sigmoid", [f"{name}_logits"], [name]))


def scale_input(model: onnx.ModelProto, gain: np.ndarray, shift: np.ndarray) -> None:
    """Put `gain * image + shift` (by channel) before the network, so that every network takes RGB in 0..1."""
    image = model.graph.input[0].name
    for node in model.graph.node:
        node.input[:] = ["scaled" if name == image else name for name in node.input]
    for name, values in (("gain", gain), ("shift", shift)):
        values = np.asarray(values, np.float32).reshape(1, 3, 1, 1)
        model.graph.initializer.append(numpy_helper.from_array(values, name))
    model.graph.node.insert(0, helper.make_node("Mul", [image, "gain"], ["gained"]))
    model.graph.node.insert(1, helper.make_node("Add", ["gained", "shift"], ["scaled"]))


def store_weights_as_half(model: onnx.ModelProto, at_least: int = 16) -> float:
    """Store float32 constants of some size as float16 + Cast (folded when a session opens); returns the largest error."""
    worst = 0.0
    casts: list[onnx.NodeProto] = []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if tensor.data_type != FLOAT32 or values.size < at_least:
            continue
        half = values.astype(np.float16)
        worst = max(worst, float(np.abs(half.astype(np.float32) - values).max()))
        casts.append(helper.make_node("Cast", [f"{tensor.name}_half"], [tensor.name], to=FLOAT32))
        tensor.CopyFrom(numpy_helper.from_array(half, f"{tensor.name}_half"))
    nodes = casts + list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return worst


def store_weights_as_bytes(model: onnx.ModelProto, at_least: int = 1) -> float:
    """Store convolution kernels of some size as int8 with one scale a filter (folded when a file opens); gives the largest error.

    For nets whose answer is looked at coarsely (boxes), or for their large kernels only: half of float16's bytes.
    """
    worst = 0.0
    kernels = {node.input[1] for node in model.graph.node if node.op_type == "Conv"}
    new: list[onnx.NodeProto] = []
    for tensor in [t for t in model.graph.initializer if t.name in kernels and t.data_type == FLOAT32]:
        values = numpy_helper.to_array(tensor)
        if values.size < at_least:
            continue
        scale = np.abs(values).max(axis=(1, 2, 3), keepdims=True).clip(1e-12) / 127
        codes = np.rint(values / scale).astype(np.int8)
        worst = max(worst, float((np.abs(codes * scale - values) / np.abs(values).max()).max()))
        name = tensor.name
        new.append(helper.make_node("Cast", [f"{name}_codes"], [f"{name}_cast"], to=FLOAT32))
        new.append(helper.make_node("Mul", [f"{name}_cast", f"{name}_scale"], [name]))
        tensor.CopyFrom(numpy_helper.from_array(codes, f"{name}_codes"))
        model.graph.initializer.append(numpy_helper.from_array(scale.astype(np.float32), f"{name}_scale"))
    nodes = new + list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return worst


def sort_nodes(model: onnx.ModelProto) -> None:
    """Order nodes as a walk from the outputs meets them, attributes by name: tf2onnx orders them anew in each run."""
    producers = {output: node for node in model.graph.node for output in node.output}
    done: set[int] = set()
    nodes: list[onnx.NodeProto] = []
    todo = [(producers[output.name], False) for output in reversed(model.graph.output)]
    while todo:
        node, inputs_done = todo.pop()
        if id(node) in done:
            continue
        if inputs_done:
            done.add(id(node))
            nodes.append(node)
            continue
        todo.append((node, True))
        todo.extend((producers[name], False) for name in reversed(node.input) if name in producers)
    for node in nodes:
        attributes = sorted(node.attribute, key=lambda attribute: attribute.name)
        del node.attribute[:]
        node.attribute.extend(attributes)
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def shorten_names(model: onnx.ModelProto) -> None:
    """Number the inner tensors and nodes, so that the bytes do not depend on the converter's counters."""
    public = {value.name for value in [*model.graph.input, *model.graph.output]}
    names: dict[str, str] = {"": ""}

    def short(name: str) -> str:
        return name if name in public else names.setdefault(name, f"t{len(names)}")

    for index, node in enumerate(model.graph.node):
        node.input[:] = [short(name) for name in node.input]
        node.output[:] = [short(name) for name in node.output]
        node.name = f"{node.op_type}_{index}"
    for tensor in model.graph.initializer:
        tensor.name = short(tensor.name)
    ordered = sorted(model.graph.initializer, key=lambda tensor: int(tensor.name[1:]))
    del model.graph.initializer[:]
    model.graph.initializer.extend(ordered)


def label(model: onnx.ModelProto, producer: str, note: str) -> None:
    """Who made the file and from what; no date, no path, so that the same input gives the same bytes."""
    model.producer_name, model.producer_version, model.doc_string = producer, "", note
    model.graph.name, model.graph.doc_string = producer, ""
    del model.metadata_props[:]
    for node in model.graph.node:
        node.doc_string = ""
    model.ir_version = 8
    onnx.checker.check_model(model)
