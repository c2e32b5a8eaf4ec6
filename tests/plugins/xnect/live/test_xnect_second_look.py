"""A second look, by the networks that ship, at a real person, where nobody is, and across the frame's border."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from xnect_told import nobody, stage_one

from posewire.data import ImageArray
from posewire.runtime import open_session
from posewire.testing import pictures
from posewire_xnect.crowd import Crowd
from posewire_xnect.estimator import MODELS
from posewire_xnect.letterbox import Letterbox
from posewire_xnect.networks import StageOneNet
from posewire_xnect.people import People, sizes_px
from posewire_xnect.second_look import SIDE_PX, SecondLook


@pytest.fixture(scope="module")
def net() -> Iterator[StageOneNet]:
    opened = StageOneNet(open_session(MODELS[0], threads=1))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def image() -> ImageArray:
    return pictures.clip_images(1)[0]


def first_look(net: StageOneNet, image: ImageArray, share: float = 1.0) -> tuple[Letterbox, People]:
    box = Letterbox.into((image.shape[1], image.shape[0]), share=share)
    return box, Crowd(1).choose(net.look(box.to_network(image)), lambda found: np.zeros(len(found.confidence), bool))


def moved(found: People, x_px: float) -> People:
    return People(found.points_px + np.array([x_px, 0.0]), found.confidence, found.encodings)


@pytest.mark.parametrize("share", [1.0, 0.6])
def test_a_real_person_is_seen_again_and_nobody_beside(net: StageOneNet, image: ImageArray, share: float) -> None:
    box, found = first_look(net, image, share)
    assert len(found.confidence) == 1
    again = SecondLook(net, image, box)
    assert again(found).tolist() == [True]
    assert again(moved(found, float(sizes_px(found.points_px)[0]))).tolist() == [False]


def test_half_a_person_at_the_border_is_seen_again(net: StageOneNet, image: ImageArray) -> None:
    _, found = first_look(net, image)
    box = Letterbox.into((image.shape[1], image.shape[0]))
    middle = int(np.nanmean(found.points_px[0, :, 0]) * box.frame_px_per_px[0])
    half = np.ascontiguousarray(image[:, middle - 40 :])
    box, found = first_look(net, half)
    assert len(found.confidence) == 1
    assert SecondLook(net, half, box)(found).tolist() == [True]


def test_where_nobody_is_nobody_is_seen_again(net: StageOneNet, image: ImageArray) -> None:
    box, found = first_look(net, image)
    assert SecondLook(net, np.full_like(image, 90), box)(found).tolist() == [False]


@pytest.mark.parametrize("size", [None, (512, 320)])
def test_each_is_looked_at_once_in_a_small_square_or_in_the_only_size(size: tuple[int, int] | None) -> None:
    told = stage_one(nobody(), size)
    image = np.zeros((1080, 1920, 3), np.uint8)
    found = People(np.random.default_rng(0).uniform(100, 200, (3, 17, 2)), np.ones((3, 17)), np.zeros((3, 17, 51)))
    seen = SecondLook(StageOneNet(told), image, Letterbox.into((1920, 1080), size))(found)
    assert seen.tolist() == [False] * 3
    width, height = size or (SIDE_PX, SIDE_PX)
    assert [asked["image"].shape for asked in told.asked] == [(1, 3, height, width)] * 3
