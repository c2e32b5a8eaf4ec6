"""Every training of XNect learns on the device that was asked for: network, pictures and what is due lie there."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from mover import moving

torch = pytest.importorskip("torch", reason="XNect's networks need torch: pip install 'posewire[train]'")
pytest.importorskip("onnx", reason="export needs onnx: pip install 'posewire[train]'")

import pretended  # noqa: E402
from test_xnect_training import found, saved  # noqa: E402
from test_xnect_tune import LEARNING, people_with_marks  # noqa: E402
from torch import nn  # noqa: E402
from xnect_nets import SHORT, tiny  # noqa: E402
from xnect_trunk import tiny_trunk  # noqa: E402

from posewire_training import device as devices  # noqa: E402
from posewire_training import tensors  # noqa: E402
from posewire_training.task import Task  # noqa: E402
from posewire_xnect import album, cache, settle, train, whole_task  # noqa: E402
from posewire_xnect.branches import Columns, DeepTask, FlatTask, StageOneRun, gather  # noqa: E402
from posewire_xnect.deepen import DeepenTask, DeepRun  # noqa: E402
from posewire_xnect.frames import Frames  # noqa: E402
from posewire_xnect.likeness import Maker  # noqa: E402
from posewire_xnect.movenet import Heads, HeadSettings, Trunk  # noqa: E402
from posewire_xnect.settle import SettleRun  # noqa: E402
from posewire_xnect.skeleton import J, supervised  # noqa: E402
from posewire_xnect.stage_two import StageTwo, StageTwoSettings  # noqa: E402
from posewire_xnect.stage_two_task import StageTwoRun, StageTwoTask  # noqa: E402
from posewire_xnect.tune import TuneRun, TuneTask  # noqa: E402
from posewire_xnect.whole_task import WholeRun, WholeTask  # noqa: E402

PACK = Path(__file__).parents[2] / "synth" / "tiny_pack.npz"


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> Generator[str]:
    monkeypatch.setattr(devices, "check", lambda _: None)
    with pretended.device() as name:
        yield name


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(tmp_path_factory.mktemp("device") / "cache", 2)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("device_pictures")
    for number in range(2):
        tensors.save(people_with_marks(2), folder / album.file_name(number))
    return folder


def learns(task: Task, device: str) -> None:
    """One step and one validation; what learns lies on the device."""
    for module in task.modules.values():
        module.train()
    assert np.isfinite(list(task.step(0, 0.9).values())).all()
    for module in task.modules.values():
        module.eval()
    with torch.no_grad():
        task.validate()
    assert devices_of(task.modules) == {device}


def devices_of(modules: Mapping[str, nn.Module]) -> set[str]:
    return {value.device.type for module in modules.values() for value in module.state_dict().values()}


def heads() -> Heads:
    return Heads(HeadSettings(width=32, blocks=1, hidden=32))


def test_a_tensor_that_stays_behind_is_noticed(device: str) -> None:
    with pytest.raises(AssertionError, match="stayed on the CPU"):
        nn.Linear(2, 2).to(device)(torch.rand(1, 2))


def test_both_branches(device: str, parts: Path) -> None:
    settings, net = StageOneRun(batch=1, bf16=False, device=device, deep_batch=8), heads()
    learns(FlatTask(settings, net, parts), device)
    seen = gather(net.eval(), cache.paths(parts)[:1])
    assert {value.device.type for value in (seen.features, seen.joint, seen.bones_m)} == {device}
    learns(DeepTask(settings, net, seen, seen), device)


def test_the_branch_of_an_exported_file(device: str) -> None:
    layers = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3 * J))
    seen = Columns(torch.rand(20, 6).half(), torch.arange(20) % J, torch.rand(20, J, 3))
    table = torch.from_numpy(supervised("sparse"))
    learns(DeepenTask(DeepRun(batch=16, bf16=False, device=device), layers, table, seen, seen, seen), device)


def test_trunk_and_heads(device: str, pictures: Path, tmp_path: Path) -> None:
    settings = TuneRun(batch=4, real=0.25, whole=0.0, bf16=False, trunk_from=LEARNING, device=device)
    known = album.paths(pictures)
    learns(TuneTask(settings, Trunk(tiny_trunk(tmp_path / "trunk.onnx")), heads(), known, Frames(known)), device)


def test_the_trunk_s_own_heads(device: str, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def train_a_step(task: Task, *_: object, **__: object) -> Mapping[str, nn.Module]:
        learns(task, device)
        return task.modules

    monkeypatch.setattr(settle.loop, "train", train_a_step)
    trunk = tiny_trunk(tmp_path / "trunk.onnx")
    assert settle.settle(SettleRun(batch=2, device=device), trunk, trunk, pictures, tmp_path / "out").exists()


def test_selecsls_and_what_it_is_rendered(device: str, pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole_task, "_HELD_BATCHES", 1)
    settings = WholeRun(batch=2, real=0.5, bf16=False, device=device)
    task = WholeTask(settings, tiny(levels=SHORT), PACK, (96, 160), Frames(album.paths(pictures)))
    monkeypatch.setattr(whole_task, "Pictures", partial(whole_task.Pictures, procedural=2))
    learns(task, device)


def test_stage_two(device: str) -> None:
    model = found(20)
    settings = StageTwoRun(batch=20, bf16=False, device=device)
    learns(StageTwoTask(settings, StageTwo(StageTwoSettings(hidden=32)), model, Maker(model, moving()), model, model), device)


@pytest.mark.parametrize(
    "flags",
    [
        ["stage1", "--cache", "C"],
        ["tune", "--trunk", "T", "--one", "O", "--pictures", "P"],
        ["settle", "--trunk", "T", "--before", "B", "--pictures", "P"],
        ["whole", "--pack", "P"],
        ["stage2", "--motion", "M", "--cache", "C", "--one", "O"],
        ["deep", "--stage1", "S", "--pictures", "P"],
    ],
)
def test_a_device_that_is_not_there_is_refused_before_anything_is_read(
    flags: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert train.main([*flags, "--out", "OUT", "--device", "cuda"]) == 2
    said = capsys.readouterr().err
    assert "no CUDA device" in said and "--device cpu" in said
