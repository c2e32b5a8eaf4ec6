"""Virtual cameras: projection against Posewire's own, framing, and 2D that holds no 3D."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from posewire import camera
from posewire.data import Camera
from posewire_data.errors import DatasetError
from posewire_data.joints import JOINTS, ROOT
from posewire_data.views import Views2D, random_views, views_of
from posewire_data.virtual_cameras import CameraRanges, projected, random_cameras


def test_projection_agrees_with_posewires_camera(waving_m: np.ndarray) -> None:
    cameras = random_cameras(np.random.default_rng(1), np.tile(waving_m[0, ROOT], (20, 1)))
    poses = np.tile(waving_m[0], (20, 1, 1))
    pixels = cameras.to_pixels(projected(cameras.to_camera(poses)))
    for i in range(20):
        T_world_camera = np.eye(4)
        T_world_camera[:3, :3] = cameras.R_camera_world[i].T
        T_world_camera[:3, 3] = cameras.centre_m[i]
        own = Camera(int(cameras.size_px[i, 0]), int(cameras.size_px[i, 1]), cameras.K[i], T_world_camera=T_world_camera)
        np.testing.assert_allclose(pixels[i], camera.project(camera.to_camera(poses[i], own), own), atol=1e-6)


def test_cameras_are_proper_rotations_and_stand_where_they_were_asked_to(waving_m: np.ndarray) -> None:
    ranges = CameraRanges(distance_m=(2.0, 5.0), height_m=(0.5, 2.0))
    targets_m = np.tile(waving_m[0, ROOT], (500, 1))
    cameras = random_cameras(np.random.default_rng(2), targets_m, ranges)
    identity = cameras.R_camera_world @ np.swapaxes(cameras.R_camera_world, 1, 2)
    np.testing.assert_allclose(identity, np.tile(np.eye(3), (500, 1, 1)), atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(cameras.R_camera_world), 1.0)
    distance_m = np.linalg.norm(cameras.centre_m - targets_m, axis=1)
    assert distance_m.min() > 2.0 - 1e-9 and distance_m.max() < 5.0 + 1e-9
    assert cameras.centre_m[:, 1].min() >= 0.5 and cameras.centre_m[:, 1].max() <= 2.0


def test_people_stand_upright_in_the_picture_and_mostly_inside_it(waving_m: np.ndarray) -> None:
    rng = np.random.default_rng(3)
    views = random_views(rng, np.tile(waving_m[0], (500, 1, 1)), mirror=0.0)
    seen = views.seen.normalised
    assert (seen[:, JOINTS.index("head_top"), 1] < seen[:, JOINTS.index("left_ankle"), 1]).all()
    pixels, last = views.cameras.to_pixels(seen), views.cameras.size_px[:, None] - 1
    assert ((pixels >= 0) & (pixels <= last)).all(axis=-1).mean() > 0.95


def test_a_window_is_seen_by_one_camera_that_stands_still(waving_m: np.ndarray) -> None:
    views = random_views(np.random.default_rng(4), np.stack([waving_m[:9], waving_m[20:29]]), mirror=0.0)
    assert views.seen.normalised.shape == (2, 9, 17, 2) and len(views.cameras) == 2
    still = np.linalg.norm(np.diff(views.positions_m[:, :, ROOT], axis=1), axis=-1)
    moved = np.linalg.norm(np.diff(waving_m[:9, ROOT], axis=0), axis=-1)
    np.testing.assert_allclose(still[0], moved, atol=1e-9)


def test_the_same_seed_sees_the_same(waving_m: np.ndarray) -> None:
    a, b = (random_views(np.random.default_rng(5), waving_m) for _ in range(2))
    np.testing.assert_array_equal(a.seen.normalised, b.seen.normalised)


def test_what_is_behind_the_camera_is_unseen(waving_m: np.ndarray) -> None:
    cameras = random_cameras(np.random.default_rng(6), waving_m[:1, ROOT])
    behind = waving_m[:1] + 4 * (cameras.centre_m - waving_m[:1, ROOT])[:, None]
    views = views_of(behind, cameras)
    assert np.isnan(views.seen.normalised).all() and (views.seen.confidence == 0).all()


def test_2d_for_training_without_labels_holds_no_3d() -> None:
    assert [field.name for field in dataclasses.fields(Views2D)] == ["normalised", "confidence"]


def test_a_range_that_is_none_is_refused() -> None:
    with pytest.raises(DatasetError, match="fill"):
        CameraRanges(fill=(0.9, 0.3))
