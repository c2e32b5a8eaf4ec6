"""From weights to what runs live: the ONNX file says what torch says, in every batch size, halved and in 8 bits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

from posewire.errors import ModelError  # noqa: E402
from posewire.methods import MethodOptions, SamplingLifter  # noqa: E402
from posewire.testing import standing_person  # noqa: E402
from posewire_data.joints import JOINTS, ROOT  # noqa: E402
from posewire_lifting.lifter import open_lifter  # noqa: E402
from posewire_training import eight_bits, onnx_export, weights  # noqa: E402
from posewire_vae_lifter.export import example, export, open_run  # noqa: E402
from posewire_vae_lifter.folding import folded  # noqa: E402
from posewire_vae_lifter.live import LiveVae, Spread  # noqa: E402
from posewire_vae_lifter.model import Vae  # noqa: E402
from posewire_vae_lifter.settings import VaeSettings  # noqa: E402

SETTINGS = VaeSettings(hidden=32, blocks=3, latent=6, frames=9)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run's folder with weights that were never trained."""
    path = tmp_path_factory.mktemp("run")
    torch.manual_seed(0)
    live = LiveVae(Vae(SETTINGS), Spread(SETTINGS))
    weights.save(path / "live.pt", "vae-live", JOINTS, SETTINGS.to_json(), {"live": live})
    for name, half in (("half", True), ("single", False)):
        assert export(path, path / f"{name}.onnx", half=half) < onnx_export.PARITY
    return path


def test_onnx_says_what_torch_says(folder: Path) -> None:
    net, settings = open_run(folder)
    net = folded(net)
    for name in ("single", "half"):
        for batch, samples in ((1, 1), (7, 3)):
            assert onnx_export.parity(net, example(settings, net, batch, samples), folder / f"{name}.onnx") < onnx_export.PARITY
        onnx_export.round_to_half(net)


def test_a_vae_whose_spread_was_not_learned_gives_one_answer(tmp_path: Path) -> None:
    vae = Vae(SETTINGS)
    weights.save(tmp_path / "weights.pt", "vae", JOINTS, SETTINGS.to_json(), {"net": vae})
    assert export(tmp_path, tmp_path / "mode.onnx", half=False) < onnx_export.PARITY
    lifter = open_lifter(tmp_path / "mode.onnx", MethodOptions())
    assert not lifter.can_sample and lifter.receptive_field == 9
    lifter.close()


def test_folding_the_normalisation_changes_nothing() -> None:
    torch.manual_seed(1)
    live = LiveVae(Vae(SETTINGS), Spread(SETTINGS)).eval()
    for scaler in (live.vae.features.points, live.vae.features.size, live.vae.poses.scaler):
        scaler.mean.normal_()
        scaler.deviation.uniform_(0.5, 2.0)
    inputs = tuple(example(SETTINGS, live, 6).values())
    with torch.inference_mode():
        torch.testing.assert_close(folded(live)(*inputs), live(*inputs), rtol=1e-4, atol=1e-4)


def test_half_weights_halve_the_file_and_name_no_source_file(folder: Path) -> None:
    assert (folder / "half.onnx").stat().st_size < 0.75 * (folder / "single.onnx").stat().st_size
    assert b".py" not in (folder / "half.onnx").read_bytes()


@pytest.mark.parametrize("quantize", [eight_bits.quantize, eight_bits.quantize_for_one], ids=["batches", "one row"])
def test_eight_bits_say_nearly_the_same(folder: Path, quantize: Callable[[Path, Path], None]) -> None:
    quantize(folder / "half.onnx", folder / "int8.onnx")
    net, settings = open_run(folder)
    inputs = {name: value.numpy() for name, value in example(settings, net, 16).items()}
    (exact,), (small,) = (onnx_export.run(folder / name, inputs) for name in ("half.onnx", "int8.onnx"))
    assert 0 < np.abs(exact - small).max() < 0.1 * np.abs(exact).max()


def test_a_file_that_says_something_else_is_refused(folder: Path) -> None:
    class Drifting(torch.nn.Module):
        def forward(self, x: object) -> object:
            return x + float(torch.rand(()))  # the number of the moment is frozen into the file

    with pytest.raises(ModelError, match="does not say"):
        onnx_export.export(Drifting(), {"x": torch.zeros(2, 3)}, ["y"], folder / "drifting.onnx")


def test_the_live_lifter_takes_the_file_and_samples_around_its_mode(folder: Path) -> None:
    lifter = open_lifter(folder / "half.onnx", MethodOptions())
    assert isinstance(lifter, SamplingLifter) and lifter.can_sample
    assert lifter.receptive_field == 9
    window = standing_person.window(JOINTS, 4)
    arguments = (window.keypoints_px, window.confidence, window.time_s, standing_person.CAMERA)
    mode, poses = lifter.lift(*arguments), lifter.sample(*arguments, 20)
    assert poses.shape == (20, 17, 3)
    np.testing.assert_array_equal(lifter.sample(*arguments, 20), poses)
    np.testing.assert_allclose(poses[:, ROOT], 0.0, atol=1e-9)
    assert np.abs(poses.mean(axis=0) - mode).max() < 0.5 * np.abs(poses - mode).max()
    assert poses[:, JOINTS.index("left_wrist")].std(axis=0).max() > 0
    lifter.close()


def test_a_network_that_is_no_lifter_is_refused(folder: Path) -> None:
    onnx_export.export(torch.nn.Linear(3, 2), {"x": torch.zeros(2, 3)}, ["y"], folder / "linear.onnx")
    with pytest.raises(ModelError, match="no lifter"):
        open_lifter(folder / "linear.onnx", MethodOptions())
