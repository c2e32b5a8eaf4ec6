"""The noise that a lifter's hypotheses are made of: always the same, in pairs."""

from __future__ import annotations

import numpy as np
import pytest

from posewire_lifting.hypotheses import LEARNED, paired_noise

DIRECTIONS = LEARNED.shape[1]


@pytest.mark.parametrize("latent", [DIRECTIONS, 4])
def test_hypotheses_lie_on_opposite_sides_and_are_always_the_same(latent: int) -> None:
    noise = paired_noise(30, latent)
    np.testing.assert_array_equal(noise[1::2], -noise[::2])
    np.testing.assert_array_equal(paired_noise(30, latent), noise)
    assert len(np.unique(noise, axis=0)) == 30


@pytest.mark.parametrize("count", [1, 7, 20, 21])
def test_fewer_hypotheses_are_the_first_of_many(count: int) -> None:
    np.testing.assert_array_equal(paired_noise(count, DIRECTIONS), paired_noise(50, DIRECTIONS)[:count])


def test_what_is_learned_comes_first() -> None:
    np.testing.assert_array_equal(paired_noise(20, DIRECTIONS)[::2], LEARNED)


def test_the_eight_that_the_host_asks_for_spread_as_far_as_twenty() -> None:
    few, many = ((paired_noise(count, DIRECTIONS) ** 2).sum(axis=1).mean() for count in (8, 20))
    assert few == pytest.approx(many, rel=0.35)
