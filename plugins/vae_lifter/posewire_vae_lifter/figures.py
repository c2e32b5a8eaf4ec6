"""Stick figures: as pictures for people, and as the images that the cross-modal form learns from. Drawn with OpenCV."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from posewire.data import ImageArray
from posewire.errors import PosewireError
from posewire_data.joints import JOINTS, PARENTS

Floats = NDArray[np.floating[Any]]

_LEFT, _RIGHT, _MIDDLE = (200, 90, 30), (40, 40, 210), (60, 60, 60)
"""BGR"""
_PACKED = (cv2.IMWRITE_PNG_COMPRESSION, 6, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_DEFAULT)
"""OpenCV's own choice is meant for photographs: drawings become a third larger."""


def bone_colour(joint: int) -> tuple[int, int, int]:
    """Left, right or middle."""
    name = JOINTS[joint]
    return _LEFT if name.startswith("left_") else _RIGHT if name.startswith("right_") else _MIDDLE


def draw(picture: ImageArray, points_px: Floats, colour: tuple[int, int, int] | None = None, thickness: int = 2) -> None:
    """Draws bones between points (17, 2) into the picture."""
    pixels = np.round(points_px * 16).astype(int)  # sixteenths of a pixel
    for joint, parent in enumerate(PARENTS):
        if parent >= 0:
            ends = (tuple(map(int, pixels[joint])), tuple(map(int, pixels[parent])))
            cv2.line(picture, *ends, colour or bone_colour(joint), thickness, cv2.LINE_AA, shift=4)


def strip(poses_m: Floats, size_px: int = 220) -> ImageArray:
    """Poses (N, 17, 3) side by side: from the camera above, from their side below."""
    rows = [[_panel(pose[:, axes], size_px) for pose in poses_m] for axes in ([0, 1], [2, 1])]
    return np.concatenate([np.concatenate(row, axis=1) for row in rows])


def cloud(poses_m: Floats, mode_m: Floats, size_px: int = 440) -> ImageArray:
    """Hypotheses (N, 17, 3) in light grey under their mode, from the camera and from the side."""
    panels: list[ImageArray] = []
    for axes in ([0, 1], [2, 1]):
        panel = _blank(size_px)
        for pose in poses_m:
            draw(panel, _to_pixels(pose[:, axes], size_px), (190, 190, 190), 1)
        draw(panel, _to_pixels(mode_m[:, axes], size_px))
        panels.append(panel)
    return np.concatenate(panels, axis=1)


def _panel(points_m: Floats, size_px: int) -> ImageArray:
    panel = _blank(size_px)
    draw(panel, _to_pixels(points_m, size_px))
    return panel


def _blank(size_px: int) -> ImageArray:
    return np.full((size_px, size_px, 3), 255, np.uint8)


def _to_pixels(points_m: Floats, size_px: int) -> Floats:
    """Root-relative metres to pixels: two metres fill the panel."""
    return size_px * (0.5 + points_m / 2.2)


def rendered(points: Floats, size_px: int) -> NDArray[np.float32]:
    """Points (B, 17, 2) in units of the person's size to images (B, 3, size, size), 0..1, the person in the middle."""
    images = np.zeros((len(points), size_px, size_px, 3), np.uint8)
    for image, person in zip(images, points, strict=True):
        draw(image, size_px * (0.5 + person / 5.0), thickness=max(1, size_px // 40))
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2), dtype=np.float32) / 255.0


def write(path: Path, picture: ImageArray) -> None:
    """Writes a PNG.

    Raises:
        PosewireError: the file cannot be written.
    """
    _, png = cv2.imencode(".png", picture, _PACKED)
    try:
        path.write_bytes(png.tobytes())
    except OSError as error:
        raise PosewireError(f"{path} cannot be written.", got=error, allowed="a file name in an existing folder") from error
