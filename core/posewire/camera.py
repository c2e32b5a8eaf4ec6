"""Pinhole projection, rays, virtual crop cameras and calibration files. Values: posewire.data.Camera.

Projection and distortion follow OpenCV's calib3d documentation (k1 k2 p1 p2 k3).
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, get_args

import cv2
import numpy as np
from numpy.typing import ArrayLike

from posewire import rotation
from posewire.data import Camera, CameraOrigin, FloatArray
from posewire.errors import CalibrationError
from posewire.settings import FOV_RANGE_DEG

DEFAULT_VERTICAL_FOV_DEG = 54.0
"""Mehta 2020, section 8.2.1: assumed when the camera is not calibrated."""


def assumed(width_px: int, height_px: int, vertical_fov_deg: float = DEFAULT_VERTICAL_FOV_DEG) -> Camera:
    """An uncalibrated camera: square pixels, principal point in the middle, world at the camera.

    Raises:
        CalibrationError: the field of view is outside 5-175 degrees.
    """
    low, high = FOV_RANGE_DEG
    if not low <= vertical_fov_deg <= high:
        raise CalibrationError(
            "The vertical field of view is not usable.",
            got=f"{vertical_fov_deg:g} degrees",
            allowed=f"{low:g} to {high:g} degrees",
            hint="--fov 54 suits most webcams",
        )
    focal_px = 0.5 * height_px / math.tan(math.radians(vertical_fov_deg) / 2)
    K = np.array([[focal_px, 0, (width_px - 1) / 2], [0, focal_px, (height_px - 1) / 2], [0, 0, 1.0]])
    return Camera(width_px, height_px, K)


def resized(camera: Camera, width_px: int, height_px: int) -> Camera:
    """The same camera delivering another resolution of the same picture; the aspect ratio must agree within 2 %.

    A pixel's centre is at whole numbers, so a point x of the picture is at (x + 1/2) s - 1/2 of the one that is s times as wide.

    Raises:
        CalibrationError: the aspect ratios differ: the calibration is for another picture.
    """
    sx, sy = width_px / camera.width_px, height_px / camera.height_px
    if abs(sx / sy - 1) > 0.02:
        raise CalibrationError(
            "The camera file does not fit this source.",
            got=f"source {width_px}x{height_px}, calibration {camera.width_px}x{camera.height_px}",
            allowed="the same aspect ratio",
            hint="calibrate this source, or leave --camera away",
        )
    scale = np.array([[sx, 0.0, (sx - 1) / 2], [0.0, sy, (sy - 1) / 2], [0.0, 0.0, 1.0]])
    return Camera(width_px, height_px, scale @ camera.K, camera.distortion, camera.T_world_camera, camera.origin)


def project(points_m: ArrayLike, camera: Camera) -> FloatArray:
    """Points (..., 3) in camera axes to pixels (..., 2); NaN where a point is not in front of the camera."""
    points = np.asarray(points_m, dtype=np.float64)
    z = np.where(points[..., 2] > 1e-6, points[..., 2], np.nan)
    x, y = points[..., 0] / z, points[..., 1] / z
    if np.any(camera.distortion):
        x, y = _distort(x, y, camera.distortion)
    K = camera.K
    return np.stack([K[0, 0] * x + K[0, 1] * y + K[0, 2], K[1, 1] * y + K[1, 2]], axis=-1)


def _distort(x: FloatArray, y: FloatArray, distortion: FloatArray) -> tuple[FloatArray, FloatArray]:
    k1, k2, p1, p2, k3 = distortion
    r2 = x * x + y * y
    radial = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
    return x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x), y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y


def undistort_px(keypoints_px: ArrayLike, camera: Camera) -> FloatArray:
    """Pixels (..., 2) as a camera with the same K and no distortion would see them; NaN stays NaN."""
    pixels = np.asarray(keypoints_px, dtype=np.float64)
    if not camera.distortion.any():
        return pixels.copy()
    out = np.full(pixels.shape, np.nan)
    seen = np.isfinite(pixels).all(axis=-1)
    if seen.any():
        points = np.ascontiguousarray(pixels[seen]).reshape(-1, 1, 2)
        out[seen] = np.asarray(cv2.undistortPoints(points, camera.K, camera.distortion, P=camera.K)).reshape(-1, 2)
    return out


def rays(keypoints_px: ArrayLike, camera: Camera) -> FloatArray:
    """Pixels (..., 2) to points (..., 3) at z = 1 on their viewing rays, camera axes."""
    pixels = undistort_px(keypoints_px, camera)
    K = camera.K
    y = (pixels[..., 1] - K[1, 2]) / K[1, 1]
    x = (pixels[..., 0] - K[0, 2] - K[0, 1] * y) / K[0, 0]
    return np.stack([x, y, np.ones_like(x)], axis=-1)


def R_camera_crop(centre_px: ArrayLike, camera: Camera) -> FloatArray:
    """Rotation (..., 4) from a crop's virtual camera, which looks straight at `centre_px` (..., 2), to the real camera.

    A crop is a rotated virtual camera (Mehta 2020, appendix B.1): 3D that a network says of a crop must be turned by it.
    """
    x, y, _ = np.moveaxis(rays(centre_px, camera), -1, 0)
    # The shortest turn of z = (0, 0, 1) to a direction r of length n: (n + r_z, z x r), normalised.
    return rotation.normalise(np.stack([np.sqrt(x * x + y * y + 1.0) + 1.0, -y, x, np.zeros_like(x)], axis=-1))


def to_world(points_m: ArrayLike, camera: Camera) -> FloatArray:
    """Points (..., 3) in camera axes to world axes."""
    T = camera.T_world_camera
    return np.asarray(points_m, dtype=np.float64) @ T[:3, :3].T + T[:3, 3]


def to_camera(points_m: ArrayLike, camera: Camera) -> FloatArray:
    """Points (..., 3) in world axes to camera axes."""
    T = camera.T_world_camera
    return (np.asarray(points_m, dtype=np.float64) - T[:3, 3]) @ T[:3, :3]


def save(camera: Camera, path: Path) -> None:
    """Writes a camera file (JSON)."""
    values: dict[str, Any] = {
        "posewire_camera": 1,
        "width_px": camera.width_px,
        "height_px": camera.height_px,
        "K": camera.K.tolist(),
        "distortion": camera.distortion.tolist(),
        "T_world_camera": camera.T_world_camera.tolist(),
        "origin": camera.origin,
    }
    path.write_text(json.dumps(values, indent=1), encoding="utf-8")


def load(path: Path) -> Camera:
    """Reads a camera file.

    Raises:
        CalibrationError: the file is missing, is not JSON, or lacks a field.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8-sig"))
        camera = Camera(
            int(values["width_px"]),
            int(values["height_px"]),
            np.array(values["K"], dtype=np.float64),
            np.array(values.get("distortion", [0.0] * 5), dtype=np.float64),
            np.array(values.get("T_world_camera", np.diag([1.0, -1.0, -1.0, 1.0])), dtype=np.float64),
            values.get("origin", "calibrated"),
        )
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise CalibrationError(
            f"The camera file {path} cannot be used.",
            got=f"{type(error).__name__}: {error}",
            allowed="JSON with width_px, height_px, K (3x3) and optionally distortion (5) and T_world_camera (4x4)",
            hint="posewire calibrate writes one; without any, --fov DEGREES says roughly how wide the camera sees",
        ) from error
    return _checked(camera, path)


def _checked(camera: Camera, path: Path) -> Camera:
    finite = all(np.isfinite(a).all() for a in (camera.K, camera.distortion, camera.T_world_camera))
    if not finite or camera.K[0, 0] <= 0 or camera.K[1, 1] <= 0 or camera.width_px < 1 or camera.height_px < 1:
        raise CalibrationError(
            f"The camera file {path} holds impossible numbers.", got=camera.K.tolist(), allowed="finite numbers, fx and fy > 0"
        )
    if camera.origin not in get_args(CameraOrigin):
        raise CalibrationError(
            f"The camera file {path} has an unknown origin.", got=camera.origin, allowed=list(get_args(CameraOrigin))
        )
    return camera
