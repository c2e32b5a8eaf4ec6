"""Weights between two runs: what they are, what is said of them, what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from vnect_crops import drawn

from posewire.errors import SettingsError
from posewire_training import tensors, weights
from posewire_vnect import between, build
from posewire_vnect.names import JOINTS
from posewire_vnect.settings import VNectSettings

TINY = VNectSettings(trunk="tiny", dropout=0.0)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Weights of two runs, with the crops that they learned from beside them."""
    folder = tmp_path_factory.mktemp("runs")
    for number in range(2):
        tensors.save(drawn(2), folder / f"shard_{number:05d}.npz")
    for seed, name in enumerate(("old.pt", "new.pt")):
        torch.manual_seed(seed)
        net = build.network(TINY)
        weights.save(folder / name, "vnect", JOINTS, TINY.to_json(), {"trunk": net.trunk, "head": net.head})
    return folder / "old.pt", folder / "new.pt"


def test_a_share_is_part_of_the_way_and_counters_are_the_new_ones() -> None:
    old = {"head": {"weight": torch.tensor([0.0, 8.0]), "count": torch.tensor(3)}}
    new = {"head": {"weight": torch.tensor([4.0, 0.0]), "count": torch.tensor(7)}}
    mixed = between.mixed(old, new, 0.25)["head"]
    assert mixed["weight"].tolist() == [1.0, 6.0] and int(mixed["count"]) == 7


def test_each_share_is_judged_and_one_is_written(
    runs: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(between.export, "export", lambda *_, **__: None)  # test_vnect_train exports
    common = [*map(str, runs), "--shots", str(runs[0].parent)]
    assert between.main([*common, "--shares", "0,1"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in said] == ["share", "0", "1"] and said[1].split()[1] != said[2].split()[1]
    assert between.main([*common, "--shares", "0.5", "--out", str(tmp_path)]) == 0
    old, new, mean = (weights.load(path, "vnect", JOINTS).states["head"] for path in (*runs, tmp_path / "weights.pt"))
    name = "heat.heat.weight"
    torch.testing.assert_close(mean[name], (old[name] + new[name]) / 2)


@pytest.mark.parametrize("text", ["", "half", "0.5,1.5"])
def test_what_is_no_share_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="shares"):
        between.shares_of(text)


def test_several_shares_are_not_written(runs: tuple[Path, Path], tmp_path: Path) -> None:
    assert between.main([*map(str, runs), "--shots", str(runs[0].parent), "--shares", "0,1", "--out", str(tmp_path / "out")]) == 2
    assert not (tmp_path / "out").exists()
