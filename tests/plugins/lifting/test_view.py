"""What a network sees: the same for every place in the picture and every size, and the way back to the camera."""

from __future__ import annotations

import numpy as np
import pytest

from posewire_data.joints import HIPS, JOINTS, ROOT
from posewire_lifting.view import MIN_SEEN, seen_by


def person_m(seed: int = 0) -> np.ndarray:
    """(17, 3) a pose of any kind, root at the origin."""
    pose = np.random.default_rng(seed).normal(0.0, 0.3, (len(JOINTS), 3))
    pose[ROOT] = 0.5 * (pose[HIPS[0]] + pose[HIPS[1]])
    return pose - pose[ROOT]


def placed_m(at: list[float]) -> np.ndarray:
    """(17, 3) in front of the camera."""
    return person_m() + np.array(at)


def rays_of(points_m: np.ndarray) -> np.ndarray:
    return (points_m[..., :2] / points_m[..., 2:])[None, None]


ALL = np.ones((1, 1, len(JOINTS)), dtype=bool)


def test_a_turned_camera_sees_the_same() -> None:
    placed = placed_m([0.0, 0.0, 4.0])
    yaw = 0.4
    R = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    straight, aside = (seen_by(rays_of(points), ALL) for points in (placed, placed @ R.T))
    # The mean of rays is no fixed direction of the body, so the two turned cameras differ by a hair.
    np.testing.assert_allclose(aside.points, straight.points, atol=0.05)
    np.testing.assert_allclose(aside.size, straight.size, atol=0.05)


def test_a_person_twice_as_far_differs_in_size_and_perspective_only() -> None:
    near, far = (seen_by(rays_of(0.01 * person_m() + np.array([0.0, 0.0, z])), ALL) for z in (2.0, 4.0))
    np.testing.assert_allclose(near.points, far.points, atol=0.02)
    np.testing.assert_allclose(near.size - far.size, np.log(2.0), atol=0.01)


def test_to_camera_undoes_to_turned() -> None:
    view = seen_by(rays_of(placed_m([1.0, -0.5, 3.0])), ALL)
    points = np.random.default_rng(1).normal(size=(1, 5, 17, 3))
    np.testing.assert_allclose(view.to_camera(view.to_turned(points)), points, atol=1e-12)


def test_the_turned_cameras_axis_goes_through_the_person() -> None:
    placed = placed_m([2.0, 1.0, 4.0])
    view = seen_by(rays_of(placed), ALL)
    turned = view.to_turned(placed[None])
    assert abs(turned[0, :, :2].mean(axis=0) / turned[0, :, 2].mean()).max() < 0.05


def test_an_unseen_joint_says_nothing() -> None:
    rays = rays_of(placed_m([0.0, 0.0, 4.0]))
    wild, nan = rays.copy(), rays.copy()
    wild[0, 0, 3], nan[0, 0, 3] = 99.0, np.nan
    hidden = ALL.copy()
    hidden[0, 0, 3] = False
    first, second = seen_by(wild, hidden), seen_by(nan, ALL)
    np.testing.assert_array_equal(first.points, second.points)
    assert first.seen[0, 0, 3] == 0


def test_the_pelvis_is_the_middle_of_the_hips_and_unknown_without_them() -> None:
    rays = rays_of(placed_m([0.0, 0.0, 4.0]))
    rays[0, 0, ROOT] = np.nan
    assert seen_by(rays, ALL).seen[0, 0, ROOT] == 1
    rays[0, 0, HIPS[0]] = np.nan
    assert seen_by(rays, ALL).seen[0, 0, ROOT] == 0


@pytest.mark.parametrize("count", [0, MIN_SEEN - 1])
def test_too_few_joints_are_not_usable_and_come_back_as_nan(count: int) -> None:
    seen = np.zeros_like(ALL)
    seen[0, 0, 7 : 7 + count] = True
    view = seen_by(rays_of(placed_m([0.0, 0.0, 4.0])), seen)
    assert not view.usable[0]
    assert np.isnan(view.to_camera(np.zeros((1, 17, 3)))).all()
    assert all(np.isfinite(value).all() for value in view.inputs().values())


def test_keypoints_that_lie_on_one_another_are_not_usable() -> None:
    assert not seen_by(np.zeros((1, 1, 17, 2)), ALL).usable[0]
