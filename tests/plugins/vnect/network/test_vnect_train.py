"""The training command end to end on very little, and the crops and caches that it learns from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from vnect_crops import drawn
from vnect_nets import SIDE

from posewire.errors import ModelError, SettingsError
from posewire_synth import pack as packs
from posewire_training import loop, tensors, weights
from posewire_vnect import cache, shots, tasks, train
from posewire_vnect.names import JOINTS
from posewire_vnect.pools import Pool
from posewire_vnect.settings import VNectSettings
from posewire_vnect.tasks import CachedTask, PictureTask
from posewire_vnect.trunks import TinyTrunk

TINY_PACK = Path(__file__).parents[2] / "synth" / "tiny_pack.npz"
J = len(JOINTS)


@pytest.fixture(scope="module")
def cached(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two files of features, each of three crops."""
    folder = tmp_path_factory.mktemp("cached")
    for number in range(2):
        tensors.save(drawn(3), folder / f"shard_{number:05d}.npz")
    return list(cache.build(shots.shards(folder), folder / "cache", 1))


def test_a_shard_reads_as_it_was_written(tmp_path: Path) -> None:
    written = drawn(2)
    tensors.save(written, tmp_path / "shard_00000.npz")
    read = shots.load(tmp_path / "shard_00000.npz")
    assert all(torch.equal(value, getattr(read, name)) for name, value in tensors.named(written).items())
    assert shots.shards(tmp_path) == [tmp_path / "shard_00000.npz"]


def test_a_folder_without_crops_says_how_to_render_some(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no rendered crops"):
        shots.shards(tmp_path)


def test_one_shard_is_refused_before_it_is_cached_with_the_command_that_renders_the_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rendered, out = tmp_path / "shots", tmp_path / "run"
    rendered.mkdir()
    tensors.save(drawn(2), rendered / "shard_00000.npz")
    assert train.main(["--out", str(out), "--shots", str(rendered)]) == 2
    said = capsys.readouterr().err
    assert "one is kept for validation" in said and f"posewire_vnect.shots --out {rendered} --count 512" in said
    assert not (out / "cache").exists()


@pytest.mark.parametrize(("asked", "said"), [(3, "4 crops instead of 3"), (4, "")])
def test_a_count_that_is_rounded_up_to_whole_shards_is_said(
    asked: int, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shots, "SHARD", 2)
    monkeypatch.setattr(shots, "_BATCH", 2)
    monkeypatch.setattr(shots, "Pictures", lambda *_, **__: iter(range(9)))
    monkeypatch.setattr(shots, "of_batch", lambda _: drawn(2))
    assert shots.main(["--out", str(tmp_path), "--count", str(asked)]) == 0
    assert len(shots.shards(tmp_path)) == 2
    told = capsys.readouterr().out
    assert said in told and ("instead of" in told) == bool(said)


def test_a_view_of_a_shard_is_the_same_every_time(cached: list[Path], tmp_path: Path) -> None:
    source = shots.shards(cached[0].parents[2])[0]
    again = tmp_path / "again.npz"
    cache.write(source, again, cache.FrozenTrunk(tmp_path), 0)
    other = tmp_path / "other.npz"
    cache.write(source, other, cache.FrozenTrunk(tmp_path), 1)
    first, same, different = (cache.read(path)[1].cells for path in (cached[0], again, other))
    assert torch.equal(first, same) and not torch.equal(first, different)


def test_a_batch_hangs_on_its_step_alone_and_mixes_in_real_crops(cached: list[Path]) -> None:
    def pool() -> Pool:
        return Pool(cached[:1], cached[1:], batch=4, real_share=0.5, seed=3)

    used = pool()
    for step in range(5):
        features, truth = used.batch(step)
    fresh_features, fresh_truth = pool().batch(4)
    assert torch.equal(truth.cells, fresh_truth.cells) and torch.equal(features.fine, fresh_features.fine)
    assert features.fine.shape[0] == 4 and features.fine.dtype == torch.float32
    known = cache.read(cached[1])[1].cells
    assert all(any(torch.equal(row, other) for other in known) for row in truth.cells[2:])


def test_the_cached_route_trains_the_head_only_and_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    rendered = tmp_path / "shots"
    rendered.mkdir()
    for number in range(2):
        tensors.save(drawn(4), rendered / f"shard_{number:05d}.npz")
    settings = VNectSettings(steps=2, batch=2, validate_every=1, warm_up_steps=1)
    task = train.cached_task(settings, train.build.network(settings), tmp_path, rendered, None)
    loop.train(task, settings, tmp_path, quiet=True)
    state = torch.load(tmp_path / "last.pt", weights_only=True)
    assert list(state["modules"]) == ["head"] and state["step"] == 2
    assert len((tmp_path / "curves.csv").read_text().splitlines()) == 3


def test_the_cached_route_learns_on_the_device_and_in_the_numbers_that_were_asked_for(cached: list[Path]) -> None:
    def task(**told: Any) -> CachedTask:
        settings = VNectSettings(batch=2, **told)
        return CachedTask(settings, train.build.network(settings).head, cached, [])

    features, truth = task(device="meta").batch(0)
    assert {part.device.type for part in (*features, truth.cells, truth.height, truth.joints_m)} == {"meta"}
    kinds = list[torch.dtype]()
    for bf16 in (False, True):
        learning = task(bf16=bf16)
        learning.head.register_forward_hook(lambda _module, _inputs, said: kinds.append(said.heat.dtype))
        assert np.isfinite(learning.step(0, 0.0)["heat"])
    assert kinds == [torch.float32, torch.bfloat16]


def test_pictures_are_rendered_learned_and_exported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnxscript")
    monkeypatch.setattr(tasks, "_VALIDATION_BATCH", 4)
    settings = VNectSettings(
        trunk="tiny", side=SIDE, steps=2, batch=2, validate_every=2, warm_up_steps=1, trunk_rate=0.5, dropout=0.0
    )
    path = train.run(settings, tmp_path, pack=TINY_PACK, quiet=True, procedural=2)
    assert {entry.key for entry in onnx.load(path).metadata_props} >= {"joints", "input_px"}
    assert weights.load(tmp_path / "weights.pt", "vnect", JOINTS).settings == settings.to_json()


def test_a_slow_trunk_learns_at_its_share_of_the_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "_VALIDATION_BATCH", 4)
    settings = VNectSettings(trunk="tiny", side=SIDE, batch=2, trunk_rate=0.1)
    trunk = TinyTrunk()
    task = PictureTask(settings, trunk, train.build.head(settings, trunk), packs.load(TINY_PACK), 2)
    rates = [group["lr"] / settings.learning_rate for group in task.optimizers["net"].param_groups]
    assert rates == pytest.approx([1.0, 0.005, 0.1])  # head, what begins from least squares, trunk
    frozen = PictureTask(VNectSettings(trunk="tiny", side=SIDE, batch=2), trunk, task.head, packs.load(TINY_PACK), 2)
    before = trunk.fine.weight.detach().clone()
    frozen.step(0, 0.0)
    assert torch.equal(before, trunk.fine.weight)
    task.step(0, 0.0)
    assert not torch.equal(before, trunk.fine.weight)


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(SettingsError, match="frozen"):
        VNectSettings(trunk="selecsls")
    with pytest.raises(SettingsError, match="one size"):
        VNectSettings(side=320)
    with pytest.raises(SettingsError, match="share"):
        VNectSettings(dropout=1.5)
    with pytest.raises(SettingsError, match="No rendered crop is left"):
        Pool([Path("rendered")], [Path("real")], batch=2, real_share=0.8, seed=0)
    with pytest.raises(ModelError, match="no cached features"):
        Pool([], [], batch=1, real_share=0.0, seed=0)


@pytest.mark.parametrize("told", [{"trunk": "tiny", "side": SIDE}, {"answers": False}])
def test_only_a_frozen_blazepose_with_its_answers_is_cached(told: dict[str, Any], tmp_path: Path) -> None:
    settings = VNectSettings(**told)
    with pytest.raises(SettingsError, match="cached"):
        train.cached_task(settings, train.build.network(settings), tmp_path, tmp_path, None)


def test_least_squares_begin_the_coarse_pose() -> None:
    settings = VNectSettings(trunk="tiny", side=SIDE)
    head = train.build.head(settings, TinyTrunk())
    rng = np.random.default_rng(0)
    vectors = torch.as_tensor(rng.normal(size=(500, 8)).astype(np.float32))
    joints_m = (vectors @ torch.as_tensor(rng.normal(size=(8, 63)).astype(np.float32))).view(-1, J, 3)
    head.coarse.fit(vectors, joints_m)  # pyright: ignore[reportCallIssue]
    x = (vectors - head.coarse.mean) / head.coarse.deviation
    assert (head.coarse.straight(x).view(-1, J, 3) - joints_m).abs().mean() < 0.02 * joints_m.abs().mean()
