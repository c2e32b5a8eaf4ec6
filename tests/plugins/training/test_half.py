"""float16: what computes in it and what does not, of float and of int8 files, and of those that ship; how long files take."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="networks need torch: pip install 'posewire[train]'")
onnx = pytest.importorskip("onnx", reason="reading ONNX needs onnx: pip install 'posewire[train]'")
from torch import nn  # noqa: E402

import posewire_models  # noqa: E402
from posewire.errors import SettingsError  # noqa: E402
from posewire.methods import MethodOptions  # noqa: E402
from posewire.runtime import open_session  # noqa: E402
from posewire.testing import pictures  # noqa: E402
from posewire_training import half, onnx_export, static_eight_bits, times  # noqa: E402
from posewire_vnect.estimator import open_vnect  # noqa: E402
from posewire_xnect.estimator import open_xnect  # noqa: E402

SAID = {"posewire_kind": "a test"}


class Net(nn.Module):
    """Convolutions of two strides, one of them behind a sum, and what a read-out does."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.deep = nn.Conv2d(3, 8, 3, 2, 1), nn.Conv2d(8, 8, 3, 2, 1)
        self.last = nn.Conv2d(8, 4, 1)

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        fine = self.first(image).relu()
        coarse = nn.functional.interpolate(self.deep(fine).relu(), scale_factor=2.0, mode="bilinear")
        maps = self.last(fine + coarse)
        return maps.flatten(2).amax(2), 4097.0 * maps.flatten(2).softmax(2)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The net as float, int8 and the float16 variants of both."""
    folder = tmp_path_factory.mktemp("half")
    torch.manual_seed(0)
    images = [np.random.default_rng(k).random((1, 3, 32, 48), dtype=np.float32) for k in range(6)]
    paths = {name: folder / f"{name}.onnx" for name in ("float", "int8", "half", "half_of_int8")}
    onnx_export.export(Net(), {"image": torch.from_numpy(np.concatenate(images[:2]))}, ["tops", "maps"], paths["float"])
    model = onnx.load(paths["float"])
    onnx.helper.set_model_props(model, SAID)
    onnx.save(model, paths["float"])
    static_eight_bits.quantize(paths["float"], paths["int8"], images)
    for name, of in (("half", "float"), ("half_of_int8", "int8")):
        assert half.main([str(paths[of]), "--to", str(paths[name])]) == 0
    return paths


def said(path: Path, image: np.ndarray) -> dict[str, np.ndarray]:
    session = open_session(path, threads=1)
    assert dict(session.metadata) == SAID
    outputs = session.run({"image": image})
    session.close()
    return outputs


def kinds(path: Path) -> dict[str, set[int]]:
    """Operation to the types of what it reads, without weights' shapes and such."""
    model = onnx.shape_inference.infer_shapes(onnx.load(path))
    types = {value.name: value.type.tensor_type.elem_type for value in (*model.graph.value_info, *model.graph.input)}
    return {node.op_type: {types[name] for name in node.input if name in types} for node in model.graph.node}


def test_convolutions_and_what_leads_to_them_are_float16_and_the_read_out_is_not(files: dict[str, Path]) -> None:
    found, single, narrow = kinds(files["half"]), onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16
    assert found["Conv"] == found["Relu"] == found["Resize"] == found["Add"] == {narrow}
    assert found["Softmax"] == found["ReduceMax"] == {single}
    weights = {tensor.data_type for tensor in onnx.load(files["half"]).graph.initializer if len(tensor.dims) == 4}
    assert weights == {narrow}
    assert kinds(files["float"])["Conv"] == {single}


def test_it_says_nearly_what_float32_says_and_not_quite(files: dict[str, Path]) -> None:
    image = np.random.default_rng(9).random((2, 3, 32, 48), dtype=np.float32)
    before, after = said(files["float"], image), said(files["half"], image)
    for name, value in before.items():
        assert after[name].dtype == np.float32
        np.testing.assert_allclose(after[name], value, rtol=5e-3, atol=5e-3)
    assert np.abs(after["maps"] - before["maps"]).max() > 0


def test_of_int8_the_steps_go_and_their_limits_stay(files: dict[str, Path]) -> None:
    operations = {node.op_type for node in onnx.load(files["half_of_int8"]).graph.node}
    assert not {"QuantizeLinear", "DequantizeLinear"} & operations
    assert "Relu" not in {node.op_type for node in onnx.load(files["int8"]).graph.node}  # so the limits are what is left of it
    far = 3.0 * np.random.default_rng(9).random((1, 3, 32, 48), dtype=np.float32) - 1.0  # beyond what calibration saw
    small, after, plain = (said(files[name], far)["tops"] for name in ("int8", "half_of_int8", "float"))
    assert np.abs(after - small).max() < 0.2 * np.abs(plain - small).max()


def test_what_has_no_convolution_or_is_no_network_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stage_two, text = posewire_models.model_path("xnect_stage2"), tmp_path / "text.onnx"
    text.write_text("nothing")
    for path, problem in ((stage_two, "no convolution"), (text, "cannot be opened"), (tmp_path / "none.onnx", "missing")):
        assert half.main([str(path), "--to", str(tmp_path / "half.onnx")]) == 2
        assert problem in capsys.readouterr().err
    assert not (tmp_path / "half.onnx").exists()


def test_the_files_that_ship_see_the_same_in_float16(tmp_path: Path) -> None:
    for name in ("vnect", "xnect_stage1"):
        half.halve(posewire_models.model_path(name), tmp_path / f"{name}.onnx")
    frame = pictures.frame(pictures.clip_images(1)[0])
    options = MethodOptions(threads=1)
    pairs = [
        (open_vnect(options), open_vnect(options, model=tmp_path / "vnect.onnx"), 0.5, 2e-3),
        (open_xnect(options), open_xnect(options, (tmp_path / "xnect_stage1.onnx", "xnect_stage2")), 8.0, 0.05),
    ]
    for before, after, apart_px, apart_m in pairs:
        was, found = before.estimate(frame), after.estimate(frame)
        assert was.people == found.people == 1
        assert np.nanmedian(np.linalg.norm(found.keypoints_px - was.keypoints_px, axis=-1)) < apart_px
        assert np.nanmedian(np.linalg.norm(found.keypoints_m - was.keypoints_m, axis=-1)) < apart_m
        before.close()
        after.close()


def test_files_are_timed_beside_each_other(files: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert times.main([str(files["float"]), str(files["half"]), "--size", "48x32", "--threads", "1"]) == 0
    heading, first, second = (line.split() for line in capsys.readouterr().out.splitlines() if line.strip())
    assert heading[-4:] == ["ms,", "1", "thread", "times"]
    assert first[0] == "float" and float(first[-1]) == 1.0 and second[0] == "half" and float(second[-2]) > 0


def test_a_size_that_is_none_and_a_device_that_is_not_there_are_refused(
    files: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    for text in ("512", "0x5", "ax5"):
        with pytest.raises(SettingsError, match="width and height"):
            times.size_of(text)
    assert times.main([str(files["float"]), "--size", "512"]) == 2
    assert "--size 512x320" in capsys.readouterr().err
