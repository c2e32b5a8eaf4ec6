"""A crop is a virtual camera turned towards the person: what a network says of it is turned back (Mehta 2020, appendix B.1)."""

from __future__ import annotations

from posewire import camera as cameras
from posewire import rotation
from posewire.data import Camera, FloatArray
from posewire_vnect.window import Window, turn_matrix


def to_camera(points_m: FloatArray, window: Window, camera: Camera) -> FloatArray:
    """Points (..., 3) in the axes of the window's virtual camera to those of the real one; NaN stays NaN.

    First a turn about the viewing axis, if the window is turned in the picture, then the turn from the view through the window's
    centre to the camera's own. B.1 turns about the vertical axis only; this is the whole turn, as the training's labels have it.
    """
    level = points_m.copy()
    level[..., :2] = points_m[..., :2] @ turn_matrix(window.turn_rad).T
    return rotation.rotate(cameras.R_camera_crop(window.centre_px, camera), level)
