"""Before int8: channels of one size, and weights rounded together. The networks are small ones of ONNX nodes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="int8 needs onnx: pip install 'posewire[train]'")

from posewire.errors import ModelError  # noqa: E402
from posewire_training.equalizing import equalize  # noqa: E402
from posewire_training.features import features  # noqa: E402
from posewire_training.weight_rounding import STEPS, round_weights, rounded  # noqa: E402

SIZES = np.array([10.0, 1.0, 0.1, 0.01, 5.0, 0.05, 1.0, 0.5], np.float32)
RNG = np.random.default_rng(0)
IMAGES = [RNG.random((1, 3, 12, 16), dtype=np.float32) for _ in range(3)]


def weights(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype(np.float32)


def network(**first: Any) -> Any:
    """Picture to 8 channels of very different sizes; what a second convolution makes of them is added; a third reads the sum."""
    node, info = onnx.helper.make_node, onnx.helper.make_tensor_value_info
    pads = {"pads": [1, 1, 1, 1]}
    nodes = [
        node("Conv", ["image", "w1", "b1"], ["a"], name="one", **(first or pads)),
        node("Relu", ["a"], ["r"], name="relu"),
        node("Conv", ["r", "w2"], ["b"], name="two", group=8, **pads),
        node("Add", ["r", "b"], ["sum"], name="sum"),
        node("Conv", ["sum", "w3"], ["y"], name="three", group=2, strides=[2, 2], **pads),
    ]
    made = {"w1": weights(8, 3, 3, 3) * SIZES[:, None, None, None], "b1": 20 * SIZES, "w2": weights(8, 1, 3, 3)}
    made["w3"] = weights(4, 4, 3, 3)
    tensors = [onnx.numpy_helper.from_array(value, name) for name, value in made.items()]
    ends = [[info(name, onnx.TensorProto.FLOAT, [1, channels, None, None])] for name, channels in (("image", 3), ("y", 4))]
    graph = onnx.helper.make_graph(nodes, "net", *ends, tensors)
    return onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=10)


def said(model: Any, name: str = "y") -> np.ndarray:
    return np.concatenate([found[name] for found in features(model, [name], IMAGES)])


def tensor(model: Any, name: str) -> np.ndarray:
    return onnx.numpy_helper.to_array(next(value for value in model.graph.initializer if value.name == name))


def test_the_network_says_the_same_of_channels_that_are_nearer_one_size() -> None:
    model = network()
    before = said(model)
    equalize(model, ["one", "relu", "two", "three"], IMAGES)
    np.testing.assert_allclose(said(model), before, atol=1e-4 * np.abs(before).max())
    for node in (node for node in model.graph.node if node.name in ("two", "three")):
        sizes = np.abs(said(model, node.input[0])).max((0, 2, 3))
        assert sizes.max() / sizes.min() < 100 < SIZES.max() / SIZES.min()


def test_a_sum_reads_what_no_convolution_rounds() -> None:
    model = network()
    equalize(model, ["one", "relu", "two", "three"], IMAGES)
    read = {name for node in model.graph.node if node.op_type == "Conv" for name in node.input}
    added = next(node for node in model.graph.node if node.op_type == "Add")
    assert not read & set(added.input) and not read & set(added.output)


def test_nothing_changes_where_nothing_is_int8() -> None:
    model = network()
    before = model.SerializeToString()
    equalize(model, [], IMAGES)
    assert model.SerializeToString() == before


def test_weights_lie_on_127_steps_of_the_largest_of_their_filter() -> None:
    model = network()
    before = {name: tensor(model, name) for name in ("w1", "w2", "w3")}
    round_weights(model, ["one", "two", "three"], IMAGES)
    for name, old in before.items():
        step = np.abs(old).max((1, 2, 3), keepdims=True) / STEPS
        codes = tensor(model, name) / step
        np.testing.assert_allclose(codes, np.rint(codes), atol=1e-3)
        assert (np.abs(codes).max((1, 2, 3)) > STEPS - 0.01).all()
        assert 0 < np.abs(codes - old / step).max() < 20


def test_what_is_rounded_together_says_more_nearly_the_same_than_each_to_the_nearest() -> None:
    hidden = RNG.random((4000, 3))
    inputs = hidden @ RNG.random((3, 20)) + 0.05 * RNG.random((4000, 20))  # positive, and they go together
    filters = RNG.normal(size=(6, 20))
    step = np.abs(filters).max(1, keepdims=True) / STEPS
    together = rounded(filters, np.cov(inputs.T))
    nearest = np.rint(filters / step) * step
    off = [np.std(inputs @ (after - filters).T, axis=0).mean() for after in (together, nearest)]
    assert off[0] < 0.5 * off[1]


def test_the_mean_of_an_answer_stays_and_a_bias_appears_where_there_was_none() -> None:
    model = network()
    before = said(model)
    round_weights(model, ["three"], IMAGES)
    assert len(model.graph.node[-1].input) == 3
    after = said(model)
    assert np.abs(after - before).max() > 0
    assert np.abs(after.mean((0, 2, 3)) - before.mean((0, 2, 3))).max() < 1e-5 * np.abs(before).max()


def test_a_dilated_convolution_is_refused() -> None:
    with pytest.raises(ModelError, match="dilated"):
        round_weights(network(dilations=[2, 2], pads=[2, 2, 2, 2]), ["one"], IMAGES)
