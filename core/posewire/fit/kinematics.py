"""Forward kinematics with the spatial axis of every unknown, and the step along the unknowns.

R_joint = R_parent exp(sum of swing angles * axes) exp(twist angle * axis). The rate of exp(s) is J_l(s) ds, with the left
Jacobian of SO(3) (Sola, Deray, Atchuthan 2018, "A micro Lie theory", arXiv 1812.01537, eq. 145).
"""

from __future__ import annotations

import math

import numpy as np

from posewire.data import FloatArray
from posewire.fit.body import ROOT_UNKNOWNS, Body
from posewire.fit.compiled import inlined, kernel

Vector = tuple[float, float, float]


@inlined
def _set_matrix(q: FloatArray, R: FloatArray) -> None:
    """Unit quaternion (4,) wxyz into R[0]."""
    w, x, y, z = q[0], q[1], q[2], q[3]
    R[0, 0, 0], R[0, 0, 1], R[0, 0, 2] = 1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)
    R[0, 1, 0], R[0, 1, 1], R[0, 1, 2] = 2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)
    R[0, 2, 0], R[0, 2, 1], R[0, 2, 2] = 2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)


@inlined
def _turn(R: FloatArray, source: int, to: int, x: float, y: float, z: float) -> None:
    """R[to] = R[source] exp([x y z]), by Rodrigues' formula."""
    angle2 = x * x + y * y + z * z
    if angle2 > 1e-12:
        angle = math.sqrt(angle2)
        a, b = math.sin(angle) / angle, (1.0 - math.cos(angle)) / angle2
    else:
        a, b = 1.0 - angle2 / 6.0, 0.5 - angle2 / 24.0
    c = 1.0 - b * angle2
    for i in range(3):
        r0, r1, r2 = R[source, i, 0], R[source, i, 1], R[source, i, 2]
        along = b * (r0 * x + r1 * y + r2 * z)
        R[to, i, 0] = c * r0 + a * (r1 * z - r2 * y) + along * x
        R[to, i, 1] = c * r1 + a * (r2 * x - r0 * z) + along * y
        R[to, i, 2] = c * r2 + a * (r0 * y - r1 * x) + along * z


@inlined
def _set_motion(motions: FloatArray, k: int, R: FloatArray, turned: int, u: Vector, X: FloatArray, joint: int) -> None:
    """Spatial axis k: a rotation about R[turned] u through a joint, seen from the root; the far end moves by v + w x r."""
    wx = R[turned, 0, 0] * u[0] + R[turned, 0, 1] * u[1] + R[turned, 0, 2] * u[2]
    wy = R[turned, 1, 0] * u[0] + R[turned, 1, 1] * u[1] + R[turned, 1, 2] * u[2]
    wz = R[turned, 2, 0] * u[0] + R[turned, 2, 1] * u[1] + R[turned, 2, 2] * u[2]
    rx, ry, rz = X[joint, 0] - X[0, 0], X[joint, 1] - X[0, 1], X[joint, 2] - X[0, 2]
    motions[k, 0], motions[k, 1], motions[k, 2] = wx, wy, wz
    motions[k, 3], motions[k, 4], motions[k, 5] = ry * wz - rz * wy, rz * wx - rx * wz, rx * wy - ry * wx


@inlined
def _left_jacobian_times(s: Vector, u: Vector) -> Vector:
    """J_l(s) u = u + a s x u + b s x (s x u)."""
    x, y, z = s
    angle2 = x * x + y * y + z * z
    if angle2 > 1e-8:
        angle = math.sqrt(angle2)
        a, b = (1.0 - math.cos(angle)) / angle2, (angle - math.sin(angle)) / (angle2 * angle)
    else:
        a, b = 0.5 - angle2 / 24.0, 1.0 / 6.0 - angle2 / 120.0
    c0, c1, c2 = y * u[2] - z * u[1], z * u[0] - x * u[2], x * u[1] - y * u[0]
    e0, e1, e2 = y * c2 - z * c1, z * c0 - x * c2, x * c1 - y * c0
    return u[0] + a * c0 + b * e0, u[1] + a * c1 + b * e1, u[2] + a * c2 + b * e2


@inlined
def _turn_joint(body: Body, joint: int, angles: FloatArray, R: FloatArray, X: FloatArray, motions: FloatArray) -> None:
    parent, first, last, axes = body.parents[joint], body.first_dof[joint], body.first_dof[joint + 1], body.axes
    swing_end = last - body.twist[joint]
    s0 = s1 = s2 = 0.0
    for d in range(first, swing_end):
        s0, s1, s2 = s0 + angles[d] * axes[d, 0], s1 + angles[d] * axes[d, 1], s2 + angles[d] * axes[d, 2]
    for d in range(first, swing_end):
        u = (axes[d, 0], axes[d, 1], axes[d, 2])
        rate = _left_jacobian_times((s0, s1, s2), u) if swing_end - first > 1 else u
        _set_motion(motions, ROOT_UNKNOWNS + d, R, parent, rate, X, joint)
    if swing_end > first:
        _turn(R, parent, joint, s0, s1, s2)
    else:
        for i in range(3):
            for k in range(3):
                R[joint, i, k] = R[parent, i, k]
    if swing_end < last:
        t, u = angles[swing_end], (axes[swing_end, 0], axes[swing_end, 1], axes[swing_end, 2])
        _set_motion(motions, ROOT_UNKNOWNS + swing_end, R, joint, u, X, joint)
        _turn(R, joint, joint, t * u[0], t * u[1], t * u[2])


@kernel
def forward(
    body: Body, root_m: FloatArray, root_wxyz: FloatArray, angles: FloatArray, R: FloatArray, X: FloatArray, motions: FloatArray
) -> None:
    """Joint rotations R (N, 3, 3), joint positions X (N, 3) and spatial axes (P, 6) of a pose."""
    _set_matrix(root_wxyz, R)
    motions[:ROOT_UNKNOWNS] = 0.0
    for i in range(3):
        X[0, i] = root_m[i]
        motions[i, 3 + i] = 1.0
        motions[3 + i, i] = 1.0
    for joint in range(1, len(body.parents)):
        parent, o = body.parents[joint], body.offsets_m
        for i in range(3):
            X[joint, i] = (
                X[parent, i] + R[parent, i, 0] * o[joint, 0] + R[parent, i, 1] * o[joint, 1] + R[parent, i, 2] * o[joint, 2]
            )
        _turn_joint(body, joint, angles, R, X, motions)


@kernel
def place_markers(body: Body, R: FloatArray, x: FloatArray, markers: FloatArray) -> None:
    """Marker positions (M, 3) of joints R, x."""
    for m in range(len(body.marker_joint)):
        j, o = body.marker_joint[m], body.marker_offset_m
        for i in range(3):
            markers[m, i] = x[j, i] + R[j, i, 0] * o[m, 0] + R[j, i, 1] * o[m, 1] + R[j, i, 2] * o[m, 2]


@kernel
def retract(
    root_m: FloatArray, q: FloatArray, angles: FloatArray, step: FloatArray, out_m: FloatArray, out_q: FloatArray, out: FloatArray
) -> None:
    """The pose that lies `step` (P,) away: root + d, exp(w) q, angles + a."""
    for i in range(3):
        out_m[i] = root_m[i] + step[i]
    x, y, z = 0.5 * step[3], 0.5 * step[4], 0.5 * step[5]
    half = math.sqrt(x * x + y * y + z * z)
    c, s = math.cos(half), np.sinc(half / math.pi)
    x, y, z = s * x, s * y, s * z
    w = c * q[0] - x * q[1] - y * q[2] - z * q[3]
    i = c * q[1] + x * q[0] + y * q[3] - z * q[2]
    j = c * q[2] - x * q[3] + y * q[0] + z * q[1]
    k = c * q[3] + x * q[2] - y * q[1] + z * q[0]
    length = math.sqrt(w * w + i * i + j * j + k * k)
    out_q[0], out_q[1], out_q[2], out_q[3] = w / length, i / length, j / length, k / length
    for d in range(len(angles)):
        out[d] = angles[d] + step[ROOT_UNKNOWNS + d]


@inlined
def _unit_turn(x: float, y: float, z: float) -> tuple[float, float, float, float]:
    """Quaternion of a rotation vector."""
    half = 0.5 * math.sqrt(x * x + y * y + z * z)
    s = 0.5 * math.sin(half) / half if half > 1e-9 else 0.5
    return math.cos(half), s * x, s * y, s * z


@kernel
def local_quaternions(body: Body, root_wxyz: FloatArray, angles: FloatArray, out: FloatArray) -> None:
    """(N, 4) parent-relative rotations, swing * twist; the root's is its world rotation."""
    for joint in range(len(body.parents)):
        first, last = body.first_dof[joint], body.first_dof[joint + 1]
        swing_end = last - body.twist[joint]
        s0 = s1 = s2 = t0 = t1 = t2 = 0.0
        for d in range(first, last):
            x, y, z = angles[d] * body.axes[d, 0], angles[d] * body.axes[d, 1], angles[d] * body.axes[d, 2]
            if d < swing_end:
                s0, s1, s2 = s0 + x, s1 + y, s2 + z
            else:
                t0, t1, t2 = x, y, z
        a, b, c, d_ = _unit_turn(s0, s1, s2)
        e, f, g, h = _unit_turn(t0, t1, t2)
        out[joint, 0] = a * e - b * f - c * g - d_ * h
        out[joint, 1] = a * f + b * e + c * h - d_ * g
        out[joint, 2] = a * g - b * h + c * e + d_ * f
        out[joint, 3] = a * h + b * g - c * f + d_ * e
    for i in range(4):
        out[0, i] = root_wxyz[i]
