"""People cut out of MPI-INF-3DHP's green screen, from a tiny folder in its layout."""

from __future__ import annotations

import shutil
from pathlib import Path

import masked_3dhp as tiny
import numpy as np
import pytest

from posewire_data.errors import DatasetError
from posewire_data.mpi_inf_3dhp_masks import ALL_28, MaskedFrame, masked_videos, read_masked_frames


def frames_of(seat: Path, count: int = tiny.FRAMES) -> list[MaskedFrame]:
    return list(read_masked_frames(seat, 0, count, np.random.default_rng(0)))


@pytest.mark.parametrize("extracted", [False, True])
def test_frames_masks_and_labels_belong_together(tmp_path: Path, extracted: bool) -> None:
    seat = tiny.write(tmp_path, extracted=extracted)
    assert masked_videos(tmp_path) == [(seat, 0)]
    frames = frames_of(seat)
    assert [one.frame for one in frames] == [0, 1, 2, 3] and (frames[0].subject, frames[0].sequence) == ("S2", "Seq2")
    for one in frames:
        expected = tiny.places_m(one.frame, 4.0, 0.0)
        np.testing.assert_allclose(one.points_m[5:], expected[5:], atol=1e-6)
        np.testing.assert_allclose(one.K, tiny.K, rtol=1e-4, atol=1e-2)
        x, y = one.points_px[ALL_28.index("neck")].round().astype(int)
        assert one.person[y, x] and np.abs(one.rgb[y, x].astype(int) - tiny.SHIRT).max() < 30


def test_the_green_screen_and_the_studio_beyond_it_are_no_person(tmp_path: Path) -> None:
    one = frames_of(tiny.write(tmp_path, aside_m=-0.6))[0]
    assert not one.person[:, :24].any() and not one.person[5, 250]
    green = np.abs(one.rgb.astype(int) - tiny.GREEN).max(axis=-1) < 20
    assert (one.person & green).sum() < 0.02 * one.person.sum() and one.person.sum() > 2000


def test_the_chair_belongs_to_the_cut_out_and_is_known(tmp_path: Path) -> None:
    one = frames_of(tiny.write(tmp_path))[0]
    x, y = one.points_px[ALL_28.index("left_knee")].round().astype(int)
    assert one.chair[y, x] and one.person[y, x]
    assert not one.chair[tuple(one.points_px[ALL_28.index("neck")].round().astype(int)[::-1])]


def test_plain_clothes_have_masks_where_the_data_set_says_that_they_are_good(tmp_path: Path) -> None:
    plain, street = (frames_of(tiny.write(tmp_path, seat))[0] for seat in ("S2/Seq2", "S2/Seq1"))
    chest, ankle = (tuple(plain.points_px[ALL_28.index(name)].round().astype(int)[::-1]) for name in ("spine4", "left_ankle"))
    assert plain.clothes[0][chest] > 200 and plain.clothes[1][ankle] > 200
    assert plain.clothes[1][chest] < 50 and plain.clothes[0][ankle] < 50
    assert not street.clothes.any()


def test_sequences_whose_masks_are_bad_are_left_out(tmp_path: Path) -> None:
    good, bad = tiny.write(tmp_path, "S1/Seq1"), tiny.write(tmp_path, "S1/Seq2")
    assert [seat for seat, _ in masked_videos(tmp_path)] == [good] and bad.is_dir()


def test_annotations_beyond_the_videos_end_are_not_asked_for(tmp_path: Path) -> None:
    seat = tiny.write(tmp_path, extracted=True)
    (seat / "FGmasks" / "img_0_000004.jpg").unlink()
    assert [one.frame for one in frames_of(seat, 10)] == [0, 1, 2]


def test_missing_masks_and_broken_files_are_said(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="training set is missing"):
        masked_videos(tmp_path)
    seat = tiny.write(tmp_path, extracted=True)
    (seat / "FGmasks" / "img_0_000002.jpg").write_bytes(b"no picture")
    with pytest.raises(DatasetError, match="Frame 1 does not read"):
        frames_of(seat)
    shutil.rmtree(seat / "ChairMasks")
    with pytest.raises(DatasetError, match="no masked frames") as caught:
        masked_videos(tmp_path)
    assert "download_masks" in str(caught.value)
