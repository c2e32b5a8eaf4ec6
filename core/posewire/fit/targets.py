"""What one frame asks of the pose: the data of every residual, as arrays that live as long as the person."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from posewire.data import FloatArray
from posewire.fit.body import Body


class Targets(NamedTuple):
    """A weight of 0 leaves its residual out, whatever the target holds (also NaN; but no angle is ever NaN)."""

    position_m: FloatArray
    """(M, 3) marker positions from the root, world axes."""
    position_w: FloatArray
    """(M,) per m^2."""
    pixel_px: FloatArray
    """(M, 2) undistorted pixels."""
    pixel_w: FloatArray
    """(M,) per px^2."""
    K: FloatArray
    """(3, 3)"""
    T_camera_world: FloatArray
    """(4, 4)"""
    predicted_m: FloatArray
    """(N, 3) where the joints are expected, world."""
    predicted_w: FloatArray
    """(N, 2) per m^2: across and along the line of sight."""
    sight: FloatArray
    """(3,) unit line of sight, world axes."""
    depth: FloatArray
    """(2,) expected distance of the root along the camera's axis, m; weight per m^2."""
    limit_w: FloatArray
    """(D,) per rad^2."""
    limit_shift_rad: FloatArray
    """(D,) by how much the ranges are moved; of twists, by where their bones point."""
    rest_rad: FloatArray
    """(D,) the angles of rest."""
    rest_w: FloatArray
    """(D,) per rad^2."""
    previous_rad: FloatArray
    """(D,) the angles of the frame before."""
    damping_w: FloatArray
    """(D,) per rad^2."""
    contact_m: FloatArray
    """(N, 3) where joints on the ground landed, world."""
    contact_w: FloatArray
    """(N,) per m^2."""


def make_targets(body: Body) -> Targets:
    """Nothing asked: every weight 0."""
    M, N, D = len(body.marker_joint), len(body.parents), len(body.axes)
    z = np.zeros
    point_data = (z((M, 3)), z(M), z((M, 2)), z(M), np.eye(3), np.eye(4))
    angle_data = (z(D), z(D), z(D), z(D), z(D), z(D))
    return Targets(*point_data, z((N, 3)), z((N, 2)), z(3), z(2), *angle_data, z((N, 3)), z(N))
