"""Pictures and caches on disk: a folder holds what was made alike, and nobody who is held out comes among the others."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="XNect's networks need torch: pip install 'posewire[train]'")
pytest.importorskip("onnx", reason="export needs onnx: pip install 'posewire[train]'")

from test_xnect_training import saved  # noqa: E402
from test_xnect_tune import PACK, people_with_marks, task_of  # noqa: E402
from xnect_trunk import tiny_trunk  # noqa: E402

from posewire.errors import ModelError, SettingsError  # noqa: E402
from posewire_training import origin, tensors  # noqa: E402
from posewire_training.settings import TrainSettings  # noqa: E402
from posewire_xnect import album, cache, settle, stage_two_train, train  # noqa: E402
from posewire_xnect.branches import StageOneRun  # noqa: E402
from posewire_xnect.frames import Frames  # noqa: E402
from posewire_xnect.movenet import Heads  # noqa: E402
from posewire_xnect.stage_two_task import StageTwoRun  # noqa: E402
from posewire_xnect.tune import TuneRun  # noqa: E402
from posewire_xnect.whole_task import WholeRun  # noqa: E402


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of two pictures."""
    monkeypatch.setattr(album, "SIZE", 2)
    monkeypatch.setattr(album, "_BATCH", 2)
    monkeypatch.setattr(album, "_CROPS", 8)
    monkeypatch.setattr(album, "Pictures", partial(album.Pictures, procedural=2))


@pytest.mark.parametrize("other", [["--split", "test"], ["--kind", "singles"], ["--seed", "4"]])
def test_pictures_of_another_kind_never_come_among_those_of_a_folder(
    other: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["pictures", "--pack", str(PACK), "--out", str(tmp_path)]
    assert train.main([*flags, "--count", "2"]) == 0
    there = album.paths(tmp_path)
    assert train.main([*flags, "--count", "4", *other]) == 2
    assert other[1] in capsys.readouterr().err and album.paths(tmp_path) == there


@pytest.mark.parametrize("kind", ["groups", "singles"])
def test_held_out_people_are_asked_for_by_the_split_whatever_the_kind(
    kind: album.Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    pictures = album.Pictures

    def noted(*told: object, split: str, **named: object) -> object:
        asked.append(split)
        return pictures(*told, split=split, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(album, "Pictures", noted)
    for split in ("train", "test"):
        next(album.render(PACK, tmp_path / split, 2, split, kind=kind))
    assert asked == ["train", "test"]


def test_a_cache_is_of_one_trunk_and_one_kind_of_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(album, "SIZE", 8)
    pictures, out = tmp_path / "pictures", tmp_path / "parts"
    tensors.save(people_with_marks(8), pictures / album.file_name(0))
    trunk, learned = tiny_trunk(tmp_path / "trunk.onnx"), tmp_path / "learned.onnx"
    learned.write_bytes(trunk.read_bytes() + b"\x72\x00")  # the same, with an empty field more
    scenes = cache.scenes_for(out, None, pictures, "train", 0)
    assert list(cache.make(scenes, trunk, out, 1)) == [0]
    with pytest.raises(SettingsError, match="trunk"):
        list(cache.make(scenes, learned, out, 2))
    with pytest.raises(SettingsError, match="pictures rendered"):
        cache.scenes_for(out, PACK, None, "train", 0)
    assert len(cache.paths(out)) == 1


def test_nobody_learns_from_held_out_people(tmp_path: Path) -> None:
    held, parts = tmp_path / "held", saved(tmp_path / "parts", 2)
    for folder in (held, parts):
        origin.agreed(folder, split="test")
    tensors.save(people_with_marks(2), held / album.file_name(0))
    trunk, one = tiny_trunk(tmp_path / "trunk.onnx"), tmp_path / "one.pt"
    for learned in (
        lambda: train.stage_one(StageOneRun(), parts, tmp_path),
        lambda: train.tune(TuneRun(), trunk, one, [held], tmp_path),
        lambda: settle.settle(settle.SettleRun(), trunk, trunk, held, tmp_path),
        lambda: stage_two_train.by_file(trunk, held),
        lambda: stage_two_train.by_heads(Heads(), parts),
    ):
        with pytest.raises(SettingsError, match="held out"):
            learned()


def test_a_training_needs_a_file_to_choose_by_and_one_to_learn_from(tmp_path: Path) -> None:
    tensors.save(people_with_marks(2), tmp_path / "pictures" / album.file_name(0))
    with pytest.raises(SettingsError, match="kept apart"):
        task_of(tmp_path, tmp_path / "pictures")


@pytest.mark.parametrize(
    ("kind", "name"), [(TuneRun, "whole"), (StageOneRun, "real"), (WholeRun, "flat_first"), (StageTwoRun, "blind")]
)
def test_what_is_no_share_is_refused(kind: type[TrainSettings], name: str) -> None:
    for value in (-0.1, 1.5):
        with pytest.raises(SettingsError, match=f"{name} must be a share"):
            kind(**{name: value})


def test_one_frame_of_a_film_is_too_few(tmp_path: Path) -> None:
    tensors.save(people_with_marks(1), tmp_path / album.file_name(0))
    with pytest.raises(SettingsError, match="--footage-kept"):
        Frames(album.paths(tmp_path))


@pytest.mark.parametrize("flags", [["label", "--pictures=0"], ["footage", "--pictures=4", "--trunk=T", "--one=ONE"]])
def test_too_few_pictures_of_a_film_are_refused(
    flags: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(train, "heads_of", lambda _: None)
    assert train.main([*flags, "--video=FILM", f"--out={tmp_path}"]) == 2
    assert "too few pictures" in capsys.readouterr().err


def test_a_folder_without_footage_is_not_taken_for_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cached = saved(tmp_path / "cache", 2)
    flags = ["stage1", f"--cache={cached}", f"--footage={tmp_path / 'typo'}", f"--out={tmp_path / 'out'}"]
    assert train.main([*flags, "--steps=1", "--validate-every=1"]) == 2
    assert "no footage" in capsys.readouterr().err


def test_a_damaged_part_is_named(tmp_path: Path) -> None:
    (tmp_path / cache.file_name(0)).write_bytes(b"half of a part")
    with pytest.raises(ModelError, match=r"part_00000.pt cannot be read(.|\n)*make it anew"):
        cache.load(tmp_path / cache.file_name(0))


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / album.file_name(0)
    path.write_bytes(b"half of a file")
    with pytest.raises(ModelError, match=r"album_00000.npz cannot be read(.|\n)*make it anew"):
        album.read_all(album.paths(tmp_path))
