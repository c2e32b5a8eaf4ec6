"""A training that sees every crop afresh, with a trunk that may learn: what is drawn, what learns, what is kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from vnect_crops import drawn

from posewire.errors import ModelError, SettingsError
from posewire_training import weights
from posewire_vnect import build, fresh, shots, train
from posewire_vnect.fresh import FreshTask
from posewire_vnect.names import JOINTS
from posewire_vnect.settings import VNectSettings

TINY = VNectSettings(trunk="tiny", batch=4, steps=1, validate_every=1, warm_up_steps=1, dropout=0.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two shards of six crops."""
    made = tmp_path_factory.mktemp("shots")
    for number in range(2):
        shots.save(drawn(6), made / f"shard_{number:05d}.npz")
    return made


def task_of(settings: VNectSettings, folder: Path, *, real: bool = True, begun: bool = True) -> FreshTask:
    files = shots.shards(folder)
    trunk = build.trunk(settings)
    return FreshTask(settings, trunk, build.head(settings, trunk), files, files if real else [], begun=begun)


def test_a_batch_hangs_on_its_step_alone_and_no_two_are_seen_alike(folder: Path) -> None:
    task, again = (task_of(TINY, folder) for _ in range(2))
    task.batch(0)
    image, truth = task.batch(5)
    same_image, same_truth = again.batch(5)
    assert torch.equal(image, same_image) and torch.equal(truth.cells, same_truth.cells)
    assert image.shape == (4, 3, 256, 256) and 0.0 <= float(image.min()) <= float(image.max()) <= 1.0
    assert not any(torch.equal(truth.cells[0], other) for number in range(5) for other in task.batch(number)[1].cells)


def test_early_convolutions_stay_and_later_ones_learn_at_their_rate(folder: Path) -> None:
    settings = VNectSettings(batch=3, trunk_rate=0.1, trunk_from=60, real_share=0.0)
    task = task_of(settings, folder)
    before = {name: value.clone() for name, value in task.trunk.state_dict().items()}
    task.step(0, 0.0)
    moved = {int(name.split(".")[2]) for name, value in task.trunk.state_dict().items() if not torch.equal(value, before[name])}
    assert moved and min(moved) >= 60
    assert task.optimizers["net"].param_groups[2]["lr"] == pytest.approx(0.1 * settings.learning_rate)


@pytest.mark.parametrize("bf16", [False, True])
def test_what_moves_the_features_of_real_crops_costs(folder: Path, bf16: bool) -> None:
    settings = replace(TINY, trunk_rate=1.0, distil=1.0, real_share=0.5, bf16=bf16)
    task = task_of(settings, folder)
    assert task.step(0, 0.0)["drift"] == pytest.approx(0.0, abs=1e-9)
    assert task.step(1, 0.0)["drift"] > 1e-6
    assert "drift" not in task_of(TINY, folder).step(0, 0.0)


def test_validation_speaks_of_rendered_and_of_real_crops(folder: Path) -> None:
    task = task_of(TINY, folder)
    with torch.inference_mode():
        assert {"mpjpe_mm", "real_mpjpe_mm"} <= set(task.validate())
        assert "real_mpjpe_mm" not in task_of(TINY, folder, real=False).validate()


@pytest.mark.parametrize(
    ("settings", "rendered", "real"),
    [
        (TINY, None, Path("real")),
        (replace(TINY, distil=1.0, trunk_rate=0.1), Path("shots"), None),
        (replace(TINY, distil=1.0), Path("shots"), Path("real")),
    ],
)
def test_what_a_run_would_not_use_is_refused(settings: VNectSettings, rendered: Path | None, real: Path | None) -> None:
    with pytest.raises(SettingsError):
        train.check_used(settings, rendered, real)
    train.check_used(replace(TINY, distil=1.0, trunk_rate=0.1), Path("shots"), Path("real"))


def test_only_the_blazepose_trunk_can_learn_in_part() -> None:
    with pytest.raises(SettingsError, match="in part"):
        replace(TINY, trunk_from=3)


def test_one_shard_is_not_enough(folder: Path) -> None:
    trunk = build.trunk(TINY)
    with pytest.raises(ModelError, match="kept for validation"):
        FreshTask(TINY, trunk, build.head(TINY, trunk), shots.shards(folder)[:1], [], begun=True)


def test_a_run_begins_with_the_weights_of_another(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train.export, "export", lambda *_, **__: None)  # test_vnect_train exports
    torch.manual_seed(5)
    first, held = build.network(TINY), replace(TINY, learning_rate=0.0, average=0.0)
    weights.save(tmp_path / "first.pt", "vnect", JOINTS, {}, {"trunk": first.trunk, "head": first.head})
    train.run(held, tmp_path, pack=tmp_path, rendered=folder, begin=tmp_path / "first.pt", quiet=True)
    old, new = (weights.load(tmp_path / name, "vnect", JOINTS).states for name in ("first.pt", "weights.pt"))
    assert all(torch.equal(old["trunk"][name], new["trunk"][name]) for name in old["trunk"])
    learned = [name for name in old["head"] if name.endswith("weight")]
    assert all(torch.equal(old["head"][name], new["head"][name]) for name in learned)


def test_a_head_that_never_learned_begins_as_least_squares(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fresh, "_FIT_VIEWS", 8)
    tasks = [task_of(TINY, folder, begun=told) for told in (False, True)]
    for task in tasks:
        task.step(0, 0.0)
    means = [task.head.get_submodule("coarse").get_buffer("mean") for task in tasks]
    assert float(means[0].abs().max()) > 0 and float(means[1].abs().max()) == 0
