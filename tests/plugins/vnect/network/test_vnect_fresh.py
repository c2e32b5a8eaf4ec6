"""A training that sees every crop afresh, with a trunk that may learn: what is drawn, what learns, what is kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pretended
import pytest
import torch
from vnect_crops import drawn

from posewire.errors import ModelError, SettingsError
from posewire_synth import pack as packs
from posewire_training import tensors, weights
from posewire_vnect import build, fresh, shots, tasks, train
from posewire_vnect.fresh import FreshTask
from posewire_vnect.names import JOINTS, PARENTS
from posewire_vnect.real import RealCrops
from posewire_vnect.settings import VNectSettings
from posewire_vnect.tasks import PictureTask
from posewire_vnect.truth import universal

TINY_PACK = Path(__file__).parents[2] / "synth" / "tiny_pack.npz"

TINY = VNectSettings(trunk="tiny", batch=4, steps=1, validate_every=1, warm_up_steps=1, dropout=0.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two shards of six crops."""
    made = tmp_path_factory.mktemp("shots")
    for number in range(2):
        tensors.save(drawn(6), made / f"shard_{number:05d}.npz")
    return made


def task_of(settings: VNectSettings, folder: Path, *, real: bool = True, begun: bool = True) -> FreshTask:
    files = shots.shards(folder)
    trunk = build.trunk(settings)
    crops = RealCrops(settings, files) if real else None
    return FreshTask(settings, trunk, build.head(settings, trunk), files, crops, begun=begun)


def pictures_task(settings: VNectSettings, folder: Path, monkeypatch: pytest.MonkeyPatch) -> PictureTask:
    monkeypatch.setattr(tasks, "_VALIDATION_BATCH", 2)
    trunk = build.trunk(settings)
    crops = RealCrops(settings, shots.shards(folder))
    return PictureTask(settings, trunk, build.head(settings, trunk), packs.load(TINY_PACK), 2, crops)


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
    ("settings", "real", "kept", "caches"),
    [
        (replace(TINY, side=64), Path("real"), None, False),
        (TINY, None, Path("kept"), False),
        (TINY, Path("real"), Path("kept"), True),
        (replace(TINY, distil=1.0, trunk_rate=0.1), None, None, False),
        (replace(TINY, distil=1.0), Path("real"), None, False),
    ],
)
def test_what_a_run_would_not_use_is_refused(settings: VNectSettings, real: Path | None, kept: Path | None, caches: bool) -> None:
    with pytest.raises(SettingsError):
        train.check_used(settings, real, kept, caches=caches)
    train.check_used(replace(TINY, distil=1.0, trunk_rate=0.1), Path("real"), Path("kept"), caches=False)


def test_pictures_that_are_rendered_as_they_are_needed_have_real_crops_among_them(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(TINY, trunk_rate=1.0, distil=1.0, real_share=0.5, seed=3)
    task = pictures_task(settings, folder, monkeypatch)
    image, truth = task.batch(0)
    again = pictures_task(settings, folder, monkeypatch).batch(0)
    assert torch.equal(image, again[0]) and torch.equal(truth.cells, again[1].cells)
    known = tensors.joined([shots.load(path) for path in shots.shards(folder)])
    lengths_m = bones_m(universal(known.points_m))
    for row in range(4):  # a look at a crop leaves its bones as long as they are
        like = (bones_m(truth.joints_m[row : row + 1]) - lengths_m).abs().amax(1).min()
        assert (float(like) < 1e-4) == (row >= 2)
    assert "drift" in task.step(0, 0.0)
    with torch.inference_mode():
        assert {"mpjpe_mm", "real_mpjpe_mm"} <= set(task.validate())


def bones_m(joints_m: torch.Tensor) -> torch.Tensor:
    """(B, J) sorted: the mirror changes sides."""
    parents = [max(parent, 0) for parent in PARENTS]
    return (joints_m - joints_m[:, parents]).norm(dim=-1).sort(1).values


def test_crops_of_other_clips_are_chosen_by_and_all_others_learned_from(folder: Path, tmp_path: Path) -> None:
    other = drawn(3)
    other.points_px.add_(5.0)
    tensors.save(other, tmp_path / "shard_00000.npz")
    files = shots.shards(folder)
    without, with_others = (RealCrops(TINY, files, kept) for kept in ([], shots.shards(tmp_path)))
    assert len(without.kept) == 3 and len(with_others.kept) == 3
    assert torch.equal(with_others.kept.points_px, other.points_px)
    assert len(without._learned) == 9 and len(with_others._learned) == 12


@pytest.mark.parametrize("pictures", [False, True])
def test_everything_is_learned_on_the_device_that_was_asked_for(
    pictures: bool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pretended.device() as device:
        settings = replace(TINY, trunk_rate=1.0, distil=1.0, real_share=0.5, device=device)
        task = pictures_task(settings, folder, monkeypatch) if pictures else task_of(settings, folder)
        image, truth = task.batch(0)
        assert {part.device.type for part in (image, truth.cells, truth.height, truth.joints_m)} == {device}
        assert np.isfinite(list(task.step(0, 0.0).values())).all()
        with torch.no_grad():
            task.validate()
        learned = [value.device.type for module in task.modules.values() for value in module.state_dict().values()]
        assert set(learned) == {device}


def test_a_device_that_is_not_there_is_refused_before_anything_is_read(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert train.main(["--out", "OUT", "--device", "cuda"]) == 2
    assert "--device cpu" in capsys.readouterr().err


def test_one_real_crop_is_too_few(tmp_path: Path) -> None:
    tensors.save(drawn(1), tmp_path / "shard_00000.npz")
    with pytest.raises(SettingsError, match="--real-kept"):
        RealCrops(TINY, shots.shards(tmp_path))


def test_real_crops_leave_room_for_rendered_ones(folder: Path) -> None:
    with pytest.raises(SettingsError, match=r"--batch 4 --real-share 0.9"):
        task_of(replace(TINY, real_share=0.9), folder)


def test_only_the_blazepose_trunk_can_learn_in_part() -> None:
    with pytest.raises(SettingsError, match="in part"):
        replace(TINY, trunk_from=3)


def test_one_shard_is_not_enough(folder: Path) -> None:
    trunk = build.trunk(TINY)
    with pytest.raises(ModelError, match="kept for validation"):
        FreshTask(TINY, trunk, build.head(TINY, trunk), shots.shards(folder)[:1], None, begun=True)


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
    both = [task_of(TINY, folder, begun=told) for told in (False, True)]
    for task in both:
        task.step(0, 0.0)
    means = [task.head.get_submodule("coarse").get_buffer("mean") for task in both]
    assert float(means[0].abs().max()) > 0 and float(means[1].abs().max()) == 0
