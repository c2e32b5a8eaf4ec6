"""NanoDet-g 416 (RangiLyu, Apache-2.0) cut down to one class: the graph of person_detector.onnx.

    scores_a       = sigmoid(class logit of "person")                       one a for each cell of strides 8, 16, 32
    distances_a,s  = stride * sum_k k * softmax(logits_a,s)_k, k = 0..10    s = left, top, right, bottom

Li et al. 2020 (Generalized Focal Loss), equation 6, is the second line.
"""

import json

import numpy as np
import onnx
import onnx_cleanup as clean
import tensorflow as tf
import tf2onnx
from from_tfjs import read_graph
from onnx import helper, numpy_helper

STRIDES = (8, 16, 32)
BINS = 11  # reg_max 10
CLASSES = 80
# NanoDet is trained on B, G, R with ImageNet statistics in 0..255; here the caller gives R, G, B in 0..1.
MEAN_RGB = np.array([123.675, 116.28, 103.53], np.float32)
STD_RGB = np.array([58.395, 57.12, 57.375], np.float32)


def cell_centres_px(height: int, width: int) -> np.ndarray:
    """(A, 2) x, y of the cells in the order of the outputs; height and width are multiples of 32."""
    centres: list[np.ndarray] = []
    for stride in STRIDES:
        x, y = np.meshgrid(np.arange(width // stride), np.arange(height // stride))
        centres.append((np.stack([x, y], -1).reshape(-1, 2) + 0.5) * stride)
    return np.concatenate(centres)


def convert_tfjs(model_json: bytes, blob: bytes, opset: int) -> onnx.ModelProto:
    """A tfjs graph model as ONNX, nothing changed."""
    signature = json.loads(model_json)["signature"]
    graph = read_graph(model_json, blob)
    for node in graph.node:
        if node.op == "Placeholder" and node.attr["dtype"].type == tf.int32:  # MoveNet takes any multiple of 32
            node.attr["shape"].shape.CopyFrom(tf.TensorShape([1, None, None, 3]).as_proto())
    outputs = [entry["name"].split(":")[0] + ":0" for entry in signature["outputs"].values()]
    inputs = [node.name + ":0" for node in graph.node if node.op == "Placeholder"]
    model, _ = tf2onnx.convert.from_graph_def(graph, input_names=inputs, output_names=outputs, opset=opset)
    return model


def head_convolutions(model: onnx.ModelProto) -> list[onnx.NodeProto]:
    """The three last convolutions (class and box logits together), finest stride first.

    Their outputs alone are split; the graph names them from the coarsest (made last, listed first) or any other order,
    so the order comes from the number of cells in the output that each one feeds.
    """
    cells = {output.name: output.type.tensor_type.shape.dim[1].dim_value for output in model.graph.output}
    users: dict[str, list[onnx.NodeProto]] = {}
    for node in model.graph.node:
        for name in node.input:
            users.setdefault(name, []).append(node)

    def cells_behind(name: str) -> int:
        return cells.get(name) or max(cells_behind(out) for node in users[name] for out in node.output)

    split = [node.input[0] for node in model.graph.node if node.op_type == "Split"]
    heads = [node for node in model.graph.node if node.op_type == "Conv" and node.output[0] in split]
    return sorted(heads, key=lambda head: cells_behind(head.output[0]), reverse=True)


def keep_person(model: onnx.ModelProto, head: onnx.NodeProto) -> None:
    """Keep the class filter of "person" (COCO's first) and the box filters of one head."""
    for name in head.input[1:]:
        tensor = clean.initializers(model)[name]
        values = numpy_helper.to_array(tensor)
        tensor.CopyFrom(numpy_helper.from_array(np.concatenate([values[:1], values[CLASSES:]]), name))


def decode_head(model: onnx.ModelProto, head: onnx.NodeProto, stride: int) -> tuple[str, str]:
    """Append the two equations above for one stride; returns the names of its scores and distances."""

    def constant(name: str, values: np.ndarray) -> str:
        model.graph.initializer.append(numpy_helper.from_array(values, f"{name}_{stride}"))
        return f"{name}_{stride}"

    def add(operation: str, inputs: list[str], outputs: list[str], **attributes: int) -> list[str]:
        names = [f"{name}_{stride}" for name in outputs]
        model.graph.node.append(helper.make_node(operation, inputs, names, **attributes))
        return names

    sizes = constant("sizes", np.array([1, 4 * BINS], np.int64))
    logit, bins = add("Split", [head.output[0], sizes], ["logit", "bins"], axis=1)
    flat = add("Reshape", [logit, constant("flat_shape", np.array([1, -1], np.int64))], ["flat"])
    scores = add("Sigmoid", flat, ["cell_scores"])
    grouped = add("Reshape", [bins, constant("bins_shape", np.array([1, 4, BINS, -1], np.int64))], ["grouped"])
    shares = add("Softmax", grouped, ["shares"], axis=2)
    steps = (np.arange(BINS, dtype=np.float32) * stride).reshape(1, 1, BINS, 1)
    weighted = add("Mul", [*shares, constant("steps", steps)], ["weighted"])
    axes = constant("axes", np.array([2], np.int64))
    distances = add("ReduceSum", [*weighted, axes], ["cell_distances"], keepdims=0)
    return scores[0], distances[0]


def take_rgb_input(model: onnx.ModelProto) -> None:
    """Input becomes R, G, B in 0..1 of any height and width; the first kernel's channels turn round for it."""
    clean.rename(model, clean.replace_input(model, "image", [1, 3, "height", "width"]), "image")
    kernel = next(node.input[1] for node in model.graph.node if node.op_type == "Conv")
    tensor = clean.initializers(model)[kernel]
    tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor)[:, ::-1].copy(), kernel))
    clean.scale_input(model, 255 / STD_RGB, -MEAN_RGB / STD_RGB)


def distances_px(logits: np.ndarray) -> np.ndarray:
    """What decode_head's nodes compute, on one stride's box logits (cells, 44) of a 416x416 picture, as a yardstick."""
    stride = round(416 / len(logits) ** 0.5)
    grouped = np.exp(logits.reshape(-1, 4, BINS).astype(np.float64))
    return (grouped @ np.arange(BINS)) / grouped.sum(-1) * stride


def build(model_json: bytes, blob: bytes, opset: int) -> onnx.ModelProto:
    """The person detector in float32: image -> scores (1, A), distances_px (1, 4, A)."""
    model = convert_tfjs(model_json, blob, opset)
    heads = head_convolutions(model)
    for head in heads:
        keep_person(model, head)
    parts = [decode_head(model, head, stride) for head, stride in zip(heads, STRIDES, strict=True)]
    del model.graph.output[:]
    for name, names, axis in (("scores", [p[0] for p in parts], 1), ("distances_px", [p[1] for p in parts], 2)):
        model.graph.node.append(helper.make_node("Concat", names, [name], axis=axis))
        shape = [1, "cells"] if axis == 1 else [1, 4, "cells"]
        model.graph.output.append(helper.make_tensor_value_info(name, clean.FLOAT32, shape))
    take_rgb_input(model)
    clean.fold_pads(model)
    return model
