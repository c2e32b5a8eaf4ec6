"""Joints that nobody sees are put where the pose has them."""

from __future__ import annotations

import numpy as np
import pytest
from xnect_scenes import row

from posewire import camera
from posewire.data import Camera
from posewire_data.joints import root_relative
from posewire_xnect import hidden
from posewire_xnect.skeleton import J

VIEW = camera.assumed(1280, 720)
BENT = Camera(1280, 720, VIEW.K, np.array([-0.2, 0.05, 0.001, -0.002, 0.0]))


@pytest.mark.parametrize("view", [VIEW, BENT])
def test_a_hidden_joint_of_a_true_pose_is_where_it_would_be_seen(view: Camera) -> None:
    joints_m = row(4, 4)[1] + np.array([[-1.0, 0.1, 0.5]])
    truth_px = camera.project(joints_m, view)
    seen = np.random.default_rng(0).random((4, J)) > 0.5
    confidence = np.where(seen, 0.8, 0.0)
    points_px = np.where(seen[..., None], truth_px, np.nan)
    distance_m = hidden.root_m(points_px, confidence, root_relative(joints_m), view)
    np.testing.assert_allclose(distance_m, joints_m[:, 0], atol=1e-3)
    filled_px, filled = hidden.filled(points_px, confidence, root_relative(joints_m), view)
    np.testing.assert_allclose(filled_px, truth_px, atol=0.3)
    assert (filled[seen] == 0.8).all() and (filled[~seen] == hidden.CONFIDENCE).all()


def test_what_is_seen_stays_where_it_is() -> None:
    joints_m = row(1, 2)[1]
    points_px = camera.project(joints_m, VIEW) + np.random.default_rng(1).normal(0.0, 30.0, (2, J, 2))
    filled_px, filled = hidden.filled(points_px, np.full((2, J), 0.4), root_relative(joints_m), VIEW)
    np.testing.assert_array_equal(filled_px, points_px)
    assert (filled == 0.4).all()


def test_a_guess_far_outside_the_picture_is_not_told() -> None:
    joints_m = row(0, 1)[1]
    joints_m = joints_m + np.array([0.0, 0.7, 1.0 - joints_m[0, 0, 2]])  # the knees are far below the lower edge
    truth_px = camera.project(joints_m, VIEW)
    seen = (truth_px > 0).all(axis=-1) & (truth_px < [1280, 720]).all(axis=-1)
    far = (truth_px[..., 1] > 1.5 * 720) | (truth_px[..., 0] < -640) | (truth_px[..., 0] > 1.5 * 1280)
    filled_px, filled = hidden.filled(np.where(seen[..., None], truth_px, np.nan), seen * 0.9, root_relative(joints_m), VIEW)
    assert far.any() and np.isnan(filled_px[far]).all() and (filled[far] == 0).all()


def test_a_pose_that_could_only_stand_behind_the_camera_fills_nothing() -> None:
    joints_m = row(1, 1)[1]
    mirrored = -root_relative(joints_m)  # upside down and turned round: the rays cross behind the camera
    points_px = camera.project(joints_m, VIEW)
    points_px[0, 3:6] = np.nan
    confidence = np.where(np.isfinite(points_px[..., 0]), 0.9, 0.0)
    filled_px, filled = hidden.filled(points_px, confidence, mirrored, VIEW)
    assert np.isnan(filled_px[0, 3:6]).all() and (filled[0, 3:6] == 0).all()
