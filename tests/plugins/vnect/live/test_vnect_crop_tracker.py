"""The window of the next frame, with the constants of Mehta 2020, section 8.2.2."""

from __future__ import annotations

import math

import numpy as np
import pytest

from posewire_vnect.crop_tracker import CropTracker, box_around, window_around

STEP_S = 1 / 30
POINTS = np.array([[10.0, 20.0], [30.0, 120.0], [14.0, 60.0], [np.nan, np.nan]])


def side_after(tracker: CropTracker, points: np.ndarray, time_s: float) -> float:
    tracker.follow(points, time_s)
    window = tracker.next_window(time_s)
    assert window is not None
    return window.side_px


def test_the_box_grows_by_two_fifths_of_its_width_and_a_fifth_of_its_height_on_each_side() -> None:
    x0, y0, x1, y1 = box_around(POINTS)
    assert (x1 - x0, y1 - y0) == pytest.approx((20 * 1.8, 100 * 1.4))
    assert (y0, y1) == pytest.approx((0.0, 140.0))


def test_the_box_stands_on_the_centroid_horizontally_and_on_the_middle_vertically() -> None:
    x0, y0, x1, y1 = box_around(POINTS)
    assert 0.5 * (x0 + x1) == pytest.approx(18.0)
    assert 0.5 * (y0 + y1) == pytest.approx(70.0)


def test_nothing_seen_has_no_box() -> None:
    assert np.isnan(box_around(np.full((3, 2), np.nan))).all()


def test_the_window_is_the_square_of_the_boxs_longer_side() -> None:
    window = window_around(POINTS)
    assert window[:3] == pytest.approx((18.0, 70.0, 140.0))


def test_the_first_box_is_taken_as_it_is_and_the_next_with_a_quarter() -> None:
    tracker = CropTracker()
    first = side_after(tracker, POINTS, 0.0)
    second = side_after(tracker, 2 * POINTS, STEP_S)
    assert first == pytest.approx(140.0)
    assert second == pytest.approx(0.75 * 140.0 + 0.25 * 280.0)


def test_twice_the_frame_rate_moves_the_box_as_far_in_the_same_time() -> None:
    slow, fast = CropTracker(), CropTracker()
    for tracker in (slow, fast):
        tracker.follow(POINTS, 0.0)
    side_after(fast, 2 * POINTS, STEP_S / 2)
    assert side_after(fast, 2 * POINTS, STEP_S) == pytest.approx(side_after(slow, 2 * POINTS, STEP_S))


def test_after_a_long_gap_nobody_is_followed() -> None:
    tracker = CropTracker()
    tracker.follow(POINTS, 0.0)
    assert tracker.next_window(0.9) is not None
    assert tracker.next_window(1.1) is None


def test_who_was_forgotten_has_no_window() -> None:
    tracker = CropTracker()
    assert tracker.next_window(0.0) is None
    tracker.follow(POINTS, 0.0)
    tracker.forget()
    assert tracker.next_window(0.0) is None


def test_a_collapsed_person_has_no_window() -> None:
    tracker = CropTracker()
    tracker.follow(np.zeros((4, 2)), 0.0)
    assert tracker.next_window(0.0) is None


def test_a_turned_window_is_boxed_in_its_own_axes() -> None:
    turned = POINTS[:, ::-1] * [-1.0, 1.0]  # a quarter turn clockwise: (x, y) to (-y, x)
    window = window_around(turned, math.pi / 2)
    assert window.side_px == pytest.approx(140.0)
    assert window[:2] == pytest.approx((-70.0, 18.0))


def test_the_turn_follows_as_the_box_does_and_takes_the_shorter_way() -> None:
    tracker = CropTracker()
    tracker.follow(POINTS, 0.0, math.radians(170))
    tracker.follow(POINTS, STEP_S, math.radians(-170))
    window = tracker.next_window(STEP_S)
    assert window is not None
    assert window.turn_rad == pytest.approx(math.radians(175))
