"""The picture that shows what a calibration rests on: where corners were seen, how far off they are, and the floor."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from posewire import camera as cameras
from posewire.calibrate.calibration import Calibration
from posewire.calibrate.choosing import covered
from posewire.calibrate.intrinsics import Intrinsics
from posewire.calibrate.looking import Looked
from posewire.data import Camera, FloatArray, ImageArray
from posewire.image_file import write_image

_DARK = 0.45
_UNSEEN = np.array([70, 20, 20])
_GOOD, _BAD = (90, 220, 90), (250, 90, 60)
_FLOOR, _WORLD_UP = (90, 200, 255), (255, 230, 80)
_FLOOR_SIDE_M, _FLOOR_STEP_M = 2.0, 0.5


def write_picture(path: Path, looked: Looked, calibration: Calibration) -> None:
    """Writes the picture (.png, .jpg).

    Raises:
        PosewireError: the file cannot be written.
    """
    write_image(path, draw(looked, calibration))


def draw(looked: Looked, calibration: Calibration) -> ImageArray:
    """(H, W, 3) uint8 RGB."""
    image = (looked.last_image * _DARK).astype(np.uint8)
    if calibration.lens is not None:
        _draw_coverage(image, calibration.lens)
        _draw_corners(image, calibration.lens)
        _write_line(image, f"{calibration.lens.rms_px:.2f} px RMS, {calibration.lens.coverage:.0%} covered")
    if calibration.floor is not None:
        _draw_floor(image, calibration.camera)
    return image


def _draw_coverage(image: ImageArray, lens: Intrinsics) -> None:
    """Cells that no corner fell into turn reddish."""
    height_px, width_px = image.shape[:2]
    counts = covered(lens.views, width_px, height_px)
    mask = cv2.resize((counts == 0).astype(np.uint8), (width_px, height_px), interpolation=cv2.INTER_NEAREST)
    image[mask > 0] = np.minimum(image[mask > 0].astype(int) + _UNSEEN, 255)


def _draw_corners(image: ImageArray, lens: Intrinsics) -> None:
    """Green where the view agrees with the lens, red where it is far worse than the typical one."""
    radius = max(1, image.shape[1] // 500)
    limit_px = 1.5 * float(np.median(lens.view_rms_px))
    for view, rms_px in zip(lens.views, lens.view_rms_px, strict=True):
        for x, y in np.round(view.corners_px).astype(int).tolist():
            cv2.circle(image, (x, y), radius, _GOOD if rms_px <= limit_px else _BAD, -1, cv2.LINE_AA)


def _write_line(image: ImageArray, text: str) -> None:
    size = image.shape[1] / 1600
    place = (round(20 * size), round(40 * size))
    cv2.putText(image, text, place, cv2.FONT_HERSHEY_SIMPLEX, size, (255, 255, 255), max(1, round(2 * size)), cv2.LINE_AA)


def _draw_floor(image: ImageArray, camera: Camera) -> None:
    """A grid of 0.5 m around the world's origin, and half a metre of up."""
    steps = np.arange(-_FLOOR_SIDE_M, _FLOOR_SIDE_M + 1e-9, _FLOOR_STEP_M)
    along = np.linspace(-_FLOOR_SIDE_M, _FLOOR_SIDE_M, 81)
    for step in steps:
        _draw_line(image, camera, np.stack([along, 0 * along, np.full_like(along, step)], axis=1), _FLOOR)
        _draw_line(image, camera, np.stack([np.full_like(along, step), 0 * along, along], axis=1), _FLOOR)
    up = np.linspace(0.0, 0.5, 11)
    _draw_line(image, camera, np.stack([0 * up, up, 0 * up], axis=1), _WORLD_UP, 3)


def _draw_line(image: ImageArray, camera: Camera, points_m: FloatArray, colour: tuple[int, int, int], thickness: int = 1) -> None:
    """A line through world points (N, 3), where they are in the picture: outside, the distortion means nothing."""
    pixels = cameras.project(cameras.to_camera(points_m, camera), camera)
    height_px, width_px = image.shape[:2]
    with np.errstate(invalid="ignore"):
        inside = np.all((pixels >= 0) & (pixels < [width_px, height_px]), axis=1)
    for k in np.flatnonzero(inside[:-1] & inside[1:]):
        a, b = np.round(pixels[k : k + 2]).astype(int).tolist()
        cv2.line(image, a, b, colour, thickness, cv2.LINE_AA)
