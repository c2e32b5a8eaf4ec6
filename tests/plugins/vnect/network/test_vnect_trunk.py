"""BlazePose as a trunk: read from ONNX, rounded, cached; and trunks that begin from nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from vnect_nets import pictures

from posewire.errors import ModelError, SettingsError
from posewire.runtime import open_session
from posewire_training import onnx_export, onnx_graph
from posewire_vnect import build, rounding
from posewire_vnect.cache import FrozenTrunk
from posewire_vnect.names import INPUT_PX
from posewire_vnect.settings import VNectSettings
from posewire_vnect.trunk_blazepose import BlazePoseTrunk, source_path
from posewire_vnect.trunks import ResNetTrunk, SelecSlsTrunk

ANSWERS = ("landmarks", "heatmap", "world_landmarks", "score")


@pytest.fixture(scope="module")
def trunk() -> BlazePoseTrunk:
    return BlazePoseTrunk().eval()


def test_the_torch_trunk_says_what_onnx_runtime_says() -> None:
    """1e-4 of each output's size: landmarks are pixels, heatmaps logits down to -90."""
    image = pictures(2, INPUT_PX)
    module = onnx_graph.read(source_path(), ANSWERS).eval()
    session = open_session(source_path(), threads=1)
    expected = session.run({"image": image.numpy()})
    session.close()
    with torch.inference_mode():
        for name, said in zip(ANSWERS, module(image), strict=True):
            size = max(1.0, float(np.abs(expected[name]).max()))
            assert np.abs(said.numpy() - expected[name]).max() < 1e-4 * size, name


def test_a_tensor_that_is_not_there_is_named() -> None:
    with pytest.raises(ModelError, match="t99999"):
        onnx_graph.read(source_path(), ["t99999"])


def test_cached_features_are_the_trunks(trunk: BlazePoseTrunk, tmp_path: Path) -> None:
    image = pictures(2, INPUT_PX)
    with torch.inference_mode():
        expected = trunk(image)
    for width, said, right in zip(trunk.widths, FrozenTrunk(tmp_path)(image), expected, strict=True):
        assert said.shape == right.shape and said.shape[1] == width
        assert (said - right).abs().max() < 1e-3 * max(1.0, float(right.abs().max()))


def test_the_trunk_can_be_taught(trunk: BlazePoseTrunk) -> None:
    features = trunk(pictures(1, INPUT_PX))
    features.vector.square().mean().backward()
    with_gradient = [p for p in trunk.parameters() if p.grad is not None and p.grad.abs().max() > 0]
    trunk.zero_grad()
    assert len(with_gradient) > 100


def test_the_trunk_without_its_answers_gives_the_rest_and_they_follow_from_the_tower(trunk: BlazePoseTrunk) -> None:
    image = pictures(2, INPUT_PX)
    bare = trunk.without_answers()
    M, c = trunk.answers_of_tower()
    with torch.inference_mode():
        full, less = trunk(image), bare(image)
    assert all(torch.equal(a, b) for a, b in zip(full[:3], less[:3], strict=True))
    assert torch.allclose(less.vector @ M.T + c, full.vector, atol=1e-4)


def test_rounding_twice_is_rounding_once_and_errs_by_half_a_step() -> None:
    weight = torch.randn(256, 256, 1, 1, generator=torch.Generator().manual_seed(0))
    once = rounding.rounded(weight)
    assert torch.allclose(rounding.rounded(once), once, atol=1e-6)
    largest = weight.view(256, -1, 16).abs().amax(-1, keepdim=True)
    assert ((once - weight).view(256, -1, 16).abs() <= 0.51 * largest / 127 + 1e-3 * largest / 127).all()


def test_a_file_in_steps_is_smaller_and_says_the_same(tmp_path: Path) -> None:
    weight = rounding.rounded(torch.randn(256, 256, 1, 1, generator=torch.Generator().manual_seed(0))).numpy()
    node = helper.make_node("Conv", ["x", "w"], ["y"])
    shape = ["n", 256, 4, 4]
    graph = helper.make_graph(
        [node],
        "one",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
        [numpy_helper.from_array(weight, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    onnx.save(model, tmp_path / "plain.onnx")
    rounding.store_in_steps(model)
    onnx.save(model, tmp_path / "steps.onnx")
    x = np.random.default_rng(0).normal(size=(1, 256, 4, 4)).astype(np.float32)
    plain, steps = (onnx_export.run(tmp_path / f"{name}.onnx", {"x": x})[0] for name in ("plain", "steps"))
    assert np.abs(plain - steps).max() < 1e-4
    assert (tmp_path / "steps.onnx").stat().st_size < 0.32 * (tmp_path / "plain.onnx").stat().st_size


@pytest.mark.parametrize("kind", [SelecSlsTrunk, ResNetTrunk])
def test_trunks_from_nothing_give_what_they_promise(kind: type[SelecSlsTrunk | ResNetTrunk]) -> None:
    torch.manual_seed(0)
    trunk = kind().eval()
    with torch.inference_mode():
        features = trunk(pictures(1, 64))
    sides = [tuple(part.shape[2:]) for part in features[:3]]
    assert sides == [(8, 8), (4, 4), (2, 2)]
    assert [part.shape[1] for part in features] == list(trunk.widths)


@pytest.mark.parametrize(("module", "skip", "outputs"), [("CS", "first", "wide"), ("AS", "prev", "base")])
def test_selecsls_is_the_one_that_the_settings_name(module: str, skip: str, outputs: str) -> None:
    settings = VNectSettings(trunk="selecsls", trunk_rate=1.0, side=64, module=module, skip=skip, outputs=outputs)  # type: ignore[arg-type]
    made = build.trunk(settings).eval()
    told = made.core.settings
    assert (told.module, told.skip, told.outputs) == (module, skip, outputs)
    with torch.no_grad():
        said = made(torch.rand(1, 3, 64, 64))
    assert [part.shape[1] for part in said] == list(made.widths)
    with pytest.raises(SettingsError, match="SelecSLS's"):
        VNectSettings(module="AS")
