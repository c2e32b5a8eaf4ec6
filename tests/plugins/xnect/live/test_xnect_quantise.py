"""int8: what is quantised and what is not, what the file says of itself, and that people are still found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="XNect's networks need torch: pip install 'posewire[train]'")
onnx = pytest.importorskip("onnx", reason="export needs onnx: pip install 'posewire[train]'")

from xnect_nets import SHORT, tiny  # noqa: E402

from posewire.runtime import open_session  # noqa: E402
from posewire_training import static_eight_bits  # noqa: E402
from posewire_xnect import int8_speed, quantise  # noqa: E402
from posewire_xnect.calibration import of_videos  # noqa: E402
from posewire_xnect.export import export_stage_one, export_stage_two  # noqa: E402
from posewire_xnect.networks import StageOneNet, StageTwoNet  # noqa: E402
from posewire_xnect.rows import WIDTH  # noqa: E402
from posewire_xnect.skeleton import J  # noqa: E402
from posewire_xnect.stage_two import StageTwo, StageTwoSettings  # noqa: E402

CLIP = Path(__file__).parents[4] / "core" / "posewire" / "assets" / "balancing_cam01.mp4"


def images(count: int) -> list[np.ndarray]:
    """Soft blobs, of the size that the tiny network takes."""
    rng = np.random.default_rng(0)
    coarse = torch.from_numpy(rng.random((count, 3, 4, 6))).float()
    soft = torch.nn.functional.interpolate(coarse, (64, 96), mode="bicubic").clamp(0, 1).numpy()
    return [image[None] for image in soft]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A tiny Stage I, float and int8."""
    folder = tmp_path_factory.mktemp("int8")
    torch.set_num_threads(1)
    torch.manual_seed(3)
    net = tiny(levels=SHORT)
    torch.nn.init.normal_(net.heatmaps.weight, std=0.5)
    export_stage_one(net, torch.from_numpy(np.concatenate(images(2))), folder / "float.onnx")
    static_eight_bits.quantize(folder / "float.onnx", folder / "int8.onnx", images(4))
    return folder / "float.onnx", folder / "int8.onnx"


def test_convolutions_are_int8_and_the_last_ones_and_the_read_out_are_not(files: tuple[Path, Path]) -> None:
    graph = onnx.load(files[1]).graph
    makers = {name: node for node in graph.node for name in node.output}
    weights = [makers.get(node.input[1]) for node in graph.node if node.op_type == "Conv"]
    small = [maker for maker in weights if maker is not None and maker.op_type == "DequantizeLinear"]
    assert 3 <= len(weights) - len(small) <= 6 and len(small) > 20
    codes = {tensor.name: tensor.data_type for tensor in graph.initializer}
    assert {codes[maker.input[0]] for maker in small} == {onnx.TensorProto.INT8}
    top = next(node for node in graph.node if node.op_type == "TopK")
    assert makers[top.input[0]].op_type != "DequantizeLinear"


def test_scales_are_one_a_filter(files: tuple[Path, Path]) -> None:
    graph = onnx.load(files[1]).graph
    codes = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "DequantizeLinear" and node.input[0] in codes and len(codes[node.input[0]].dims) == 4:
            assert list(codes[node.input[1]].dims) == [codes[node.input[0]].dims[0]]


def test_the_file_says_what_it_is_and_is_taken(files: tuple[Path, Path]) -> None:
    before, after = (open_session(path, threads=1) for path in files)
    assert dict(after.metadata) == dict(before.metadata) and after.metadata["posewire_kind"] == "xnect-stage-1"
    StageOneNet(after)
    assert files[1].stat().st_size < files[0].stat().st_size


def test_peaks_are_as_high_as_they_were(files: tuple[Path, Path]) -> None:
    sessions = [open_session(path, threads=1) for path in files]
    before, after = (np.concatenate([net.run({"image": image})["peaks"][0, :, 0, 2] for image in images(6)]) for net in sessions)
    assert (before > 0.3).sum() >= 10
    assert np.abs(after - before).mean() < 0.05 and np.corrcoef(before, after)[0, 1] > 0.9


def test_stage_two_becomes_smaller_and_says_nearly_the_same(tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = StageTwo(StageTwoSettings(hidden=64)).eval()
    export_stage_two(net, tmp_path / "float.onnx")
    quantise.stage_two(tmp_path / "float.onnx", tmp_path / "int8.onnx")
    assert (tmp_path / "int8.onnx").stat().st_size < 0.5 * (tmp_path / "float.onnx").stat().st_size
    rows = np.random.default_rng(0).normal(size=(3, J, WIDTH)).astype(np.float32)
    before, after = (open_session(tmp_path / name, threads=1) for name in ("float.onnx", "int8.onnx"))
    StageTwoNet(after)
    said = before.run({"rows": rows})["joints_m"]
    assert np.abs(after.run({"rows": rows})["joints_m"] - said).max() < 0.1 * np.abs(said).max()


def test_frames_of_a_film_come_as_the_network_takes_them() -> None:
    frames = list(of_videos([CLIP], 2))
    assert [frame.shape for frame in frames] == [(1, 3, 320, 512)] * 2
    assert not np.array_equal(frames[0], frames[1])


def test_a_file_that_is_no_xnect_ends_with_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blazepose = Path(__file__).parents[4] / "models" / "posewire_models" / "blazepose_lite.onnx"
    assert quantise.main([str(blazepose), "--to", str(tmp_path / "out.onnx")]) == 2
    assert "no network of XNect" in capsys.readouterr().err


def test_the_speed_of_both_is_told_for_one_thread_and_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(int8_speed, "StageOne", lambda: tiny(levels=SHORT))
    monkeypatch.setattr(int8_speed.calibration, "rendered", lambda pack, count: images(count))
    one, two = int8_speed.report(Path("pack.npz"), 2).splitlines()
    assert one.startswith("threads 1: float ") and two.startswith("threads 2: float ") and one.endswith(" times faster")
