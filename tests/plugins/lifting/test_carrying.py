"""A joint that is hidden for a moment: where it is thought to be, and for how long."""

from __future__ import annotations

import numpy as np
import pytest

from posewire.methods import MethodOptions
from posewire.testing import standing_person
from posewire_data.joints import JOINTS
from posewire_lifting.carrying import KEPT_FRAMES, carried
from posewire_lifting.lifter import open_lifter
from posewire_lifting.view import seen_by

WRIST, ELBOW = JOINTS.index("left_wrist"), JOINTS.index("left_elbow")
FRAMES = 12


def walking() -> np.ndarray:
    """(1, 12, 17, 2) rays of a stiff person who goes to the right, 0.02 a frame."""
    still = np.random.default_rng(2).normal(0.0, 0.1, (1, 1, len(JOINTS), 2))
    return still + np.array([0.02, 0.0]) * np.arange(FRAMES)[None, :, None, None]


def all_seen() -> np.ndarray:
    return np.ones((1, FRAMES, len(JOINTS)), dtype=np.bool_)


def carried_of(rays: np.ndarray, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return carried(np.where(seen[..., None], rays, 0.0), seen)


def test_a_hidden_joint_goes_along_with_the_person_and_is_forgotten() -> None:
    rays, seen = walking(), all_seen()
    seen[:, 2:, WRIST] = False
    places, known = carried_of(rays, seen)
    assert known[0, :, WRIST].tolist() == [True] * (2 + KEPT_FRAMES) + [False] * (FRAMES - 2 - KEPT_FRAMES)
    np.testing.assert_allclose(places[known], rays[known], atol=1e-12)
    assert not places[~known].any()


def test_a_hidden_wrist_goes_along_with_its_elbow() -> None:
    rays, seen = walking(), all_seen()
    seen[:, 6:, WRIST] = False
    rays[:, 6:, ELBOW] += 0.5
    places, _ = carried_of(rays, seen)
    np.testing.assert_allclose(places[:, 6:, WRIST] - rays[:, 6:, WRIST], 0.5, atol=1e-12)


def test_an_arm_that_is_hidden_as_a_whole_goes_along_with_the_shoulder() -> None:
    rays, seen = walking(), all_seen()
    seen[:, 6:, [ELBOW, WRIST]] = False
    rays[:, 6:, JOINTS.index("left_shoulder")] += 0.5
    places, _ = carried_of(rays, seen)
    np.testing.assert_allclose(places[:, 6:, WRIST] - rays[:, 6:, WRIST], 0.5, atol=1e-12)


def test_a_joint_that_comes_back_is_seen_as_it_is() -> None:
    rays, seen = walking(), all_seen()
    rays[:, 6:, WRIST] += 0.5
    seen[:, 3:6, WRIST] = False
    places, known = carried_of(rays, seen)
    np.testing.assert_array_equal(places[:, 6:, WRIST], rays[:, 6:, WRIST])
    assert known.all()


def test_a_joint_that_was_never_seen_is_not_known() -> None:
    seen = all_seen()
    seen[:, :5, WRIST] = False
    places, known = carried_of(walking(), seen)
    assert not places[:, :5, WRIST].any()
    np.testing.assert_array_equal(known, seen)


def test_a_row_depends_on_no_more_frames_than_a_lifter_of_one_frame_is_given() -> None:
    rng = np.random.default_rng(3)
    rays, seen = rng.normal(0.0, 0.1, (40, 27, len(JOINTS), 2)), rng.random((40, 27, len(JOINTS))) < 0.4
    long, short = (carried_of(rays[:, -rows:], seen[:, -rows:]) for rows in (27, 1 + KEPT_FRAMES))
    np.testing.assert_array_equal(long[1][:, -1], short[1][:, -1])
    np.testing.assert_allclose(long[0][:, -1], short[0][:, -1], atol=1e-12)


def test_a_window_shows_its_newest_row_as_a_single_frame_does() -> None:
    rays, seen = walking(), all_seen()
    window, single = seen_by(rays, seen), seen_by(rays[:, -1:], seen[:, -1:])
    np.testing.assert_allclose(window.newest(1).points, single.points, atol=1e-12)
    np.testing.assert_allclose(window.size, single.size)
    np.testing.assert_allclose(window.R_camera_turned, single.R_camera_turned)


def test_a_window_shows_a_hidden_joint_where_it_was_and_a_single_frame_does_not() -> None:
    rays, seen = walking(), all_seen()
    complete = seen_by(rays, seen)
    seen[:, -2:, WRIST] = False
    window, single = seen_by(rays, seen), seen_by(rays[:, -1:], seen[:, -1:])
    np.testing.assert_allclose(window.points[0, -1, WRIST], complete.points[0, -1, WRIST], atol=1e-9)
    assert not single.points[0, -1, WRIST].any()


@pytest.mark.parametrize("model", ["lifter_vae", "lifter_vae_temporal", "lifter_selfsup"])
def test_a_lifter_remembers_a_wrist_that_was_hidden_a_moment_ago(model: str) -> None:
    lifter = open_lifter(model, MethodOptions())
    window = standing_person.window(JOINTS, lifter.receptive_field)
    now, always = (np.zeros(window.confidence.shape, dtype=np.bool_) for _ in range(2))
    now[-1, WRIST], always[:, WRIST] = True, True
    complete, remembered, guessed = (w.lifted_by(lifter) for w in (window, window.with_unseen(now), window.with_unseen(always)))
    off, far_off = (np.linalg.norm(pose_m[WRIST] - complete[WRIST]) for pose_m in (remembered, guessed))
    assert off < 0.2 * far_off
    lifter.close()
