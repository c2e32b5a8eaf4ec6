"""Networks are opened on the device that was asked for or not at all, and a bundled file is the file that was measured."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import tiny_onnx

import posewire_models
from posewire import runtime
from posewire.errors import DeviceError, ModelError

HAS_CUDA = "CUDAExecutionProvider" in onnxruntime.get_available_providers()


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return tiny_onnx.write(tmp_path / "tiny.onnx")


def test_a_network_runs_and_says_what_it_takes_and_gives(tiny: Path) -> None:
    session = runtime.open_session(tiny)
    assert session.inputs == (runtime.Tensor("x", (None, 3), "tensor(float)"),)
    assert session.outputs == (runtime.Tensor("y", (None, 3), "tensor(float)"),)
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.testing.assert_array_equal(session.run({"x": x})["y"], x + x)


def test_a_network_says_what_its_file_says_of_itself(tmp_path: Path) -> None:
    session = runtime.open_session(tiny_onnx.write(tmp_path / "told.onnx", posewire_kind="tiny", posewire_version="1"))
    assert session.metadata == {"posewire_kind": "tiny", "posewire_version": "1"}


def test_rows_may_change_from_run_to_run_and_results_are_not_overwritten(tiny: Path) -> None:
    session = runtime.open_session(tiny, threads=1)
    first = session.run({"x": np.ones((1, 3), np.float32)})["y"]
    second = session.run({"x": np.full((4, 3), 7, np.float32)})["y"]
    assert second.shape == (4, 3)
    np.testing.assert_array_equal(first, np.full((1, 3), 2.0))


def test_an_input_that_is_not_contiguous_gives_the_same_result(tiny: Path) -> None:
    x = np.arange(12, dtype=np.float32).reshape(3, 4)[:, 1:].T[::-1]
    np.testing.assert_array_equal(runtime.open_session(tiny).run({"x": x})["y"], x + x)


def test_every_bundled_network_opens_with_the_recorded_contents() -> None:
    for name, card in posewire_models.cards().items():
        if card.bundled:
            session = runtime.open_session(name, threads=1)
            assert session.inputs and session.outputs
            session.close()


def test_a_bundled_network_gives_finite_numbers_for_a_grey_picture() -> None:
    session = runtime.open_session("blazepose_lite", threads=1)
    (image,) = session.inputs
    shape = [length or 1 for length in image.shape]
    outputs = session.run({image.name: np.full(shape, 0.5, np.float32)})
    assert all(np.isfinite(array).all() for array in outputs.values())


def test_close_may_be_called_twice_and_a_closed_network_does_not_run(tiny: Path) -> None:
    session = runtime.open_session(tiny)
    session.close()
    session.close()
    with pytest.raises(ModelError, match="closed"):
        session.run({"x": np.zeros((1, 3), np.float32)})


@pytest.mark.parametrize(
    "inputs",
    [
        pytest.param({}, id="missing"),
        pytest.param({"z": np.zeros((1, 3), np.float32)}, id="another name"),
        pytest.param({"x": np.zeros((1, 4), np.float32)}, id="shape"),
        pytest.param({"x": np.zeros((3,), np.float32)}, id="rank"),
        pytest.param({"x": np.zeros((1, 3))}, id="float64"),
    ],
)
def test_a_wrong_input_is_refused_with_what_is_allowed(tiny: Path, inputs: dict[str, np.ndarray]) -> None:
    with pytest.raises(ModelError, match=r"allowed: x tensor\(float\) \(any, 3\)"):
        runtime.open_session(tiny).run(inputs)


@pytest.mark.parametrize("contents", [b"", b"<!DOCTYPE html>", b"\x00" * 4096])
def test_a_file_that_is_no_network_is_refused(tmp_path: Path, contents: bytes) -> None:
    path = tmp_path / "page.onnx"
    path.write_bytes(contents)
    with pytest.raises(ModelError, match=r"page\.onnx cannot be opened"):
        runtime.open_session(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"nothing\.onnx is missing"):
        runtime.open_session(tmp_path / "nothing.onnx")


@pytest.fixture
def copied_models(tmp_path: Path) -> Path:
    """A copy of the package posewire_models with its smallest landmark net only."""
    package = tmp_path / "posewire_models"
    others = shutil.ignore_patterns("*full*", "*heavy*", "*detector*.onnx")
    return Path(shutil.copytree(Path(posewire_models.__file__).parent, package, ignore=others))


def open_in_a_process_of_its_own(name: str, models: Path) -> str:
    """What a fresh Python that finds that copy of the models says when it opens the network."""
    code = f"from posewire import runtime; runtime.open_session({name!r})"
    environment = {**os.environ, "PYTHONPATH": str(models.parent)}
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True).stderr


def test_a_missing_bundled_file_is_refused_with_what_to_type(copied_models: Path) -> None:
    said = open_in_a_process_of_its_own("blazepose_full", copied_models)
    assert "ModelError" in said and "blazepose_full.onnx is missing" in said
    assert runtime.REINSTALL_COMMAND in said


def test_an_unknown_model_name_lists_the_names() -> None:
    with pytest.raises(ModelError, match=r"blazepose_huge(.|\n)*allowed: .*blazepose_full"):
        runtime.open_session("blazepose_huge")


def test_a_changed_bundled_file_is_refused_with_both_sums_and_what_to_type(copied_models: Path) -> None:
    assert open_in_a_process_of_its_own("blazepose_lite", copied_models) == ""
    changed = copied_models / "blazepose_lite.onnx"
    changed.write_bytes(changed.read_bytes()[:-1] + b"!")
    said = open_in_a_process_of_its_own("blazepose_lite", copied_models)
    expected = posewire_models.cards()["blazepose_lite"].sha256
    assert "ModelError" in said and str(changed.name) in said
    assert f"sha256 {expected}" in said and f"sha256 {posewire_models.sha256_of(changed)}" in said
    assert runtime.REINSTALL_COMMAND in said


def test_an_unknown_device_is_refused(tiny: Path) -> None:
    with pytest.raises(DeviceError, match="allowed: cpu, gpu"):
        runtime.open_session(tiny, "tpu")  # type: ignore[arg-type]


@pytest.mark.skipif(HAS_CUDA, reason="this machine has CUDA")
def test_an_absent_gpu_is_an_error_that_prints_the_exact_command(tiny: Path) -> None:
    with pytest.raises(DeviceError) as caught:
        runtime.open_session(tiny, "gpu")
    assert "pip install --force-reinstall --no-deps onnxruntime-gpu" in str(caught.value).split("\n")[-1]
    assert "CPUExecutionProvider" in str(caught.value)


@pytest.mark.skipif(not HAS_CUDA, reason="needs a GPU and onnxruntime-gpu")
def test_the_gpu_agrees_with_the_cpu() -> None:
    sessions = [runtime.open_session("blazepose_lite", device) for device in ("cpu", "gpu")]
    (image,) = sessions[0].inputs
    x = np.random.default_rng(0).random([length or 1 for length in image.shape], dtype=np.float32)
    cpu, gpu = (session.run({image.name: x}) for session in sessions)
    for name, values in cpu.items():
        np.testing.assert_allclose(gpu[name], values, rtol=1e-2, atol=1e-2 * np.abs(values).max())


@pytest.mark.parametrize("module", ["posewire.runtime", "posewire_training.features"])
def test_onnxruntime_reports_nobody_to_its_maker(tmp_path: Path, module: str) -> None:
    """Its own builds write who this machine is into a folder at home, before they send it."""
    if module == "posewire_training.features":
        pytest.importorskip("onnx", reason="SKIPPED LOUDLY: onnx is not installed (pip install 'posewire[train]')")
    code = f"import os, {module}; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    at_home = {name: str(tmp_path) for name in ("HOME", "XDG_CACHE_HOME", "LOCALAPPDATA", "APPDATA")}
    told = {key: value for key, value in os.environ.items() if key != "ORT_DISABLE_TELEMETRY"} | at_home
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=told, check=True)
    assert ran.stdout.strip() == "1"
    assert not list(tmp_path.rglob("*onnxruntime*"))
