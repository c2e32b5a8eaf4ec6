"""A joint that is hidden for a moment: where it is thought to be, and how much that is worth."""

from __future__ import annotations

import numpy as np

from posewire_data.joints import JOINTS
from posewire_lifting.carrying import FADING, carried
from posewire_lifting.view import seen_by

WRIST = JOINTS.index("left_wrist")
FRAMES = 9


def walking() -> np.ndarray:
    """(1, 9, 17, 2) rays of a stiff person who goes to the right, 0.02 a frame."""
    still = np.random.default_rng(2).normal(0.0, 0.1, (1, 1, len(JOINTS), 2))
    return still + np.array([0.02, 0.0]) * np.arange(FRAMES)[None, :, None, None]


def all_seen() -> np.ndarray:
    return np.ones((1, FRAMES, len(JOINTS)), dtype=np.bool_)


def test_a_hidden_joint_goes_along_with_the_person() -> None:
    rays, seen = walking(), all_seen()
    seen[:, 4:, WRIST] = False
    found, trust = carried(np.where(seen[..., None], rays, 0.0), seen)
    np.testing.assert_allclose(found, rays, atol=1e-12)
    np.testing.assert_allclose(trust[0, :, WRIST], FADING ** np.array([0, 0, 0, 0, 1, 2, 3, 4, 5]))


def test_a_joint_that_comes_back_is_seen_as_it_is() -> None:
    rays, seen = walking(), all_seen()
    rays[:, 6:, WRIST] += 0.5
    seen[:, 3:6, WRIST] = False
    found, trust = carried(np.where(seen[..., None], rays, 0.0), seen)
    np.testing.assert_array_equal(found[:, 6:, WRIST], rays[:, 6:, WRIST])
    assert (trust[:, 6:, WRIST] == 1.0).all()


def test_a_joint_that_was_never_seen_is_worth_nothing() -> None:
    seen = all_seen()
    seen[:, :5, WRIST] = False
    found, trust = carried(np.where(seen[..., None], walking(), 0.0), seen)
    assert not found[:, :5, WRIST].any() and not trust[:, :5, WRIST].any()
    assert (trust[:, 5:, WRIST] == 1.0).all()


def test_a_window_shows_its_newest_row_as_a_single_frame_does() -> None:
    rays, seen = walking(), all_seen()
    window, single = seen_by(rays, seen), seen_by(rays[:, -1:], seen[:, -1:])
    np.testing.assert_allclose(window.points[:, -1:], single.points, atol=1e-12)
    np.testing.assert_allclose(window.size, single.size)
    np.testing.assert_allclose(window.R_camera_turned, single.R_camera_turned)


def test_a_window_shows_a_hidden_joint_where_it_was_and_a_single_frame_does_not() -> None:
    rays, seen = walking(), all_seen()
    complete = seen_by(rays, seen)
    seen[:, -2:, WRIST] = False
    window, single = seen_by(rays, seen), seen_by(rays[:, -1:], seen[:, -1:])
    np.testing.assert_allclose(window.points[0, -1, WRIST], FADING**2 * complete.points[0, -1, WRIST], atol=1e-9)
    assert not single.points[0, -1, WRIST].any()
