"""SelecSLS from nothing: it learns rendered pictures by heart, 2D first, and a stopped run goes on with the next pictures."""

from __future__ import annotations

from itertools import islice, repeat
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="XNect's networks need torch: pip install 'posewire[train]'")
pytest.importorskip("onnx", reason="export needs onnx: pip install 'posewire[train]'")

from test_xnect_tune import people_with_marks  # noqa: E402
from xnect_nets import SHORT, tiny  # noqa: E402

from posewire.errors import SettingsError  # noqa: E402
from posewire_data.joints import JOINTS  # noqa: E402
from posewire_synth.dataset import Pictures  # noqa: E402
from posewire_training import parts, tensors, weights  # noqa: E402
from posewire_xnect import album, sparsity, train, truth, whole_task, whole_train  # noqa: E402
from posewire_xnect.export import Exported  # noqa: E402
from posewire_xnect.frames import Frames, frames_of  # noqa: E402
from posewire_xnect.skeleton import J  # noqa: E402
from posewire_xnect.stage_one import Maps, StageOne, losses  # noqa: E402
from posewire_xnect.whole_task import WholeRun, WholeTask  # noqa: E402

TINY = Path(__file__).parents[2] / "synth" / "tiny_pack.npz"
SIZE = (96, 160)


@pytest.fixture(scope="module")
def task() -> WholeTask:
    torch.manual_seed(0)
    settings = WholeRun(batch=2, device="cpu", bf16=False, learning_rate=3e-3, largest_gradient=10.0)
    return WholeTask(settings, tiny(levels=SHORT), TINY, SIZE)


def test_it_learns_two_pictures_by_heart_first_in_2d_and_then_in_3d(task: WholeTask, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = next(iter(Pictures(TINY, "groups", batch=2, size=SIZE, seed=3, erase=False, procedural=2)))
    monkeypatch.setattr(WholeTask, "_scenes", lambda *_: repeat(truth.scene_of(batch)))
    first = task.step(0, 0.0)
    early = [task.step(number, 0.0) for number in range(50)][-1]
    late = [task.step(number, 0.9) for number in range(60)][-1]
    assert early["heatmaps"] < 0.7 * first["heatmaps"]
    assert late["heatmaps"] < 0.5 * first["heatmaps"]
    assert late["encodings"] < 0.7 * early["encodings"]
    with torch.inference_mode():
        assert set(task.validate()) == {"validation_heatmaps", "validation_fields", "validation_encodings"}


def test_a_stopped_run_goes_on_with_the_pictures_that_come_next() -> None:
    whole, later = (Pictures(TINY, "groups", batch=1, size=SIZE, seed=1, first=first, procedural=2) for first in (0, 2))
    third, same = next(islice(iter(whole), 2, None)), next(iter(later))
    torch.testing.assert_close(third.image, same.image)


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole_films")
    for number in range(2):
        tensors.save(people_with_marks(11), folder / album.file_name(number))
    return folder


def with_frames(films: Path, **told: Any) -> WholeTask:
    settings = WholeRun(batch=4, real=0.5, device="cpu", bf16=False, **told)
    return WholeTask(settings, tiny(levels=SHORT), TINY, SIZE, Frames(album.paths(films)))


def test_frames_of_films_are_among_the_pictures_and_hang_on_the_step_s_number_alone(
    films: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task, again = with_frames(films), with_frames(films)
    for number in range(3):
        scene, left_open = task._frames(number)  # type: ignore[misc]
    same, _ = again._frames(2)  # type: ignore[misc]
    assert torch.equal(scene.image, same.image) and torch.equal(scene.points_px, same.points_px)
    assert scene.image.shape == (2, 3, *SIZE) and left_open.any()
    seen = list[Any]()
    task.net.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    batch = next(iter(Pictures(TINY, "groups", batch=2, size=SIZE, seed=3, erase=False, procedural=2)))
    monkeypatch.setattr(task, "_stream", repeat(truth.scene_of(batch)))
    monkeypatch.setattr(task, "_held", [truth.scene_of(batch)])
    assert task.step(2, 0.9)["heatmaps"] > 0
    assert len(seen[0]) == 4 and torch.equal(seen[0][2:], same.image)
    with torch.no_grad():
        assert {"validation_heatmaps", "real_validation_heatmaps"} <= set(task.validate())


def test_where_the_labels_of_frames_say_nothing_nothing_is_learned(films: Path) -> None:
    task = with_frames(films)
    scene, _ = task._frames(0)  # type: ignore[misc]
    left_open = torch.rand(scene.image.shape[0], J, *(side // 8 for side in SIZE)) < 0.3
    said = Maps(*(value.detach().requires_grad_() for value in task.net(scene.image)))
    due = truth.of_scene(scene)
    losses(said, whole_task._as_said(due, said, left_open)).heatmaps.backward()
    assert said.heatmaps.grad is not None
    free = left_open & (due.heatmaps <= said.heatmaps)
    assert free.any() and (said.heatmaps.grad[free] == 0).all() and (said.heatmaps.grad[~left_open] != 0).any()


def test_frames_to_choose_by_are_those_of_other_films_where_there_are_some(films: Path, tmp_path: Path) -> None:
    alone = Frames(album.paths(films))
    assert (len(alone.learned), len(alone.kept)) == (19, 3)
    others = Frames(album.paths(films), album.paths(films)[:1])
    assert (len(others.learned), len(others.kept)) == (22, 11)
    with pytest.raises(SettingsError, match="--footage"):
        frames_of(None, films)


CORE = {"module": "AS", "skip": "prev", "outputs": "base"}


def test_frames_of_films_leave_room_for_rendered_pictures(films: Path) -> None:
    settings = WholeRun(batch=2, real=0.9, device="cpu", bf16=False)
    with pytest.raises(SettingsError, match=r"--batch 2 --real 0.9"):
        WholeTask(settings, tiny(levels=SHORT), TINY, SIZE, Frames(album.paths(films)))


def test_a_weights_file_says_which_selecsls_it_is_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = WholeRun(**CORE, scheme="dense")
    net = settings.network()
    assert {name: getattr(net.core.settings, name) for name in CORE} == CORE
    weights.save(tmp_path / "w.pt", whole_train.SELECSLS, JOINTS, settings.to_json(), {"net": net})
    exported = list[Any]()
    report = Exported(0.0, sparsity.Report((), 1, 1))

    def write(net: StageOne, _: object, path: Path, **told: Any) -> Exported:
        path.write_bytes(b"")
        exported.append((net, told))
        return report

    monkeypatch.setattr(train, "export_stage_one", write)
    train.export(None, tmp_path / "w.pt", None, TINY, tmp_path)
    assert exported[0][0].core.settings == net.core.settings and exported[0][1]["scheme"] == "dense"


@pytest.mark.parametrize("parts_of_it", [False, True])
def test_a_run_begins_with_the_weights_of_another(parts_of_it: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = WholeRun(**CORE)
    net = settings.network()
    weights.save(tmp_path / "w.pt", whole_train.SELECSLS, JOINTS, settings.to_json(), {"net": net})
    if parts_of_it:
        assert len(parts.split(tmp_path / "w.pt", tmp_path / "carried", largest=2**22)) > 1
    begun = list[WholeTask]()
    monkeypatch.setattr(whole_train.loop, "train", lambda task, *_, **__: begun.append(task) or task.modules)
    start = str(tmp_path / ("carried" if parts_of_it else "w.pt"))
    flags = ["whole", "--pack", str(TINY), "--out", str(tmp_path), "--start", start, "--device", "cpu"]
    assert train.main([*flags, "--module", "AS", "--skip", "prev", "--outputs", "base"]) == 0
    for now, was in zip(begun[0].net.parameters(), net.parameters(), strict=True):
        torch.testing.assert_close(now, was, atol=1e-3, rtol=1e-3)


def test_weights_of_another_selecsls_are_refused_though_they_fit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = WholeRun()
    weights.save(tmp_path / "w.pt", whole_train.SELECSLS, JOINTS, settings.to_json(), {"net": settings.network()})
    flags = ["whole", "--pack", str(TINY), "--out", str(tmp_path), "--start", str(tmp_path / "w.pt"), "--device", "cpu"]
    assert train.main([*flags, "--skip", "prev"]) == 2
    assert "--module CS --skip first --outputs wide" in capsys.readouterr().err
