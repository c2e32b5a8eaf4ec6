"""A foreign ONNX network as a torch module: it says what ONNX Runtime says, and may learn."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="networks need torch: pip install 'posewire[train]'")
onnx = pytest.importorskip("onnx", reason="reading ONNX needs onnx: pip install 'posewire[train]'")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from posewire.errors import ModelError  # noqa: E402
from posewire_training import onnx_export, onnx_graph  # noqa: E402


def written(path: Path, last: str = "Sigmoid") -> Path:
    """A net with what MoveNet and BlazePose have: unequal padding, depthwise kernels, weights stored small, growth, pooling."""
    rng = np.random.default_rng(0)
    whole, scale = rng.integers(-127, 128, (8, 3, 3, 3)).astype(np.int8), rng.random((8, 1, 1, 1)).astype(np.float32) / 127
    constants = {
        "codes": whole,
        "scale": scale,
        "bias": rng.random(8).astype(np.float32),
        "half": rng.normal(size=(8, 1, 3, 3)).astype(np.float16),
        "low": np.array(0.0, np.float32),
        "high": np.array(6.0, np.float32),
        "twice": np.array([1, 1, 2, 2], np.float32),
        "gain": np.array(2.0, np.float32),
    }
    nodes = [
        helper.make_node("Mul", ["image", "gain"], ["scaled"]),
        helper.make_node("Cast", ["codes"], ["cast"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["cast", "scale"], ["kernel"]),
        helper.make_node("Conv", ["scaled", "kernel", "bias"], ["first"], strides=[2, 2], pads=[0, 0, 1, 1]),
        helper.make_node("Clip", ["first", "low", "high"], ["clipped"]),
        helper.make_node("Cast", ["half"], ["depthwise"], to=TensorProto.FLOAT),
        helper.make_node("Conv", ["clipped", "depthwise"], ["second"], group=8, pads=[1, 1, 1, 1]),
        helper.make_node("MaxPool", ["second"], ["pooled"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Resize", ["pooled", "", "twice"], ["grown"], mode="linear"),
        helper.make_node("Add", ["grown", "clipped"], ["sum"]),
        helper.make_node(last, ["sum"], ["out"]),
    ]
    initializers = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 3, None, None])
    out = helper.make_tensor_value_info("out", TensorProto.FLOAT, ["batch", 8, None, None])
    graph = helper.make_graph(nodes, "net", [image], [out], initializers)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return path


def test_it_says_what_onnx_runtime_says_at_any_size(tmp_path: Path) -> None:
    path = written(tmp_path / "net.onnx")
    net = onnx_graph.read(path).eval()
    for shape in ((1, 3, 16, 24), (2, 3, 32, 32)):
        assert onnx_export.parity(net, {"image": torch.rand(shape)}, path) < 1e-5


def test_any_tensor_inside_can_be_asked_for_and_what_it_does_not_need_is_left_out(tmp_path: Path) -> None:
    net = onnx_graph.read(written(tmp_path / "net.onnx"), ["clipped"])
    (clipped,) = net(torch.rand(1, 3, 16, 16))
    assert clipped.shape == (1, 8, 8, 8) and clipped.min() >= 0 and clipped.max() <= 6
    assert len(net.layers) == 1


def reshaping(path: Path, asked: list[int]) -> Path:
    """image (B, 6, H, W) plus a constant of six channels (2, 3, 1, 1) that is brought to (0, -1, ...) before; then reshaped."""
    constants = {"apart": np.arange(6, dtype=np.float32).reshape(1, 2, 3, 1), "laid": [0, 6, 1, 1], "asked": asked}
    nodes = [
        helper.make_node("Reshape", ["apart", "laid"], ["channels"]),
        helper.make_node("Add", ["image", "channels"], ["sum"]),
        helper.make_node("Reshape", ["sum", "asked"], ["out"]),
    ]
    initializers = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 6, None, None])
    out = helper.make_tensor_value_info("out", TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "net", [image], [out], initializers)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return path


@pytest.mark.parametrize("asked", [[0, -1], [0, 0, -1], [-1, 3, 0]])
def test_nought_keeps_a_side_when_tensors_and_constants_are_reshaped(asked: list[int], tmp_path: Path) -> None:
    path = reshaping(tmp_path / "net.onnx", asked)
    assert onnx_export.parity(onnx_graph.read(path), {"image": torch.rand(2, 6, 4, 8)}, path) < 1e-6


def test_its_convolutions_learn(tmp_path: Path) -> None:
    net = onnx_graph.read(written(tmp_path / "net.onnx"))
    net(torch.rand(1, 3, 16, 16))[0].sum().backward()
    assert all(value.grad is not None and value.grad.abs().max() > 0 for value in net.parameters())


def test_parameters_have_the_same_names_whichever_outputs_are_asked_for(tmp_path: Path) -> None:
    path = written(tmp_path / "net.onnx")
    whole, part = (onnx_graph.read(path, outputs).state_dict() for outputs in (["out"], ["clipped"]))
    assert all(torch.equal(value, whole[name]) for name, value in part.items())


def test_a_copy_learns_without_its_original(tmp_path: Path) -> None:
    net = onnx_graph.read(written(tmp_path / "net.onnx"))
    copied = deepcopy(net)
    with torch.no_grad():
        for value in copied.parameters():
            value.zero_()
    image = torch.rand(1, 3, 16, 16)
    assert copied(image)[0].eq(0.5).all() and not net(image)[0].eq(0.5).all()


@pytest.mark.parametrize("told", [{"pads": [0, 0, 1, 1]}, {"auto_pad": "SAME_UPPER"}, {"ceil_mode": 1}])
def test_pooling_that_rounds_or_pads_is_refused(told: dict[str, Any], tmp_path: Path) -> None:
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 5, 5])
    out = helper.make_tensor_value_info("out", TensorProto.FLOAT, None)
    node = helper.make_node("MaxPool", ["image"], ["out"], kernel_shape=[2, 2], strides=[2, 2], **told)
    graph = helper.make_graph([node], "net", [image], [out])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), tmp_path / "net.onnx")
    with pytest.raises(ModelError, match="Only pooling"):
        onnx_graph.read(tmp_path / "net.onnx")


def test_what_is_not_known_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="Tanh"):
        onnx_graph.read(written(tmp_path / "tanh.onnx", "Tanh"))
    with pytest.raises(ModelError, match="no such tensor"):
        onnx_graph.read(written(tmp_path / "net.onnx"), ["nowhere"])
    (tmp_path / "no.onnx").write_bytes(b"not a network")
    with pytest.raises(ModelError, match="cannot be read"):
        onnx_graph.read(tmp_path / "no.onnx")
