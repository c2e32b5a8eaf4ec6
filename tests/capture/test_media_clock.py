from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from posewire.capture.clock import MediaClock

BASE, PERIOD = Fraction(1, 1000), 0.1


def times(stamps: list[int | None]) -> list[float]:
    clock = MediaClock(BASE, PERIOD)
    return [clock.time_s(pts) for pts in stamps]


def test_sound_stamps_are_taken_as_they_are() -> None:
    clock = MediaClock(BASE, PERIOD)
    np.testing.assert_allclose([clock.time_s(pts) for pts in (500, 540, 1000)], [0.0, 0.04, 0.5])
    assert clock.repaired == 0


def test_missing_stamps_go_on_by_the_frame_period() -> None:
    np.testing.assert_allclose(times([0, 100, None, 300]), [0.0, 0.1, 0.2, 0.3])
    np.testing.assert_allclose(times([None, None, 700, 800]), [0.0, 0.1, 0.2, 0.3])


def test_a_repeated_stamp_moves_a_little_and_does_not_shift_the_rest() -> None:
    np.testing.assert_allclose(times([0, 100, 100, 300]), [0.0, 0.1, 0.11, 0.3])


def test_a_restarted_clock_goes_on_where_it_was() -> None:
    np.testing.assert_allclose(times([0, 2000, 0, 100]), [0.0, 2.0, 2.1, 2.2])


@given(st.lists(st.none() | st.integers(-(2**40), 2**40), max_size=50))
def test_time_always_goes_forward(stamps: list[int | None]) -> None:
    assert np.all(np.diff(times(stamps)) > 0)
