"""Static int8: which operations are quantised. What a quantised network says is tested where there is one (XNect)."""

from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="networks need torch: pip install 'posewire[train]'")
onnx = pytest.importorskip("onnx", reason="reading ONNX needs onnx: pip install 'posewire[train]'")

from posewire_training import static_eight_bits  # noqa: E402


def test_what_float_operations_write_or_read_stays_float_and_so_do_sums_and_the_last_convolution() -> None:
    node, graph = onnx.helper.make_node, onnx.GraphProto()
    graph.node.extend(
        [
            node("Conv", ["x", "w"], ["a"], name="first"),
            node("Conv", ["a", "w"], ["l"], name="logits"),
            node("Concat", ["l", "l"], ["both"], name="read by a float one, too", axis=1),
            node("Sigmoid", ["both"], ["s"], name="float"),
            node("Relu", ["both"], ["r"], name="only a convolution reads it"),
            node("Conv", ["r", "w"], ["b"], name="second"),
            node("Relu", ["b"], ["d"], name="between convolutions"),
            node("Conv", ["d", "w"], ["e"], name="third"),
            node("Conv", ["s", "w"], ["alone"], name="between float ones"),
            node("Add", ["e", "alone"], ["c"], name="sum"),
            node("Conv", ["c", "w"], ["y"], name="last"),
            node("TopK", ["y", "k"], ["t", "i"], name="read-out"),
        ]
    )
    assert static_eight_bits.quantised_nodes(graph) == ["second", "between convolutions", "third"]
    graph.node[3].input[0] = "elsewhere"
    first = ["first", "logits", "read by a float one, too", "only a convolution reads it"]
    assert static_eight_bits.quantised_nodes(graph)[:4] == first
    assert static_eight_bits.quantised_nodes(graph, begin=2)[:2] == ["second", "between convolutions"]
