"""Files of Stage I whose trunk says centres beside files whose trunk says none."""

from __future__ import annotations

import numpy as np
import pytest
from xnect_scenes import SHAPE, row
from xnect_told import nobody, reading, stage_one, with_centres

from posewire.errors import ModelError
from posewire.runtime import Tensor
from posewire_xnect.association import CANDIDATES as K
from posewire_xnect.networks import StageOneNet
from posewire_xnect.skeleton import LINKS, NECK, J
from posewire_xnect.targets import FloatArray, to_pixels

IMAGE = np.zeros((1, 3, 320, 512), np.float32)


def side_by_side() -> FloatArray:
    """(2, J, 2) cells: two people who hide their necks."""
    points, _ = row(1, 1)
    points = np.concatenate([points - np.array([4.0, 0.0]), points + np.array([4.0, 0.0])])
    points[:, NECK] = np.nan
    return points


def test_people_are_told_apart_by_the_centres_of_a_file_that_says_them() -> None:
    points, unlinked = side_by_side(), np.zeros((1, len(LINKS), K, K))
    said = {**reading(points, shape=SHAPE), "integrals": unlinked}
    guesses = np.where(np.isfinite(points), points, 20.0) + 0.4
    found = StageOneNet(stage_one(with_centres(said, guesses, [0.9, 0.5]), centres=True)).look(IMAGE)
    seen = np.isfinite(found.points_px)
    assert len(found.points_px) == 2 and seen.mean() > 0.8
    assert np.abs((found.points_px - to_pixels(points))[seen]).max() < 0.55 * 8
    assert not len(StageOneNet(stage_one(said)).look(IMAGE).points_px)


def test_a_file_that_finds_no_centre_says_what_a_file_without_centres_says() -> None:
    points, joints_m = row(2, 4)
    said = reading(points, joints_m)
    without = StageOneNet(stage_one(said)).look(IMAGE)
    found = StageOneNet(stage_one(with_centres(said, points[:0], []), centres=True)).look(IMAGE)
    assert len(without.points_px) == 4
    for name in ("points_px", "confidence", "encodings"):
        np.testing.assert_array_equal(getattr(found, name), getattr(without, name))


REFUSED = [("centres", (1, K + 1)), ("centres", (1, K, 1)), ("guesses", (1, K, J)), ("guesses", (1, K, 2, J))]


@pytest.mark.parametrize(("name", "shape"), [*REFUSED, ("centres", None), ("guesses", None)])
def test_centres_and_guesses_of_other_shapes_or_one_without_the_other_are_refused(
    name: str, shape: tuple[int, ...] | None
) -> None:
    one = stage_one(nobody(), centres=True)
    StageOneNet(one)
    others = tuple(tensor for tensor in one.outputs if tensor.name != name)
    one.outputs = others if shape is None else (*others, Tensor(name, shape, "tensor(float)"))
    with pytest.raises(ModelError, match=f"output {name} differs"):
        StageOneNet(one)
