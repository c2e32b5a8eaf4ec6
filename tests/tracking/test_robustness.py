"""Changes that nobody sees, annotations by hand, and the table over several runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from annotated import read_truth
from perturbing import Perturbation, Perturbed, perturbations
from rich.console import Console
from robustness import Run, robustness_table

from posewire import camera
from posewire.data import Frame, Track
from posewire.errors import SettingsError
from posewire.evaluate.identity.compositing import Truth
from posewire.evaluate.identity.following import ANNOTATED, DRAWN, identity_frame
from posewire.metrics.identity import IdentityScore

FRAMES = [
    Frame(np.random.default_rng(index).integers(10, 240, (40, 60, 3), np.uint8), index / 20, index, camera.assumed(60, 40))
    for index in range(6)
]


def test_every_change_is_another_and_the_first_is_none() -> None:
    changes = perturbations(planes=True)
    assert changes[0] == Perturbation("unchanged")
    assert len({(one.first_frame, one.rgb, one.grey_levels, one.shift_px) for one in changes}) == len(changes) == 18


@pytest.mark.parametrize("levels", [0.25, -0.5])
def test_a_fraction_of_a_grey_level_is_a_grain_that_stands_still(levels: float) -> None:
    changed = list(Perturbed(FRAMES, Perturbation("", grey_levels=levels)))
    differences = [after.image.astype(int) - before.image for before, after in zip(FRAMES, changed, strict=True)]
    assert np.mean(differences[0]) == pytest.approx(levels, abs=0.03)
    assert set(np.unique(differences[0])) == {0, np.sign(levels)}
    np.testing.assert_array_equal(differences[0], differences[-1])


@pytest.mark.parametrize("shift", [(1, 0), (-1, 0), (0, 1), (0, -1)])
def test_a_picture_is_moved_and_its_edge_repeated(shift: tuple[int, int]) -> None:
    image, moved = FRAMES[0].image, next(iter(Perturbed(FRAMES, Perturbation("", shift_px=shift)))).image
    assert moved.shape == image.shape
    np.testing.assert_array_equal(moved[1:-1, 1:-1], np.roll(image, shift[::-1], axis=(0, 1))[1:-1, 1:-1])


def test_a_later_start_keeps_the_clock() -> None:
    changed = list(Perturbed(FRAMES, Perturbation("", first_frame=2)))
    assert [frame.index for frame in changed] == [2, 3, 4, 5]
    assert changed[0].time_s == FRAMES[2].time_s


def test_boxes_between_two_lines_are_interpolated_and_nobody_is_there_outside(tmp_path: Path) -> None:
    path = tmp_path / "gt.txt"
    path.write_text("2,7,10,20,30,40,1,1,1\n4,7,20,20,30,60,1,1,0\n1,3,0,0,5,5,1,1,1\n1,4,0,0,5,5,0,1,1\n")
    truth = read_truth(path, 5)
    assert len(truth) == 5
    np.testing.assert_array_equal(truth[2].boxes_px[1], [15, 20, 45, 70])
    assert truth[2].visible.tolist() == [0.0, 0.5], "person 4 does not count"
    assert np.isnan(truth[0].boxes_px[1]).all()
    assert np.isnan(truth[4].boxes_px[1]).all()


@pytest.mark.parametrize("text", ["", "1,2,3\n", "a man walks\n", "1,1,0,0,5,5,0,1,1\n", None])
def test_an_annotation_without_boxes_is_an_error(text: str | None, tmp_path: Path) -> None:
    path = tmp_path / "gt.txt"
    if text is not None:
        path.write_text(text)
    with pytest.raises(SettingsError, match="annotation"):
        read_truth(path, 5)


def test_the_annotation_of_the_pedestrians_is_complete() -> None:
    truth = read_truth(Path(__file__).parent / "pedestrians.txt", 101)
    assert int((truth[100].visible >= 0.4).sum()) == 6
    boxes = np.array([one.boxes_px for one in truth])
    assert (boxes[..., 2] > boxes[..., 0])[np.isfinite(boxes[..., 0])].all()


def test_somebody_in_profile_is_matched_where_the_annotation_is_rough() -> None:
    truth = Truth(np.array([[100.0, 100, 140, 200]]), np.ones(1))
    track = Track(1, np.zeros((2, 2)), np.ones(2), np.array([115.0, 100, 120, 200]))
    assert DRAWN.least_overlap > identity_frame(truth, [track], DRAWN).overlap[0, 0] == pytest.approx(0.125)
    assert identity_frame(truth, [track], ANNOTATED).overlap[0, 0] > 0.8


def test_the_table_has_a_row_a_recording_and_one_for_all() -> None:
    clean, mixed = IdentityScore(100, 0, 0, 0, 100, 100), IdentityScore(100, 0, 0, 2, 50, 100)
    table = robustness_table([Run("a", "x", clean, 3, 3), Run("a", "y", mixed, 3, 3), Run("b", "x", clean, 3, 3)])
    console = Console(width=120)
    with console.capture() as captured:
        console.print(table)
    rows = [line for line in captured.get().splitlines() if line.startswith("│")]
    assert [row.split()[1] for row in rows] == ["a", "b", "all"]
    assert "50" in rows[0].split("│")[3]
    assert "75.0" in rows[0].split("│")[5]
