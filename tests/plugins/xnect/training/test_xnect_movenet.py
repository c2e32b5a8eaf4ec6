"""Heads on a frozen trunk: what is read at a cell is what the whole map says there, and what is written runs as torch does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="XNect's networks need torch: pip install 'posewire[train]'")
onnx = pytest.importorskip("onnx", reason="export needs onnx: pip install 'posewire[train]'")

from xnect_trunk import tiny_trunk  # noqa: E402

from posewire.errors import SettingsError  # noqa: E402
from posewire.runtime import open_session  # noqa: E402
from posewire_training import onnx_export  # noqa: E402
from posewire_training.compact import round_compactly  # noqa: E402
from posewire_xnect.association import CANDIDATES  # noqa: E402
from posewire_xnect.export import export_movenet, export_stage_two, folded  # noqa: E402
from posewire_xnect.movenet import CHANNELS, Features, Heads, HeadSettings, LiveMovenet, Trunk, read  # noqa: E402
from posewire_xnect.networks import StageOneNet  # noqa: E402
from posewire_xnect.readout import Reading, ReadOut  # noqa: E402
from posewire_xnect.skeleton import J  # noqa: E402
from posewire_xnect.stage_two import StageTwo, StageTwoSettings  # noqa: E402


@pytest.fixture(scope="module")
def trunk(tmp_path_factory: pytest.TempPathFactory) -> Trunk:
    return Trunk(tiny_trunk(tmp_path_factory.mktemp("trunk") / "trunk.onnx")).eval()


def seeing(trunk: Trunk, settings: HeadSettings | None = None) -> Heads:
    """Untrained heads whose heatmaps have a few peaks."""
    torch.manual_seed(0)
    heads = Heads(settings or HeadSettings(width=32, blocks=1, hidden=32))
    heads.fit(trunk(torch.rand(2, 3, 64, 96)))
    with torch.no_grad():
        heads.train().flat(heads.standardised(trunk(torch.rand(4, 3, 64, 96))))
        heads.eval()
        said = heads.flat(heads.standardised(trunk(torch.rand(4, 3, 64, 96)))).heatmaps
        heads.heatmaps.bias -= torch.quantile(said.transpose(0, 1).flatten(1), 0.95, dim=1) - 0.2
    return heads


def test_the_trunk_gives_the_channels_that_the_heads_take(trunk: Trunk) -> None:
    features = trunk(torch.rand(1, 3, 64, 96))
    assert tuple(value.shape[1] for value in features) == CHANNELS
    assert [tuple(value.shape[2:]) for value in features] == [(8, 12), (4, 6), (2, 3)]
    assert not any(value.requires_grad for value in trunk.parameters())
    with pytest.raises(SettingsError, match="multiples of 32"):
        trunk(torch.rand(1, 3, 64, 80))


def test_encodings_at_the_maxima_are_those_of_the_whole_maps(trunk: Trunk) -> None:
    heads, features = seeing(trunk), trunk(torch.rand(2, 3, 64, 96))
    with torch.inference_mode():
        found, maps = read(heads, features, ReadOut()), heads(features)
        due = ReadOut()(maps.heatmaps, maps.fields, maps.encodings)
    assert (found.peaks[..., 2] > 0).sum() > 20
    for said, expected in zip(found, due, strict=True):
        torch.testing.assert_close(said, expected, atol=1e-5, rtol=1e-5)


def test_a_column_is_interpolated_between_the_coarser_cells(trunk: Trunk) -> None:
    from posewire_xnect.movenet import columns

    features = Features(*(torch.rand(1, channels, 8 // 2**level, 12 // 2**level) for level, channels in enumerate(CHANNELS)))
    beside, everywhere = torch.rand(1, 5, 8, 12), torch.arange(96)[None]
    above = columns(features, beside, everywhere).transpose(1, 2).unflatten(2, (8, 12))
    grown = torch.nn.functional.interpolate(features.coarse, scale_factor=4.0, mode="bilinear")
    torch.testing.assert_close(above[:, -CHANNELS[2] :], grown)
    torch.testing.assert_close(above[:, : CHANNELS[0]], features.fine)


@pytest.fixture(scope="module")
def exported(trunk: Trunk, tmp_path_factory: pytest.TempPathFactory) -> tuple[Heads, Path]:
    heads, path = seeing(trunk, HeadSettings(width=64, blocks=1, hidden=64)), tmp_path_factory.mktemp("exported") / "one.onnx"
    assert export_movenet(trunk, heads, torch.rand(2, 3, 64, 96), path) < 1e-4
    return heads, path


def test_the_file_says_what_it_is(trunk: Trunk, exported: tuple[Heads, Path]) -> None:
    heads, path = exported
    model = onnx.load(path)
    told = {entry.key: entry.value for entry in model.metadata_props}
    assert (told["posewire_kind"], told["posewire_version"], told["stride_px"], told["size"], told["scheme"]) == (
        *("xnect-stage-1", "1", "8"),
        *("96x64", "sparse"),
    )
    kinds = {tensor.data_type for tensor in model.graph.initializer if np.prod(tensor.dims) >= 10_000}
    assert kinds == {onnx.TensorProto.INT8, onnx.TensorProto.FLOAT16}  # heads; the stand-in's trunk does not fit int8
    numbers = sum(value.numel() for value in (*trunk.parameters(), *heads.parameters()))
    assert path.stat().st_size < 2.2 * numbers


def test_the_file_says_what_torch_says_of_any_size_with_centres_and_the_live_side_takes_it(
    trunk: Trunk, exported: tuple[Heads, Path]
) -> None:
    heads, path = exported
    live = LiveMovenet(trunk, folded(heads)).eval()
    round_compactly(live.heads)
    image = torch.rand(1, 3, 96, 128)
    assert onnx_export.parity(live, {"image": image}, path) < 1e-4
    session = open_session(path, threads=1)
    said = session.run({"image": image.numpy()})
    assert {name: values.shape for name, values in said.items() if name not in Reading._fields} == {
        "centres": (1, CANDIDATES),
        "guesses": (1, CANDIDATES, J, 2),
    }
    assert (said["centres"] > 0).any() and (said["guesses"][said["centres"] > 0] != 0).any()
    assert (said["peaks"][..., 2] > 0).sum() > 20
    net = StageOneNet(session)
    assert net.fixed is None and net.look(image.numpy()).points_px.shape[1:] == (J, 2)
    net.close()


def test_rounding_twice_changes_nothing() -> None:
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Conv2d(64, 64, 3), torch.nn.Linear(200, 100))
    before = net[0].weight.detach().clone()
    round_compactly(net)
    once = [value.detach().clone() for value in net.parameters()]
    round_compactly(net)
    for first, second in zip(once, net.parameters(), strict=True):
        torch.testing.assert_close(first, second.detach(), rtol=1e-6, atol=0)
    assert 0 < (once[0] - before).abs().max() < before.abs().max() / 200


def test_stage_two_fits_in_a_byte_a_weight(tmp_path: Path) -> None:
    net, path = StageTwo(StageTwoSettings(hidden=128)).eval(), tmp_path / "two.onnx"
    assert export_stage_two(net, path, pack=True) < 1e-4
    assert path.stat().st_size < 1.35 * sum(value.numel() for value in net.parameters())
    rows = torch.rand(7, J, 3 + 3 * J)
    round_compactly(net)
    assert onnx_export.parity(net, {"rows": rows}, path) < 1e-4


def test_folded_heads_say_the_same(trunk: Trunk) -> None:
    heads, features = seeing(trunk), trunk(torch.rand(1, 3, 64, 96))
    with torch.inference_mode():
        for said, due in zip(folded(heads)(features), heads(features), strict=True):
            torch.testing.assert_close(said, due, atol=1e-4, rtol=1e-4)
