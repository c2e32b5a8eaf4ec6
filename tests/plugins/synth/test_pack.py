"""What a pack holds out: a subject's motion, and whole places, whatever the files come in."""

from __future__ import annotations

import tarfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from cmu_bvh import bvh_text, swaying

from posewire_synth import pack as packs
from posewire_synth import pictures, poses


@pytest.fixture
def motion(tmp_path: Path) -> Path:
    """Trials of two subjects: one to learn from, one held out."""
    folder = tmp_path / "cmu"
    folder.mkdir()
    for name, frames in (("05_02", 240), ("13_01", 180)):
        (folder / f"{name}.bvh").write_text(bvh_text(0.2 * swaying(frames)))
    return folder


@pytest.mark.parametrize("ending", ["tar", "tar.gz", "tar.xz"])
def test_motion_reads_the_same_from_files_and_from_an_archive(ending: str, motion: Path, tmp_path: Path) -> None:
    (tmp_path / "archived").mkdir()
    with tarfile.open(tmp_path / "archived" / f"bvh.{ending}", f"w:{ending[4:]}") as archive:
        archive.add(motion, arcname="cmu")
    files, archived = (list(poses.read_cmu(folder, step=6)) for folder in (motion, tmp_path / "archived"))
    assert [subject for subject, _ in files] == ["05", "13"]
    for (subject, local), (same, again) in zip(files, archived, strict=True):
        assert subject == same and local.shape[1:] == (len(poses.DRIVEN), 4)
        np.testing.assert_array_equal(local, again)


def test_the_held_out_subject_s_poses_are_those_of_the_test(
    motion: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packs, "body_arrays", lambda *_, **__: {})
    monkeypatch.setattr(poses, "random", lambda count, _: np.zeros((count, len(poses.DRIVEN), 4)))
    monkeypatch.setattr(poses, "mixed", lambda local, count, _: local[:1])
    made = packs.write(tmp_path / "synth.npz", motion=motion, backgrounds=None, people=1, report=lambda _: None)
    known = dict(poses.read_cmu(motion, step=6))
    for split, subject in (("train", "05"), ("test", "13")):
        np.testing.assert_allclose(packs.unit_quaternions(made[f"poses_{split}"]), known[subject], atol=1e-4)


def views(folder: Path, places: int, each: int) -> Path:
    """Pictures as `posewire synth backgrounds` writes them, of one colour a place."""
    for place in range(places):
        (folder / f"place_{place:02d}").mkdir(parents=True)
        for view in range(each):
            cv2.imwrite(str(folder / f"place_{place:02d}" / f"{view:02d}.png"), np.full((36, 56, 3), 10 * place, np.uint8))
    return folder


@pytest.mark.parametrize(("places", "each", "held"), [(18, 16, 48), (10, 4, 8), (2, 3, 3), (1, 5, 0)])
def test_no_place_is_both_learned_from_and_held_out(places: int, each: int, held: int, tmp_path: Path) -> None:
    made = pictures.packed(views(tmp_path / "views", places, each), 0.15)
    assert int(made["test_pictures"]) == held
    colours = [round(float(picture.mean()) / 10) for picture in pictures.unpacked(made)]
    first = len(colours) - held
    assert not {*colours[:first]} & {*colours[first:]}


def test_pictures_without_subfolders_are_places_of_their_own(tmp_path: Path) -> None:
    for number in range(20):
        cv2.imwrite(str(tmp_path / f"{number:02d}.png"), np.full((36, 56, 3), number, np.uint8))
    assert int(pictures.packed(tmp_path, 0.15)["test_pictures"]) == 3
    assert int(pictures.packed(tmp_path, 0.0)["test_pictures"]) == int(pictures.packed(None, 0.15)["test_pictures"]) == 0
