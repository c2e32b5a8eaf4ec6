"""Projection, crops and camera files."""

import json

import cv2
import numpy as np
import pytest

from posewire import camera as cam
from posewire import rotation
from posewire.data import Camera
from posewire.errors import CalibrationError

DISTORTED = Camera(640, 480, np.array([[600.0, 0, 310], [0, 590.0, 245], [0, 0, 1]]), np.array([-0.2, 0.05, 0.001, -0.002, 0.01]))
POINTS = np.random.default_rng(2).uniform([-0.6, -0.5, 1.5], [0.6, 0.5, 4.0], (100, 3))


def test_projection_agrees_with_opencv():
    expected, _ = cv2.projectPoints(POINTS, np.zeros(3), np.zeros(3), DISTORTED.K, DISTORTED.distortion)
    np.testing.assert_allclose(cam.project(POINTS, DISTORTED), expected[:, 0], atol=1e-8)


def test_a_ray_goes_back_through_its_point():
    rays = cam.rays(cam.project(POINTS, DISTORTED), DISTORTED)
    np.testing.assert_allclose(rays, POINTS / POINTS[:, 2:], atol=1e-4)


def test_what_is_behind_the_camera_is_unseen():
    assert np.isnan(cam.project([[0, 0, -1.0], [0, 0, 0.0]], DISTORTED)).all()


def test_nan_pixels_stay_nan():
    rays = cam.rays([[np.nan, 3.0], [310.0, 245.0]], DISTORTED)
    assert np.isnan(rays[0, :2]).all()
    np.testing.assert_allclose(rays[1], [0, 0, 1], atol=1e-9)


def test_vertical_field_of_view_spans_the_picture():
    camera = cam.assumed(640, 480, 54.0)
    edge = cam.project([[0, np.tan(np.radians(27.0)), 1.0]], camera)
    np.testing.assert_allclose(edge[0, 1], 479.5, atol=1e-6)


@pytest.mark.parametrize("fov", [4.9, 175.1, -54, float("nan")])
def test_an_absurd_field_of_view_is_refused(fov):
    with pytest.raises(CalibrationError, match="5 to 175"):
        cam.assumed(640, 480, fov)


def test_a_crop_camera_looks_at_the_crop():
    pixel = np.array([100.0, 400.0])
    camera = cam.assumed(640, 480)
    ray = cam.rays(pixel, camera)
    np.testing.assert_allclose(
        rotation.rotate(cam.R_camera_crop(pixel, camera), [0, 0, 1.0]), ray / np.linalg.norm(ray), atol=1e-12
    )


def test_a_sheared_picture_is_projected_by_all_of_K():
    sheared = Camera(640, 480, np.array([[600.0, 25.0, 310], [0, 590.0, 245], [0, 0, 1]]))
    expected = POINTS @ sheared.K.T
    np.testing.assert_allclose(cam.project(POINTS, sheared), expected[:, :2] / expected[:, 2:], atol=1e-9)
    np.testing.assert_allclose(cam.rays(cam.project(POINTS, sheared), sheared), POINTS / POINTS[:, 2:], atol=1e-12)


def test_world_and_camera_axes_are_inverse():
    T = np.eye(4)
    T[:3, :3], T[:3, 3] = rotation.to_matrix(rotation.exp([0.3, -1.2, 0.5])), (1.0, -2.0, 3.0)
    placed = Camera(640, 480, DISTORTED.K, DISTORTED.distortion, T)
    world = cam.to_world(POINTS, placed)
    np.testing.assert_allclose(world, (T @ np.column_stack([POINTS, np.ones(100)]).T).T[:, :3], atol=1e-12)
    np.testing.assert_allclose(cam.to_camera(world, placed), POINTS, atol=1e-12)


def test_without_calibration_up_in_the_picture_is_up_in_the_world():
    np.testing.assert_allclose(cam.to_world([[1.0, -2.0, 3.0]], cam.assumed(640, 480)), [[1.0, 2.0, -3.0]])


def test_camera_file_round_trip(tmp_path):
    cam.save(DISTORTED, tmp_path / "camera.json")
    loaded = cam.load(tmp_path / "camera.json")
    np.testing.assert_array_equal(loaded.K, DISTORTED.K)
    np.testing.assert_array_equal(loaded.distortion, DISTORTED.distortion)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[1]",
        "[" * 100_000,
        json.dumps({"width_px": 4, "height_px": 4, "K": [[1, 2], [3, 4]]}),
        '{"width_px":1,"height_px":1,"K":[[0,0,0],[0,0,0],[0,0,1]]}',
        '{"width_px":1,"height_px":1,"K":[[1,0,0],[0,1,0],[0,0,1]],"origin":"guessed"}',
        '{"width_px":1,"height_px":1,"K":[[1,0,0],[0,1,0],[0,0,1]],"origin":["calibrated"]}',
    ],
)
def test_a_broken_camera_file_is_an_error_that_says_what_is_allowed(tmp_path, text):
    path = tmp_path / "camera.json"
    path.write_text(text)
    with pytest.raises(CalibrationError):
        cam.load(path)


def test_a_missing_camera_file_is_named(tmp_path):
    with pytest.raises(CalibrationError, match=r"nothing\.json"):
        cam.load(tmp_path / "nothing.json")


def test_a_resized_picture_shows_every_pixel_on_the_same_ray():
    pixels = cam.project(POINTS, DISTORTED)
    np.testing.assert_allclose(cam.project(POINTS, cam.resized(DISTORTED, 320, 240)), (pixels + 0.5) / 2 - 0.5, atol=1e-9)
    np.testing.assert_allclose(cam.resized(cam.assumed(640, 480), 1280, 960).K, cam.assumed(1280, 960).K, atol=1e-9)


def test_another_shape_than_the_calibrated_one_is_refused():
    with pytest.raises(CalibrationError, match="does not fit"):
        cam.resized(DISTORTED, 480, 640)
