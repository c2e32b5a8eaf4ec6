"""A real .onnx file goes through the real session: what the graph says is what is read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from vnect_dots import METADATA, SIDE, J, frame

onnx = pytest.importorskip("onnx")

import onnxruntime  # noqa: E402

from posewire.errors import DeviceError, ModelError  # noqa: E402
from posewire.methods import MethodOptions  # noqa: E402
from posewire_vnect.estimator import open_vnect  # noqa: E402
from posewire_vnect.names import INPUT, OUTPUTS, PATCH  # noqa: E402
from posewire_vnect.window import Window  # noqa: E402

RNG = np.random.default_rng(0)
SAID = {
    "peaks_cells": RNG.uniform(4, 27, (J, 2)).astype(np.float32),
    "confidence": RNG.uniform(0.5, 1, J).astype(np.float32),
    "patch_corner_cells": RNG.integers(0, 27, (J, 2)),
    "patches_m": RNG.normal(size=(J, 3, PATCH, PATCH)).astype(np.float32),
}


def write(path: Path, side: int = SIDE, **metadata: str) -> Path:
    """A network that says SAID of every picture."""
    helper = onnx.helper
    nodes = [helper.make_node("Shape", [INPUT], ["batch"], start=0, end=1)]
    constants, outputs = [], []
    for name in OUTPUTS:
        value = SAID[name][None]
        constants += [onnx.numpy_helper.from_array(value, f"{name}_value")]
        constants += [onnx.numpy_helper.from_array(np.array(value.shape[1:], np.int64), f"{name}_shape")]
        nodes += [helper.make_node("Concat", ["batch", f"{name}_shape"], [f"{name}_full"], axis=0)]
        nodes += [helper.make_node("Expand", [f"{name}_value", f"{name}_full"], [name])]
        kind = helper.np_dtype_to_tensor_dtype(value.dtype)
        outputs += [helper.make_tensor_value_info(name, kind, ["batch", *value.shape[1:]])]
    image = helper.make_tensor_value_info(INPUT, onnx.TensorProto.FLOAT, ["batch", 3, side, side])
    model = helper.make_model(helper.make_graph(nodes, "said", [image], outputs, constants), ir_version=8)
    del model.opset_import[:]
    model.opset_import.append(helper.make_opsetid("", 17))
    for key, value in (METADATA | metadata).items():
        model.metadata_props.add(key=key, value=value)
    onnx.save(model, path)
    return path


@pytest.mark.parametrize("name", ["confidence", "patches_m"])
def test_a_network_whose_training_diverged_is_named_not_taken_for_one_that_sees_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setitem(SAID, name, np.where(np.arange(J).reshape(-1, *[1] * (SAID[name].ndim - 1)) == 3, np.nan, SAID[name]))
    estimator = open_vnect(MethodOptions(threads=1), model=write(tmp_path / "nan.onnx"))
    with pytest.raises(ModelError, match=f"does not work(.|\n)*NaN or infinity in {name}"):
        estimator.estimate(frame(np.zeros((240, 320, 3), np.uint8)))
    estimator.close()


def test_what_the_file_says_comes_out_for_every_window(tmp_path: Path) -> None:
    estimator = open_vnect(MethodOptions(threads=1), model=write(tmp_path / "said.onnx"))
    windows = [Window(100.0, 100, 150), Window(200.0, 100, 90, 0.5)]
    for window, sight in zip(windows, estimator._net.look(frame(np.zeros((240, 320, 3), np.uint8)), windows), strict=True):
        assert sight.window == window
        for name in ("peaks_cells", "confidence", "patches_m"):
            np.testing.assert_array_equal(getattr(sight, name), SAID[name])
        np.testing.assert_array_equal(sight.corner_cells, SAID["patch_corner_cells"])
    estimator.close()
    with pytest.raises(ModelError, match="closed"):
        estimator.estimate(frame(np.zeros((240, 320, 3), np.uint8)))


def test_another_resolution_is_fine_when_the_file_says_so(tmp_path: Path) -> None:
    estimator = open_vnect(MethodOptions(threads=1), model=write(tmp_path / "small.onnx", 128, input_px="128"))
    assert estimator._net.input_px == 128
    estimator.close()


@pytest.mark.parametrize("metadata", [{"input_px": "368"}, {"posewire_version": "0"}, {"joints": "nose"}])
def test_a_file_that_is_not_what_it_should_be_is_refused(tmp_path: Path, metadata: dict[str, str]) -> None:
    with pytest.raises(ModelError, match="no VNect network that can be used"):
        open_vnect(MethodOptions(threads=1), model=write(tmp_path / "other.onnx", **metadata))


def test_another_networks_file_is_refused() -> None:
    with pytest.raises(ModelError, match="kind"):
        open_vnect(MethodOptions(threads=1), model="blazepose_lite")


@pytest.mark.skipif("CUDAExecutionProvider" in onnxruntime.get_available_providers(), reason="this machine has CUDA")
def test_an_absent_gpu_is_an_error_with_the_command_to_type(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="onnxruntime-gpu"):
        open_vnect(MethodOptions("gpu"), model=write(tmp_path / "said.onnx"))


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="missing"):
        open_vnect(MethodOptions(threads=1), model=tmp_path / "nowhere.onnx")
