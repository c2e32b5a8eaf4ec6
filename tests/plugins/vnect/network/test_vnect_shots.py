"""Crops on disk: a folder holds one kind, nothing old stays in it, and what Cycles rendered is learned from, too."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from vnect_crops import drawn

from posewire.errors import ModelError, SettingsError
from posewire_synth import pack as packs
from posewire_synth import saved
from posewire_synth.cast import Split
from posewire_synth.studio import Studio
from posewire_training import origin, tensors
from posewire_vnect import build, cache, footage, shots, train
from posewire_vnect.fresh import FreshTask
from posewire_vnect.names import INPUT_PX
from posewire_vnect.settings import VNectSettings

TINY_PACK = Path(__file__).parents[2] / "synth" / "tiny_pack.npz"
RENDER = ["--pack", str(TINY_PACK), "--count", "4"]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shards of two small crops."""
    monkeypatch.setattr(shots, "SHARD", 2)
    monkeypatch.setattr(shots, "_BATCH", 2)
    monkeypatch.setattr(shots, "Pictures", partial(shots.Pictures, procedural=2))


def fine(folder: Path, split: Split = "train", batches: int = 2, side: int = INPUT_PX) -> Path:
    """A folder as `posewire synth blender` leaves it, though not from Cycles."""
    folder.mkdir()
    studio = Studio(packs.load(TINY_PACK), split, procedural=2)
    for number in range(batches):
        saved.save(studio.crops(number, 2, side), folder / saved.name(number))
    return folder


def test_test_people_never_come_among_training_ones(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    to_train = [*RENDER, "--out", str(tmp_path)]
    assert shots.main(to_train) == 0
    assert json.loads((tmp_path / origin.NAME).read_text()) == {"crops": "rendered", "split": "train", "seed": 0}
    there = shots.shards(tmp_path)
    capsys.readouterr()
    for other, said in ((["--split", "test"], "split test"), (["--seed", "5"], "seed 5")):
        assert shots.main([*to_train, *other, "--count", "6"]) == 2
        assert said in capsys.readouterr().err
    assert shots.shards(tmp_path) == there and shots.main([*to_train, "--count", "6"]) == 0


def test_nobody_learns_from_test_people(tmp_path: Path) -> None:
    shots.main([*RENDER, "--out", str(tmp_path / "test"), "--split", "test"])
    with pytest.raises(SettingsError, match="held out"):
        train.run(VNectSettings(trunk="tiny"), tmp_path / "run", pack=TINY_PACK, rendered=tmp_path / "test")


def test_a_folder_from_before_it_said_what_it_holds_goes_on(tmp_path: Path) -> None:
    tensors.save(drawn(2), tmp_path / "shard_00000.npz")
    assert shots.main([*RENDER, "--out", str(tmp_path)]) == 0
    assert len(shots.shards(tmp_path)) == 2


def test_a_second_run_of_footage_leaves_nothing_of_the_first(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    assert footage.write([drawn(1)] * 5, tmp_path, rng) == 5 and len(shots.shards(tmp_path)) == 3
    assert footage.write([drawn(1)], tmp_path, rng) == 1
    assert [len(shots.load(path)) for path in shots.shards(tmp_path)] == [1]


def test_footage_does_not_overwrite_rendered_crops(tmp_path: Path) -> None:
    shots.main([*RENDER, "--out", str(tmp_path)])
    before = [path.read_bytes() for path in shots.shards(tmp_path)]
    with pytest.raises(SettingsError, match=r"crops real(.|\n)*crops rendered"):
        footage.write([drawn(1)], tmp_path, np.random.default_rng(0))
    assert [path.read_bytes() for path in shots.shards(tmp_path)] == before


def test_features_of_crops_that_were_replaced_are_computed_anew(tmp_path: Path) -> None:
    tensors.save(drawn(2), tmp_path / "shard_00000.npz")
    (old,) = cache.build(shots.shards(tmp_path), tmp_path / "cache", 1)
    assert list(cache.build(shots.shards(tmp_path), tmp_path / "cache", 1)) == [old]
    before, others = cache.read(old)[1].joints_m, drawn(2)
    others.points_m.add_(torch.tensor([0.5, 0.0, 0.0]))
    tensors.save(others, tmp_path / "shard_00000.npz")
    (new,) = cache.build(shots.shards(tmp_path), tmp_path / "cache", 1)
    assert list((tmp_path / "cache" / "view_0").glob("*.npz")) == [new] != [old]
    assert not torch.equal(cache.read(new)[1].joints_m, before)


def test_a_trunk_file_that_was_killed_half_way_is_written_anew(tmp_path: Path) -> None:
    tensors.save(drawn(2), tmp_path / "shard_00000.npz")
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "trunk.onnx").write_bytes(b"half")
    assert len(list(cache.build(shots.shards(tmp_path), tmp_path / "cache", 1))) == 1


def test_a_damaged_shard_is_named(tmp_path: Path) -> None:
    tensors.save(drawn(2), tmp_path / "shard_00000.npz")
    whole = (tmp_path / "shard_00000.npz").read_bytes()
    (tmp_path / "shard_00000.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match=r"shard_00000.npz cannot be read(.|\n)*make it anew"):
        shots.read_all(shots.shards(tmp_path))


def test_crops_of_cycles_are_learned_from_beside_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "train"
    shots.main([*RENDER, "--out", str(folder)])
    capsys.readouterr()
    assert shots.main(["--out", str(folder), "--saved", str(fine(tmp_path / "fine"))]) == 0
    assert capsys.readouterr().out.split() == ["shard_fine_00000.npz", "shard_fine_00001.npz"]
    first = shots.of_batch(saved.load(tmp_path / "fine" / saved.name(0)))
    assert torch.equal(shots.load(folder / "shard_fine_00000.npz").image, first.image)
    settings = VNectSettings(trunk="tiny", batch=6, dropout=0.0)
    trunk = build.trunk(settings)
    task = FreshTask(settings, trunk, build.head(settings, trunk), shots.shards(folder), None, begun=True)
    assert len(task._rendered) == 6  # all but the shard that is kept, which is one of the others
    assert torch.equal(task._kept.image, shots.load(folder / "shard_00000.npz").image)
    assert np.isfinite(task.step(0, 0.0)["heat"])


def test_a_smaller_set_of_cycles_replaces_the_larger_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "train"
    shots.main([*RENDER, "--out", str(folder)])
    shots.take(fine(tmp_path / "fine"), folder)
    (tmp_path / "fine" / saved.name(1)).unlink()
    shots.take(tmp_path / "fine", folder)
    assert [path.name for path in shots.shards(folder)] == ["shard_00000.npz", "shard_00001.npz", "shard_fine_00000.npz"]


def test_what_cannot_be_taken_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "train"
    shots.main([*RENDER, "--out", str(folder)])
    with pytest.raises(SettingsError, match="split test"):
        shots.take(fine(tmp_path / "held", "test", 1), folder)
    with pytest.raises(SettingsError, match="64 x 64"):
        shots.take(fine(tmp_path / "small", batches=1, side=64), folder)
    groups = Studio(packs.load(TINY_PACK), procedural=2).groups(0, 1, (INPUT_PX, INPUT_PX))
    (tmp_path / "groups").mkdir()
    saved.save(groups, tmp_path / "groups" / saved.name(0))
    with pytest.raises(SettingsError, match="6 people"):
        shots.take(tmp_path / "groups", folder)
    with pytest.raises(ModelError, match="no pictures"):
        shots.take(tmp_path / "nowhere", folder)
    assert shots.main(["--out", str(folder), "--saved", str(tmp_path / "small"), "--seed", "1"]) == 2
    assert "have been rendered" in capsys.readouterr().err
    assert len(shots.shards(folder)) == 2
