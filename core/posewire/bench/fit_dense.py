"""The fit's residuals and their full Jacobian, compiled: what the peers of the fit benchmarks are given to solve.

Their unknowns are the tangent step (P,) from the pose that a frame starts with, the same as ours.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from posewire.data import FloatArray
from posewire.fit.body import ROOT_UNKNOWNS, Body, Workspace
from posewire.fit.compiled import SOURCES, entry, kernel
from posewire.fit.kinematics import forward, retract, set_motions
from posewire.fit.packing import Record
from posewire.fit.targets import Targets

IntArray = NDArray[np.int64]


def residual_count(body: Body) -> int:
    """R: 3D and 2D of each marker, smoothness of each joint, three rows of each angle, depth."""
    return 5 * body.markers + 4 * len(body.parents) + 3 * len(body.axes) + 1


@kernel
def _rate(m: FloatArray, r: tuple[float, float, float], a: tuple[float, float, float]) -> float:
    """a . dx of a point r from the root along the spatial axis m (Workspace.motions)."""
    dx, dy, dz = m[4] + m[1] * r[2] - m[2] * r[1], m[5] + m[2] * r[0] - m[0] * r[2], m[6] + m[0] * r[1] - m[1] * r[0]
    return a[0] * dx + a[1] * dy + a[2] * dz


@kernel
def _slope(
    body: Body, work: Workspace, joint: int, x: FloatArray, a: tuple[float, float, float], relative: bool, row: FloatArray
) -> None:
    """row (P,) += a . dx of a point x (3,) on a joint."""
    root = work.root_m[1]
    r = (x[0] - root[0], x[1] - root[1], x[2] - root[2])
    for i in range(3):
        row[i] += 0.0 if relative else a[i]
        row[3 + i] += _rate(work.motions[3 + i], r, a)
    while joint > 0:
        for d in range(body.first_dof[joint], body.first_dof[joint + 1]):
            row[ROOT_UNKNOWNS + d] += _rate(work.motions[ROOT_UNKNOWNS + d], r, a)
        joint = body.parents[joint]


@kernel
def _marker_rows(body: Body, targets: Targets, work: Workspace, m: int, r: FloatArray, J: FloatArray) -> None:
    p, joint, T, K, root = work.markers_m[1, m], body.marker_joint[m], targets.T_camera_world, targets.K, work.root_m[1]
    w = math.sqrt(targets.position_w[m])
    for i in range(3):
        r[i] = w * (p[i] - root[i] - targets.position_m[m, i])
        _slope(body, work, joint, p, (w * (i == 0), w * (i == 1), w * (i == 2)), True, J[i])
    w = math.sqrt(targets.pixel_w[m])
    x = T[0, 0] * p[0] + T[0, 1] * p[1] + T[0, 2] * p[2] + T[0, 3]
    y = T[1, 0] * p[0] + T[1, 1] * p[1] + T[1, 2] * p[2] + T[1, 3]
    z = T[2, 0] * p[0] + T[2, 1] * p[1] + T[2, 2] * p[2] + T[2, 3]
    u, v = (K[0, 0] * x + K[0, 1] * y) / z, K[1, 1] * y / z
    r[3], r[4] = w * (u + K[0, 2] - targets.pixel_px[m, 0]), w * (v + K[1, 2] - targets.pixel_px[m, 1])
    ux, uy, uz, vy, vz = w * K[0, 0] / z, w * K[0, 1] / z, -w * u / z, w * K[1, 1] / z, -w * v / z
    a = (
        ux * T[0, 0] + uy * T[1, 0] + uz * T[2, 0],
        ux * T[0, 1] + uy * T[1, 1] + uz * T[2, 1],
        ux * T[0, 2] + uy * T[1, 2] + uz * T[2, 2],
    )
    _slope(body, work, joint, p, a, False, J[3])
    b = (vy * T[1, 0] + vz * T[2, 0], vy * T[1, 1] + vz * T[2, 1], vy * T[1, 2] + vz * T[2, 2])
    _slope(body, work, joint, p, b, False, J[4])


@kernel
def _joint_rows(body: Body, targets: Targets, work: Workspace, j: int, r: FloatArray, J: FloatArray) -> None:
    x, p, n, root = work.joints_m[1, j], targets.predicted_m, targets.sight, work.root_m[1]
    w, along = math.sqrt(targets.predicted_w[j, 0]), math.sqrt(targets.predicted_w[j, 1])
    e_along = e_root = 0.0
    for i in range(3):
        e_along += n[i] * (x[i] - p[j, i])
        e_root += n[i] * (root[i] - p[0, i])
    for i in range(3):
        r[i] = w * (x[i] - p[j, i] - e_along * n[i])
        a = (w * ((i == 0) - n[i] * n[0]), w * ((i == 1) - n[i] * n[1]), w * ((i == 2) - n[i] * n[2]))
        _slope(body, work, j, x, a, False, J[i])
    r[3] = along * (e_along - e_root)
    _slope(body, work, j, x, (along * n[0], along * n[1], along * n[2]), True, J[3])


@kernel
def _angle_rows(body: Body, targets: Targets, angles: FloatArray, r: FloatArray, J: FloatArray) -> None:
    for d in range(len(angles)):
        k, a = ROOT_UNKNOWNS + d, angles[d]
        low, high = body.limits_rad[d, 0], body.limits_rad[d, 1]
        w, outside = math.sqrt(targets.limit_w[d]), a < low or a > high
        r[3 * d], J[3 * d, k] = w * (a - min(max(a, low), high)), w if outside else 0.0
        w = math.sqrt(targets.rest_w[d])
        r[3 * d + 1], J[3 * d + 1, k] = w * (a - targets.rest_rad[d]), w
        w = math.sqrt(targets.damping_w[d])
        r[3 * d + 2], J[3 * d + 2, k] = w * (a - targets.previous_rad[d]), w


@kernel
def _to_step(step: FloatArray, J: FloatArray) -> None:
    """Columns of the root's rotation, from its rate to the step's: times the left Jacobian of SO(3)."""
    x, y, z = step[3], step[4], step[5]
    angle2 = x * x + y * y + z * z
    angle = math.sqrt(angle2)
    a = (1.0 - math.cos(angle)) / angle2 if angle > 1e-4 else 0.5
    b = (angle - math.sin(angle)) / (angle2 * angle) if angle > 1e-4 else 1.0 / 6.0
    c = 1.0 - b * angle2
    for row in range(len(J)):
        p, q, s = J[row, 3], J[row, 4], J[row, 5]
        along = b * (p * x + q * y + s * z)
        J[row, 3] = c * p + a * (q * z - s * y) + along * x
        J[row, 4] = c * q + a * (s * x - p * z) + along * y
        J[row, 5] = c * s + a * (p * y - q * x) + along * z


@kernel
def _evaluate(body: Body, targets: Targets, work: Workspace, step: FloatArray, r: FloatArray, J: FloatArray) -> None:
    for k in range(len(step)):
        work.step[k] = step[k]
    retract(work, 0)
    forward(body, work, 1)
    set_motions(body, work, 1)
    J[:] = 0.0
    row = 0
    for m in range(body.markers):
        _marker_rows(body, targets, work, m, r[row : row + 5], J[row : row + 5])
        row += 5
    for j in range(len(body.parents)):
        _joint_rows(body, targets, work, j, r[row : row + 4], J[row : row + 4])
        row += 4
    _angle_rows(body, targets, work.angles_rad[1], r[row:], J[row:])
    last, T, w, root = len(r) - 1, targets.T_camera_world, math.sqrt(targets.depth[1]), work.root_m[1]
    r[last] = w * (T[2, 0] * root[0] + T[2, 1] * root[1] + T[2, 2] * root[2] + T[2, 3] - targets.depth[0])
    for i in range(3):
        J[last, i] = w * T[2, i]
    _to_step(step, J)


def _make_evaluate(sources: str) -> Callable[[Record, Record, Record, FloatArray, FloatArray, FloatArray], None]:
    @entry
    def evaluate(bodies: Record, asked: Record, works: Record, step: FloatArray, r: FloatArray, J: FloatArray) -> None:
        _ = sources
        _evaluate(bodies[0], asked[0], works[0], step, r, J)

    return evaluate


evaluate = _make_evaluate(SOURCES)
"""Residuals r (R,) and Jacobian J (R, P) of the pose `step` (P,) away from the one on side 0."""
