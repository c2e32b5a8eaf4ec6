"""A person who fills the picture is shown smaller the next time, and nobody else is."""

from __future__ import annotations

import numpy as np
import pytest
from xnect_scenes import row

from posewire_xnect.letterbox import Letterbox
from posewire_xnect.people import People, sizes_px
from posewire_xnect.scale import BEST_PX, LEAST, SEARCH, Scale
from posewire_xnect.skeleton import J
from posewire_xnect.targets import to_pixels


def people(*sizes: float) -> People:
    points = to_pixels(row(0, 1)[0])
    shown = np.concatenate([points * size / sizes_px(points)[0] for size in sizes])
    return People(shown, np.full(shown.shape[:2], 0.8), np.zeros((len(sizes), J, 3 * J)))


def test_one_large_person_is_shown_at_the_best_size_from_the_next_picture_on() -> None:
    scale = Scale()
    scale.learn(people(96.0))
    assert scale.share == pytest.approx(0.5)
    scale.learn(people(BEST_PX))
    assert scale.share == pytest.approx(0.5)
    scale.learn(people(20.0))
    assert scale.share == 1.0


def test_only_the_first_picture_asks_to_be_looked_at_again_and_only_where_another_size_suits_it() -> None:
    scale = Scale()
    for _ in range(2):
        assert scale.learn(people(96.0))
        assert not scale.learn(people(20.0)) and scale.share == 1.0
        scale.reset()
    assert not scale.learn(people(20.0))
    assert not scale.learn(people(96.0)) and scale.share == pytest.approx(0.5)


@pytest.mark.parametrize("sizes", [(20.0,), (50.0,), (20.0, 120.0)])
def test_the_smallest_person_decides(sizes: tuple[float, ...]) -> None:
    scale = Scale()
    scale.learn(people(*sizes))
    assert scale.share == 1.0


def test_where_nobody_is_seen_both_sizes_are_tried_in_turn() -> None:
    scale, nobody = Scale(), people(50.0)
    empty = People(nobody.points_px[:0], nobody.confidence[:0], nobody.encodings[:0])
    shares = []
    for _ in range(3):
        scale.learn(empty)
        shares.append(scale.share)
    assert shares == [SEARCH, 1.0, SEARCH]


def test_nobody_is_shown_smaller_than_that_and_reset_shows_everything() -> None:
    scale = Scale()
    scale.learn(people(9000.0))
    assert scale.share == LEAST
    scale.reset()
    assert scale.share == 1.0


def test_a_smaller_share_takes_the_same_network_and_finds_the_way_back() -> None:
    whole, half = Letterbox.into((1080, 1920)), Letterbox.into((1080, 1920), share=0.5)
    assert half.network == whole.network and half.inside == (144, 256)
    corner = np.array([half.inside], np.float64) - 0.5
    np.testing.assert_allclose(half.to_picture(corner), [[1079.5, 1919.5]])
