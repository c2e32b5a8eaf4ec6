"""Where the whole body is, also where the picture cuts it off."""

from __future__ import annotations

import math

import numpy as np
import pytest
from vnect_dots import STANDING, J, standing_px

from posewire.data import FloatArray
from posewire_vnect.crop_tracker import CropTracker, window_around
from posewire_vnect.extent import whole_body
from posewire_vnect.names import JOINTS, PATCH
from posewire_vnect.person import Person
from posewire_vnect.sight import Sight
from posewire_vnect.window import Window, turn_matrix

SIZE_PX = (640, 480)
CENTRE_PX = np.array([320.0, 240.0])
LEGS = [j for j, name in enumerate(JOINTS) if name.endswith(("knee", "ankle", "toe"))]
ANKLES, HIPS = ([JOINTS.index(f"{side}_{name}") for side in ("left", "right")] for name in ("ankle", "hip"))
NOISE_PX = np.random.default_rng(0).uniform([250, 150], [390, 330], (len(LEGS), 2))
"""Where maxima of heatmaps lie that show nothing."""


def person(points_px: FloatArray, confidence: FloatArray | None = None, turn_rad: float = 0.0) -> Person:
    window = Window(*CENTRE_PX, 400.0, turn_rad)
    sight = Sight(window, 256, np.zeros((J, 2)), np.zeros(J), np.zeros((J, 2)), np.zeros((J, 3, PATCH, PATCH)))
    sure = np.where(np.isfinite(points_px[:, 0]), 0.9, 0.0)
    return Person(points_px, sure if confidence is None else confidence, (sight,))


def without_legs(points_px: FloatArray, turn_rad: float = 0.0) -> Person:
    """What the network says of somebody whose legs are cut off."""
    points_px, confidence = points_px.copy(), np.full(J, 0.9)
    points_px[LEGS], confidence[LEGS] = NOISE_PX, 0.15
    return person(points_px, confidence, turn_rad)


def turned(turn_rad: float) -> FloatArray:
    return CENTRE_PX + 250 * STANDING @ turn_matrix(turn_rad).T


def test_a_person_seen_down_to_an_ankle_stays_as_it_is() -> None:
    points_px = standing_px(320, 240, 300)
    points_px[[JOINTS.index("left_ankle"), JOINTS.index("right_knee"), JOINTS.index("nose")]] = np.nan
    np.testing.assert_array_equal(whole_body(person(points_px), SIZE_PX), points_px)


@pytest.mark.parametrize("turn_rad", [0.0, math.pi / 2, math.pi, -math.pi / 2, 0.7])
def test_the_feet_are_where_the_body_points_standing_lying_or_upside_down(turn_rad: float) -> None:
    points_px, cut = turned(turn_rad), without_legs(turned(turn_rad), turn_rad)
    extent_px = whole_body(cut, SIZE_PX)
    np.testing.assert_allclose(extent_px[ANKLES].mean(axis=0), points_px[ANKLES].mean(axis=0), atol=0.06 * 250)
    whole, ours = window_around(points_px, turn_rad), window_around(extent_px, turn_rad)
    assert ours.side_px == pytest.approx(whole.side_px, rel=0.1)
    assert np.linalg.norm(ours.centre_px - whole.centre_px) < 0.06 * whole.side_px


def test_who_is_cut_at_the_hips_keeps_the_window_of_the_whole_body() -> None:
    points_px = standing_px(320, 470, 600)
    cut = without_legs(points_px)
    assert window_around(whole_body(cut, SIZE_PX)).side_px == pytest.approx(window_around(points_px).side_px, rel=0.1)
    assert window_around(cut.points_px).side_px < 0.7 * window_around(points_px).side_px


def test_ankles_outside_the_picture_are_not_believed() -> None:
    points_px = standing_px(320, 300, 300)
    below_px = points_px.copy()
    below_px[ANKLES] = [[500.0, 481.0], [500.0, 700.0]]
    assert whole_body(person(below_px), SIZE_PX)[ANKLES, 0] == pytest.approx([320.0, 320.0], abs=1.0)


def test_a_knee_that_is_surely_seen_stays() -> None:
    cut = without_legs(turned(0.0))
    cut.confidence[JOINTS.index("left_knee")] = 0.8
    extent_px = whole_body(cut, SIZE_PX)
    seen = np.isfinite(extent_px[:, 0])
    assert [JOINTS[j] for j in LEGS if seen[j]] == ["right_ankle", "left_knee", "left_ankle"]
    np.testing.assert_array_equal(extent_px[JOINTS.index("left_knee")], cut.points_px[JOINTS.index("left_knee")])


@pytest.mark.parametrize("turn_rad", [0.0, math.pi / 2, math.pi])
def test_unseen_hips_are_below_the_shoulders_as_the_window_is_turned(turn_rad: float) -> None:
    points_px = turned(turn_rad)
    points_px[[*LEGS, *HIPS, JOINTS.index("pelvis")]] = np.nan
    extent_px = whole_body(person(points_px, turn_rad=turn_rad), SIZE_PX)
    feet_px = (extent_px[ANKLES].mean(axis=0) - CENTRE_PX) @ turn_matrix(turn_rad)
    assert feet_px == pytest.approx([0.0, 0.48 * 250], abs=0.15 * 250)


def test_without_shoulders_nothing_is_known_of_the_feet() -> None:
    points_px = without_legs(turned(0.0)).points_px
    points_px[JOINTS.index("left_shoulder")] = np.nan
    np.testing.assert_array_equal(whole_body(person(points_px, np.full(J, 0.1)), SIZE_PX), points_px)


def test_shoulders_and_hips_in_one_place_make_no_window() -> None:
    points_px = np.tile(CENTRE_PX, (J, 1))
    assert not window_around(whole_body(person(points_px, np.full(J, 0.1)), SIZE_PX)).usable


def test_the_trunk_of_one_who_bends_to_the_camera_is_as_long_as_the_shoulders_say() -> None:
    points_px = turned(0.0)
    points_px[HIPS] = points_px[[JOINTS.index("left_shoulder"), JOINTS.index("right_shoulder")]] + [0.0, 1.0]
    points_px[LEGS] = np.nan
    extent_px = whole_body(person(points_px), SIZE_PX)
    assert extent_px[ANKLES[0], 1] - points_px[HIPS[0], 1] == pytest.approx(1.6 * 1.2 * 0.22 * 250)


def test_the_feet_of_a_face_that_fills_the_picture_are_a_few_pictures_away() -> None:
    extent_px = whole_body(without_legs(standing_px(320, 3000, 6000)), SIZE_PX)
    reach_px = extent_px[ANKLES[0], 1] - extent_px[JOINTS.index("left_shoulder"), 1]
    assert reach_px == pytest.approx((1.0 + 1.6) * 640)
    assert window_around(extent_px).usable


def test_the_window_stays_bounded_while_the_network_guesses_hips_far_down_in_each() -> None:
    """A whole person has the hips in the middle; here each window is followed by one that is larger, up to a limit."""
    tracker, points_px = CropTracker(), without_legs(turned(0.0)).points_px
    tracker.follow(points_px, 0.0)
    for k in range(200):
        window = tracker.next_window(k / 30)
        assert window is not None
        points_px[HIPS] = window.centre_px + np.array([0.0, 0.3 * window.side_px])
        tracker.follow(whole_body(person(points_px, np.full(J, 0.2)), SIZE_PX), (k + 1) / 30)
        assert window.side_px < 1.4 * (1.0 + 1.6) * 640 + 400
