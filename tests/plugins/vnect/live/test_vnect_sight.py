"""Windows, patches and perspective: the read-out of the network, exact."""

from __future__ import annotations

import math

import numpy as np
import pytest
from vnect_dots import J, map_m

from posewire import camera, rotation
from posewire_vnect.names import PATCH, STRIDE_PX, cell_of, pixel_of
from posewire_vnect.perspective import to_camera
from posewire_vnect.sight import Sight, in_patch, read
from posewire_vnect.window import Window

CAMERA = camera.assumed(640, 480)


def patches_at(corners: np.ndarray) -> np.ndarray:
    row, column = np.mgrid[:PATCH, :PATCH]
    return np.moveaxis(map_m(corners[:, None, None] + np.stack([column, row], axis=-1)), -1, 1)


def test_between_cells_the_maps_are_read_bilinearly() -> None:
    corners = np.tile([4, 9], (J, 1))
    at = corners + np.random.default_rng(0).uniform(0, PATCH - 1, (J, 2))
    np.testing.assert_allclose(read(patches_at(corners), corners, at), map_m(at), atol=1e-12)


def test_at_a_cell_the_maps_are_read_as_they_are() -> None:
    corners = np.zeros((J, 2))
    patches = np.random.default_rng(1).normal(size=(J, 3, PATCH, PATCH))
    for x, y in ((0, 0), (4, 0), (2, 3), (4, 4)):
        np.testing.assert_allclose(read(patches, corners, np.tile([x, y], (J, 1))), patches[:, :, y, x], atol=1e-12)


def test_a_point_outside_its_patch_reads_the_patchs_edge() -> None:
    corners = np.zeros((J, 2))
    patches = np.random.default_rng(1).normal(size=(J, 3, PATCH, PATCH))
    np.testing.assert_allclose(read(patches, corners, np.tile([9.0, -3.0], (J, 1))), patches[:, :, 0, 4], atol=1e-12)


def test_an_unseen_point_reads_nan() -> None:
    corners, at = np.zeros((J, 2)), np.ones((J, 2))
    at[3] = np.nan
    values = read(patches_at(corners), corners, at)
    assert np.isnan(values[3]).all()
    assert np.isfinite(np.delete(values, 3, axis=0)).all()


def test_cells_and_pixels_are_those_of_the_contract() -> None:
    window = Window(100.0, 50.0, 512.0, 0.4)
    sight = Sight(window, 256, np.array([[3.25, 17.5]]), np.ones(1), np.zeros((1, 2)), np.zeros((1, 3, PATCH, PATCH)))
    crop_px = np.array([[pixel_of(3.25), pixel_of(17.5)]])
    np.testing.assert_allclose(sight.peaks_px, window.to_picture(crop_px, 256), atol=1e-12)
    np.testing.assert_allclose(sight.cells_of(sight.peaks_px), [[3.25, 17.5]], atol=1e-12)
    assert cell_of(STRIDE_PX / 2 - 0.5) == 0.0


def test_a_point_is_in_its_patch_up_to_the_outermost_centres() -> None:
    sight = Sight(Window(0, 0, 256.0), 256, np.zeros((3, 2)), np.ones(3), np.zeros((3, 2)), np.zeros((3, 3, PATCH, PATCH)))
    points_px = sight.window.to_picture(np.array([[pixel_of(x), pixel_of(2.0)] for x in (0.0, 4.0, 4.1)]), 256)
    assert in_patch(sight, points_px).tolist() == [True, True, False]


@pytest.mark.parametrize("turn_rad", [0.0, math.pi / 2, -2.0])
def test_a_crop_shows_what_the_window_says(turn_rad: float) -> None:
    image = np.zeros((300, 400, 3), np.uint8)
    image[118:123, 148:153] = 255  # around (150, 120)
    window = Window(160.0, 130.0, 64.0, turn_rad)
    crop = window.crop(image, 128)
    y, x = np.nonzero(crop[..., 0] > 127)
    np.testing.assert_allclose(window.to_picture(np.array([x.mean(), y.mean()]), 128), [150, 120], atol=0.3)


def test_the_windows_centre_is_the_crops_centre_pixel() -> None:
    window = Window(31.0, -4.0, 99.0, 1.0)
    np.testing.assert_allclose(window.to_picture(np.array([127.5, 127.5]), 256), [31, -4], atol=1e-12)
    np.testing.assert_allclose(window.to_crop(np.array([31.0, -4.0]), 256), [127.5, 127.5], atol=1e-12)


def test_in_the_window_scaled_by_07_everything_looks_smaller() -> None:
    assert Window(0, 0, 70.0).scaled(0.7).side_px == pytest.approx(100.0)


@pytest.mark.parametrize("bad", [Window(0, 0, 1.0), Window(math.nan, 0, 100), Window(0, math.inf, 100), Window(0, 0, 1e7)])
def test_a_degenerate_window_is_not_used(bad: Window) -> None:
    assert not bad.usable


def test_what_lies_straight_ahead_in_the_crop_lies_on_the_windows_ray() -> None:
    """B.1: the virtual camera looks through the window's centre."""
    window = Window(80.0, 400.0, 100.0)
    ahead = to_camera(np.array([[0.0, 0.0, 2.5]]), window, CAMERA)[0]
    np.testing.assert_allclose(camera.project(ahead, CAMERA), window.centre_px, atol=1e-9)
    assert np.linalg.norm(ahead) == pytest.approx(2.5)


def test_in_the_middle_of_the_picture_nothing_is_turned() -> None:
    points = np.random.default_rng(0).normal(size=(J, 3))
    centre = Window(CAMERA.K[0, 2], CAMERA.K[1, 2], 100.0)
    np.testing.assert_allclose(to_camera(points, centre, CAMERA), points, atol=1e-12)


def test_a_person_at_the_edge_comes_out_as_in_the_middle() -> None:
    """What the virtual camera sees of a person is turned by exactly the angle between the two views."""
    window = Window(620.0, 240.0, 100.0)
    points = np.random.default_rng(0).normal(size=(J, 3))
    angle = math.atan2(620.0 - CAMERA.K[0, 2], CAMERA.K[0, 0])
    turned = to_camera(points, window._replace(y_px=CAMERA.K[1, 2]), CAMERA)
    np.testing.assert_allclose(turned, rotation.rotate(rotation.exp([0.0, angle, 0.0]), points), atol=1e-12)


def test_a_turned_window_turns_the_pose_about_the_view() -> None:
    centre = Window(CAMERA.K[0, 2], CAMERA.K[1, 2], 100.0, math.pi / 2)
    np.testing.assert_allclose(to_camera(np.array([1.0, 0.0, 5.0]), centre, CAMERA), [0, 1, 5], atol=1e-12)


def test_unseen_stays_unseen() -> None:
    points = np.full((J, 3), np.nan)
    assert np.isnan(to_camera(points, Window(5, 5, 50.0), CAMERA)).all()
