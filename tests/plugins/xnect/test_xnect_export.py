"""ONNX files: what ONNX Runtime says is what torch says, for one picture and for several, for nobody and for ten people."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="XNect's networks need torch: pip install 'posewire[train]'")
pytest.importorskip("onnx", reason="export needs onnx: pip install 'posewire[train]'")

from xnect_nets import SHORT, silenced, tiny  # noqa: E402

from posewire_training import onnx_export  # noqa: E402
from posewire_xnect.association import CANDIDATES, PEAK, Peaks, assemble  # noqa: E402
from posewire_xnect.export import Exported, export_stage_one, export_stage_two  # noqa: E402
from posewire_xnect.skeleton import LINKS, J  # noqa: E402
from posewire_xnect.stage_one import StageOne  # noqa: E402
from posewire_xnect.stage_two import WIDTH, StageTwo, StageTwoSettings  # noqa: E402


def seeing(net: StageOne) -> StageOne:
    """The untrained network with heatmaps that have peaks, so that there is something to read out."""
    torch.manual_seed(3)
    torch.nn.init.normal_(net.heatmaps.weight, std=0.5)
    torch.nn.init.normal_(net.fields.weight, std=0.5)
    return net


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Exported, StageOne]:
    path = tmp_path_factory.mktemp("xnect") / "stage_one.onnx"
    torch.set_num_threads(1)
    torch.manual_seed(0)
    net = seeing(silenced(tiny(levels=SHORT), 0.2))
    return path, export_stage_one(net, torch.rand(2, 3, 64, 96), path), net


def test_stage_one_says_the_same_in_onnx_runtime(exported: tuple[Path, Exported, StageOne]) -> None:
    assert exported[1].difference < 1e-4


def test_only_a_few_numbers_leave_and_they_hold_candidates(exported: tuple[Path, Exported, StageOne]) -> None:
    peaks, integrals, read = onnx_export.run(exported[0], {"image": torch.rand(1, 3, 64, 96).numpy()})
    assert peaks.shape == (1, J, CANDIDATES, 3)
    assert integrals.shape == (1, len(LINKS), CANDIDATES, CANDIDATES)
    assert read.shape == (1, J, CANDIDATES, 3 * J)
    there = peaks[..., 2] > 0
    assert there.sum() > 20 and peaks[..., 2][there].min() > PEAK
    assert np.abs(read[there]).max() > 0 and np.abs(read[~there]).max() == 0
    assemble(Peaks(peaks[0, ..., :2], peaks[0, ..., 2]), integrals[0])


def test_export_prunes_and_folds_a_copy(exported: tuple[Path, Exported, StageOne]) -> None:
    path, made, net = exported
    assert made.pruned.total().removed > 0
    assert sum(value.numel() for value in net.parameters()) == made.pruned.parameters_before
    assert b"BatchNormalization" not in path.read_bytes()


def test_stage_two_takes_any_number_of_people(tmp_path: Path) -> None:
    net = StageTwo(StageTwoSettings(hidden=32)).eval()
    assert export_stage_two(net, tmp_path / "stage_two.onnx") < 1e-4
    for people in (1, 10):
        rows = torch.randn(people, J, WIDTH)
        assert onnx_export.parity(net, {"rows": rows}, tmp_path / "stage_two.onnx") < 1e-4
