"""Layers over one another: depth order, masks, visibility, cut-outs of real people; and what the camera does afterwards."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from posewire.errors import SourceError
from posewire_synth.compositing import NOBODY, OBJECT, compose, depth_rank
from posewire_synth.cutouts import Cutout, covering, layers_of
from posewire_synth.degrade import compressed, degrade
from posewire_synth.layers import BY_OBJECT, BY_PERSON, OUTSIDE, VISIBLE, Layers
from posewire_synth.points import POINTS

SIZE = (32, 48)


PELVIS, KNEE, FAR = (POINTS.index(name) for name in ("pelvis", "left_knee", "right_knee"))


def square(left: int, depth_m: float, grey: int) -> Cutout:
    """A person who is a square of 16 pixels; the pelvis in its middle."""
    mask = np.zeros(SIZE, dtype=np.float32)
    mask[8:24, left : left + 16] = 1.0
    points_px, points_m = np.full((len(POINTS), 2), np.nan), np.full((len(POINTS), 3), np.nan)
    points_px[[PELVIS, KNEE, FAR]] = (left + 8.0, 16.0), (left + 14.0, 16.0), (left - 30.0, 16.0)
    points_m[PELVIS] = 0.0, 0.0, depth_m
    rgb = np.full((*SIZE, 3), grey, dtype=np.uint8)
    return Cutout(rgb, mask, points_px, points_m, np.full(len(POINTS), VISIBLE))


def placed(cutouts: list[Cutout], image: list[int], size: tuple[int, int] = SIZE) -> Layers:
    """Scaled to cover pictures of this size."""
    return layers_of(cutouts, image, np.stack([covering(SIZE, size)] * len(cutouts)), size)


def two(first_m: float, second_m: float) -> Layers:
    """A dark square at 8..23 and a light one at 16..31, in one picture."""
    return placed([square(8, first_m, 50), square(16, second_m, 200)], [0, 0])


BLACK = torch.zeros(1, 3, *SIZE)


def test_the_nearer_pelvis_is_drawn_over_the_farther() -> None:
    for first_m, second_m, seen in ((2.0, 3.0, 50), (3.0, 2.0, 200)):
        picture = compose(two(first_m, second_m), BLACK)
        assert round(float(picture.image[0, 0, 16, 20]) * 255) == seen
        assert int(picture.instance[0, 16, 20]) == 1 and int(picture.instance[0, 2, 2]) == NOBODY


def test_the_order_of_the_layers_does_not_matter() -> None:
    a, b = square(8, 2.0, 50), square(16, 3.0, 200)
    one = compose(placed([a, b], [0, 0]), BLACK)
    other = compose(placed([b, a], [0, 0]), BLACK)
    assert torch.equal(one.image, other.image) and torch.equal(one.instance, other.instance)
    assert torch.equal(one.number, other.number.flip(0)) and torch.equal(one.visibility, other.visibility.flip(0))


def test_equal_depths_still_get_different_numbers() -> None:
    assert sorted(depth_rank(two(2.0, 2.0)).tolist()) == [1, 2]


def test_people_of_other_pictures_do_not_occlude() -> None:
    layers = placed([square(8, 2.0, 50), square(16, 3.0, 200)], [0, 1])
    picture = compose(layers, BLACK.repeat(2, 1, 1, 1))
    assert picture.number.tolist() == [1, 1]
    assert round(float(picture.image[1, 0, 16, 20]) * 255) == 200


def test_who_hides_a_label_is_said() -> None:
    picture = compose(two(3.0, 2.0), BLACK)  # the light square covers columns 16..31 of the dark one
    assert picture.visibility[0, KNEE] == BY_PERSON and picture.visibility[1, PELVIS] == VISIBLE
    assert picture.visibility[0, FAR] == OUTSIDE
    front = (torch.ones(1, 3, *SIZE), torch.zeros(1, *SIZE))
    front[1][:, :, 20:28] = 1.0
    covered = compose(two(3.0, 2.0), BLACK, front)
    assert covered.visibility[1, PELVIS] == BY_OBJECT and int(covered.instance[0, 16, 24]) == OBJECT


def test_a_soft_edge_mixes_with_what_is_behind() -> None:
    layers = two(3.0, 2.0)
    layers = replace(layers, alpha=layers.alpha * 0.25)
    picture = compose(layers, torch.ones(1, 3, *SIZE))
    assert float(picture.image[0, 0, 16, 10]) == pytest.approx(0.75 + 0.25 * 50 / 255, abs=1e-4)


def test_a_cut_out_is_scaled_with_its_labels() -> None:
    layers = placed([square(16, 2.0, 200)], [0], (64, 96))
    x, y = layers.points_px[0, PELVIS].tolist()
    assert (x, y) == (pytest.approx(48.5), pytest.approx(32.5))
    inside = layers.alpha[0] > 0.5
    assert inside.sum() == 32 * 32 and bool(inside[32, 48])


def test_a_part_of_a_frame_lies_where_it_was_cut_from() -> None:
    whole = square(16, 2.0, 200)
    part = replace(whole, rgb=whole.rgb[4:28, 10:40], mask=whole.mask[4:28, 10:40], corner_px=(10, 4))
    a, b = placed([whole], [0], (64, 96)), placed([part], [0], (64, 96))
    torch.testing.assert_close(a.alpha, b.alpha, atol=0.04, rtol=0)
    torch.testing.assert_close(a.points_px, b.points_px, equal_nan=True)


def test_a_mirrored_cut_out_swaps_left_and_right() -> None:
    cutout = square(16, 2.0, 200)
    mirror = np.array([[[-1.0, 0, SIZE[1] - 1], [0, 1, 0]]])
    layers = layers_of([replace(cutout, points_m=cutout.points_m + np.array([0.5, 0, 0]))], [0], mirror, SIZE)
    assert layers.points_px[0, FAR].tolist() == [SIZE[1] - 1 - 30.0, 16.0]  # was the left knee
    assert layers.points_m[0, PELVIS].tolist() == [-0.5, 0.0, 2.0]
    assert layers.alpha[0, 16].nonzero()[:, 0].tolist() == list(range(16, 32))  # columns 16..31 are their own mirror


def test_cut_outs_that_cannot_be_ordered_are_refused() -> None:
    cutout = square(8, 2.0, 50)
    for bad in (
        replace(cutout, points_m=np.full((len(POINTS), 3), np.nan)),
        replace(cutout, points_px=np.zeros((17, 2))),
        replace(cutout, mask=np.ones((4, 4))),
    ):
        with pytest.raises(SourceError):
            placed([bad], [0])


def test_compression_keeps_what_is_flat_and_changes_what_is_fine() -> None:
    rng = np.random.default_rng(0)
    flat = torch.full((8, 3, 32, 48), 0.5)
    assert float((compressed(flat, np.random.default_rng(1)) - flat).abs().max()) < 0.02
    noise = torch.as_tensor(rng.random((8, 3, 32, 48)).astype(np.float32))
    change = (compressed(noise, np.random.default_rng(1)) - noise).abs().mean((1, 2, 3))
    assert int((change > 0.05).sum()) >= 4 and bool((change < 0.35).all())


def test_a_degraded_picture_is_still_a_picture() -> None:
    image = torch.as_tensor(np.random.default_rng(0).random((6, 3, 32, 48)).astype(np.float32))
    generator = torch.Generator()
    generator.manual_seed(3)
    out = degrade(image, np.random.default_rng(2), generator)
    assert out.shape == image.shape and bool(out.isfinite().all())
    assert float(out.min()) >= 0.0 and float(out.max()) <= 1.0
