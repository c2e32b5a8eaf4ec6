"""Read a tfjs graph model (model.json + one weight file) as a TensorFlow GraphDef, for tf2onnx."""

import json
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf import json_format

# tfjs stores half-precision weights under "quantization"; the graph computes in float32.
STORED = {"float16": np.float16, "float32": np.float32, "int32": np.int32}


def read_weights(manifest: list[dict[str, Any]], blob: bytes) -> dict[str, np.ndarray]:
    """Weights by node name, in the dtype the graph computes in."""
    weights: dict[str, np.ndarray] = {}
    offset = 0
    for entry in (w for group in manifest for w in group["weights"]):
        stored = np.dtype(STORED[entry.get("quantization", entry)["dtype"]])
        count = int(np.prod(entry["shape"], dtype=np.int64))
        values = np.frombuffer(blob, stored, count, offset)
        weights[entry["name"]] = values.astype(STORED[entry["dtype"]]).reshape(entry["shape"])
        offset += count * stored.itemsize
    if offset != len(blob):
        raise ValueError(f"the manifest describes {offset} bytes of weights, the file has {len(blob)}")
    return weights


def unfuse(node: tf.compat.v1.NodeDef, graph: tf.compat.v1.GraphDef) -> None:
    """Replace tfjs's fused convolution by convolution + BiasAdd + activation: the last keeps the node's name."""
    steps = [step.decode() for step in node.attr["fused_ops"].list.s]
    inputs = list(node.input)
    if not set(steps) <= {"BiasAdd", "Relu", "Relu6"} or len(inputs) != 2 + ("BiasAdd" in steps):
        raise ValueError(f"{node.name}: fused operations {steps} are not known here")
    convolution = graph.node.add()
    convolution.CopyFrom(node)
    convolution.op = "Conv2D" if node.op == "_FusedConv2D" else "DepthwiseConv2dNative"
    for name in set(convolution.attr) - {"T", "strides", "padding", "data_format", "dilations", "explicit_paddings"}:
        del convolution.attr[name]
    del convolution.input[2:]
    previous = convolution
    for step in steps:
        previous.name = f"{node.name}/before_{step}"
        following = graph.node.add(op=step, input=[previous.name, *(inputs[2:] if step == "BiasAdd" else [])])
        following.attr["T"].CopyFrom(node.attr["T"])
        if step == "BiasAdd":
            following.attr["data_format"].CopyFrom(node.attr["data_format"])
        previous = following
    previous.name = node.name


def read_graph(model_json: bytes, blob: bytes) -> tf.compat.v1.GraphDef:
    """The GraphDef of a tfjs graph model, its constants filled in."""
    model = json.loads(model_json)
    weights = read_weights(model["weightsManifest"], blob)
    parsed = json_format.ParseDict({"node": model["modelTopology"]["node"]}, tf.compat.v1.GraphDef())
    graph = tf.compat.v1.GraphDef()
    for node in parsed.node:
        if node.op in ("_FusedConv2D", "FusedDepthwiseConv2dNative"):
            unfuse(node, graph)
            continue
        if node.op == "Const":
            dtype = tf.as_dtype(node.attr["dtype"].type)  # int64 is stored as int32
            node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(weights[node.name].astype(dtype.as_numpy_dtype)))
        graph.node.add().CopyFrom(node)
    return graph
