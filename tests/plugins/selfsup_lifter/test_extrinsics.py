"""Two cameras are found from a person's joints alone; the scale is said, not invented."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from posewire.errors import CalibrationError
from posewire_selfsup_lifter import extrinsics
from posewire_selfsup_lifter.views import MultiView2D

CENTRES = np.array([[0.0, 0, 0], [3.0, -0.4, 1.5], [-2.0, 0.3, 1.0]])
TURNS = Rotation.from_rotvec([[0, 0, 0], [0.05, 0.75, -0.02], [0.1, -0.5, 0.0]]).as_matrix()


def joints_m(instants=60):
    """A body of five joints wandering about, four metres before the first camera, one of them a head 1.6 m above the feet."""
    rng = np.random.default_rng(3)
    body = np.array([[0.0, -0.8, 0.1], [0.2, 0.0, 0.0], [-0.3, 0.1, 0.2], [0.1, 0.8, 0.0], [-0.1, 0.8, 0.1]])
    return body + rng.normal(0, 0.1, (instants, 5, 3)) + rng.normal(0, 0.6, (instants, 1, 3)) + [0, 0, 4.0]


def seen_by_all(noise=0.0, views=3, joints=None):
    points = joints_m() if joints is None else joints
    in_camera = np.einsum("vij,nvkj->nvki", TURNS[:views], points[:, None] - CENTRES[None, :views, None])
    rays = in_camera[..., :2] / in_camera[..., 2:]
    rays = rays + np.random.default_rng(4).normal(0, noise, rays.shape) if noise else rays
    return MultiView2D(("head", "hip", "hand", "left_ankle", "right_ankle"), rays, np.ones(rays.shape[:3]))


def angle_deg(a, b):
    return np.degrees(Rotation.from_matrix(a @ b.T).magnitude())


@pytest.mark.parametrize(("noise", "degrees"), [(0.0, 0.01), (0.002, 1.5)])
def test_the_second_camera_is_found_up_to_its_distance(noise, degrees):
    found = extrinsics.found(seen_by_all(noise, views=2)).extrinsics
    assert angle_deg(found.R_camera_world[0, 1], TURNS[1]) < degrees
    direction = CENTRES[1] / np.linalg.norm(CENTRES[1])
    assert np.degrees(np.arccos(found.centre_m[0, 1] @ direction)) < 2 * degrees
    assert found.scale == "unknown"


def test_a_fifth_of_wrong_joints_does_not_matter():
    views = seen_by_all(0.001, views=2)
    rays = views.rays.copy()
    wrong = np.random.default_rng(5).random(rays.shape[:3]) < 0.1
    rays[wrong] += np.random.default_rng(6).normal(0, 0.3, rays[wrong].shape)
    found = extrinsics.found(MultiView2D(views.joints, rays, views.confidence)).extrinsics
    assert angle_deg(found.R_camera_world[0, 1], TURNS[1]) < 2.0


def test_a_third_camera_stands_at_its_own_distance():
    centres = extrinsics.found(seen_by_all()).extrinsics.centre_m[0]
    np.testing.assert_allclose(centres * np.linalg.norm(CENTRES[1]), CENTRES, atol=1e-3)


def test_the_measured_distance_of_the_cameras_gives_metres():
    views = extrinsics.scaled_by_distance(extrinsics.found(seen_by_all()), float(np.linalg.norm(CENTRES[1])))
    np.testing.assert_allclose(views.extrinsics.centre_m[0], CENTRES, atol=1e-3)
    assert views.extrinsics.scale == "camera distance"


def test_triangulation_finds_the_joints_and_says_nan_for_what_one_view_sees():
    points = joints_m()[:, 0]
    rays = seen_by_all().rays[:, :, 0].copy()
    rays[0, 1:] = np.nan
    found = extrinsics.triangulated(rays, TURNS, CENTRES)
    np.testing.assert_allclose(found[1:], points[1:], atol=1e-9)
    assert np.isnan(found[0]).all()


def test_one_pose_is_too_little():
    with pytest.raises(CalibrationError, match="Too few joints"):
        extrinsics.found(seen_by_all(joints=joints_m(4)))


def test_views_of_different_moments_are_refused():
    views = seen_by_all(views=2)
    rays = views.rays.copy()
    rays[:, 1] = np.random.default_rng(7).normal(0, 0.3, rays[:, 1].shape)
    with pytest.raises(CalibrationError, match="No camera geometry"):
        extrinsics.found(MultiView2D(views.joints, rays, views.confidence), threshold=0.001)


def test_a_scale_of_zero_is_refused():
    with pytest.raises(CalibrationError, match="scale"):
        extrinsics.scaled_by_distance(extrinsics.found(seen_by_all()), 0.0)
