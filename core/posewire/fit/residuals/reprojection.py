"""2D term: a marker's image against the detected keypoint.

E = sum_m w_m |Pi(x_m) - P2D_m|^2                                   (Mehta 2020, eq. 8.5; h is in the skeleton here)

w_m per px^2, from confidence and reliability (weighing.py). Pi: pinhole, undistorted pixels. A point nearer than NEAR_M to the
camera's plane is projected as if it were there, so that the energy stays finite and continuous.
"""

from __future__ import annotations

from posewire.fit.body import Body, Workspace
from posewire.fit.compiled import inlined, kernel
from posewire.fit.inertia import ABSOLUTE, load_direction
from posewire.fit.targets import Targets

NEAR_M = 0.05


@kernel
def add(body: Body, targets: Targets, work: Workspace, side: int) -> float:
    """Adds the term at the pose on `side`."""
    energy = 0.0
    for m in range(body.markers):
        if targets.pixel_w[m] > 0.0:
            energy += _add_marker(body, targets, work, side, m)
    return energy


@inlined
def _add_marker(body: Body, targets: Targets, work: Workspace, side: int, m: int) -> float:
    K, T, w = targets.K, targets.T_camera_world, targets.pixel_w[m]
    p = (work.markers_m[side, m, 0], work.markers_m[side, m, 1], work.markers_m[side, m, 2])
    x = T[0, 0] * p[0] + T[0, 1] * p[1] + T[0, 2] * p[2] + T[0, 3]
    y = T[1, 0] * p[0] + T[1, 1] * p[1] + T[1, 2] * p[2] + T[1, 3]
    depth = T[2, 0] * p[0] + T[2, 1] * p[1] + T[2, 2] * p[2] + T[2, 3]
    z = max(depth, NEAR_M)
    u = (K[0, 0] * x + K[0, 1] * y) / z
    v = K[1, 1] * y / z
    eu, ev = u + K[0, 2] - targets.pixel_px[m, 0], v + K[1, 2] - targets.pixel_px[m, 1]
    along = 1.0 / z if depth > NEAR_M else 0.0
    # d(u, v) / d(camera axes), taken to world axes
    ux, uy, uz, vy, vz = K[0, 0] / z, K[0, 1] / z, -u * along, K[1, 1] / z, -v * along
    a = (
        ux * T[0, 0] + uy * T[1, 0] + uz * T[2, 0],
        ux * T[0, 1] + uy * T[1, 1] + uz * T[2, 1],
        ux * T[0, 2] + uy * T[1, 2] + uz * T[2, 2],
    )
    b = (vy * T[1, 0] + vz * T[2, 0], vy * T[1, 1] + vz * T[2, 1], vy * T[1, 2] + vz * T[2, 2])
    load_direction(work, side, body.marker_place[m], ABSOLUTE, a, w, eu)
    load_direction(work, side, body.marker_place[m], ABSOLUTE, b, w, ev)
    return w * (eu * eu + ev * ev)
