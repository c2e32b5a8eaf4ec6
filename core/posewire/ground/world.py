"""The world that a floor defines: +Y up, floor at y = 0, the camera looking towards -Z as in an uncalibrated world."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from posewire.data import Camera, CameraOrigin, FloatArray

_FORWARD, _PICTURE_UP = np.array([0.0, 0.0, 1.0]), np.array([0.0, -1.0, 0.0])
_STEEP = 0.05
"""Horizontal part of the view direction below which the camera looks straight down (3 degrees)."""


def world_from_floor(up_camera: ArrayLike, origin_m: ArrayLike) -> FloatArray:
    """T_world_camera (4, 4) of a floor.

    The heading follows the camera, not the object that showed the floor: whoever faces the camera faces +Z, with every
    kind of calibration. A camera that looks straight down has the top of its picture as -Z.

    Args:
        up_camera: (3,) away from the ground, camera axes; any length.
        origin_m: (3,) the point of the floor that becomes the world's origin, camera axes.
    """
    up = np.asarray(up_camera, dtype=np.float64)
    up = up / np.linalg.norm(up)
    ahead = _across(_FORWARD, up)
    if np.linalg.norm(ahead) < _STEEP:
        ahead = _across(_PICTURE_UP, up)
    back = -ahead / np.linalg.norm(ahead)
    T = np.eye(4)
    T[:3, :3] = np.stack([np.cross(up, back), up, back])
    T[:3, 3] = -T[:3, :3] @ np.asarray(origin_m, dtype=np.float64)
    return T


def _across(direction: FloatArray, up: FloatArray) -> FloatArray:
    """The part of a direction that is level."""
    return direction - (direction @ up) * up


def on_floor(camera: Camera, T_world_camera: FloatArray, origin: CameraOrigin) -> Camera:
    """The same camera standing in another world."""
    return replace(camera, T_world_camera=T_world_camera, origin=origin)
