"""Forward kinematics with the spatial axis of every unknown, and the step along the unknowns.

R_joint = R_parent exp(sum of swing angles * axes) exp(twist angle * axis). The rate of exp(s) is J_l(s) ds, with the left
Jacobian of SO(3) (Sola, Deray, Atchuthan 2018, "A micro Lie theory", arXiv 1812.01537, eq. 145).
"""

from __future__ import annotations

import math

import numpy as np

from posewire.data import FloatArray
from posewire.fit.body import ROOT_UNKNOWNS, Body, Workspace
from posewire.fit.compiled import inlined, kernel

Vector = tuple[float, float, float]

_SERIES_TO = 10.0
"""Squared angle, rad^2, up to which the series below is exact to rounding: beyond any joint's range."""
_COSINE = np.array([(-1.0) ** n / math.factorial(2 * n + 2) for n in range(13)][::-1])
_SINE = np.array([(-1.0) ** n / math.factorial(2 * n + 3) for n in range(13)][::-1])


@inlined
def turn_shares(angle2: float) -> Vector:
    """sin(t) / t, (1 - cos(t)) / t^2 and (t - sin(t)) / t^3 of t^2.

    By their series: no root, no division, no special case at 0, and a third of the time of the library's sine and cosine.
    """
    if angle2 > _SERIES_TO:
        t = math.sqrt(angle2)
        sine = math.sin(t) / t
        return sine, (1.0 - math.cos(t)) / angle2, (1.0 - sine) / angle2
    b = c = 0.0
    for n in range(13):
        b, c = b * angle2 + _COSINE[n], c * angle2 + _SINE[n]
    return 1.0 - c * angle2, b, c


@inlined
def _set_matrix(work: Workspace, side: int) -> None:
    """The root's rotation."""
    R, q = work.rotations, work.root_wxyz
    w, x, y, z = q[side, 0], q[side, 1], q[side, 2], q[side, 3]
    R[side, 0, 0, 0], R[side, 0, 0, 1], R[side, 0, 0, 2] = 1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)
    R[side, 0, 1, 0], R[side, 0, 1, 1], R[side, 0, 1, 2] = 2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)
    R[side, 0, 2, 0], R[side, 0, 2, 1], R[side, 0, 2, 2] = 2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)


@inlined
def _turn(R: FloatArray, side: int, source: int, to: int, s: Vector, shares: Vector) -> None:
    """R[to] = R[source] exp([s]), by Rodrigues' formula."""
    x, y, z = s
    a, b, _ = shares
    c = 1.0 - b * (x * x + y * y + z * z)
    for i in range(3):
        r0, r1, r2 = R[side, source, i, 0], R[side, source, i, 1], R[side, source, i, 2]
        along = b * (r0 * x + r1 * y + r2 * z)
        R[side, to, i, 0] = c * r0 + a * (r1 * z - r2 * y) + along * x
        R[side, to, i, 1] = c * r1 + a * (r2 * x - r0 * z) + along * y
        R[side, to, i, 2] = c * r2 + a * (r0 * y - r1 * x) + along * z


@inlined
def _set_motion(work: Workspace, side: int, k: int, turned: int, u: Vector, joint: int) -> None:
    """Spatial axis k: a rotation about R[turned] u through a joint, seen from the root; the far end moves by v + w x r."""
    R, X, motions = work.rotations, work.joints_m, work.motions
    wx = R[side, turned, 0, 0] * u[0] + R[side, turned, 0, 1] * u[1] + R[side, turned, 0, 2] * u[2]
    wy = R[side, turned, 1, 0] * u[0] + R[side, turned, 1, 1] * u[1] + R[side, turned, 1, 2] * u[2]
    wz = R[side, turned, 2, 0] * u[0] + R[side, turned, 2, 1] * u[1] + R[side, turned, 2, 2] * u[2]
    rx, ry, rz = X[side, joint, 0] - X[side, 0, 0], X[side, joint, 1] - X[side, 0, 1], X[side, joint, 2] - X[side, 0, 2]
    motions[k, 0], motions[k, 1], motions[k, 2] = wx, wy, wz
    motions[k, 4], motions[k, 5], motions[k, 6] = ry * wz - rz * wy, rz * wx - rx * wz, rx * wy - ry * wx


@inlined
def _left_jacobian_times(s: Vector, u: Vector, b: float, c: float) -> Vector:
    """J_l(s) u = u + b s x u + c s x (s x u), with the shares b, c of turn_shares."""
    x, y, z = s
    c0, c1, c2 = y * u[2] - z * u[1], z * u[0] - x * u[2], x * u[1] - y * u[0]
    e0, e1, e2 = y * c2 - z * c1, z * c0 - x * c2, x * c1 - y * c0
    return u[0] + b * c0 + c * e0, u[1] + b * c1 + c * e1, u[2] + b * c2 + c * e2


@inlined
def _axis(body: Body, d: int) -> Vector:
    return body.axes[d, 0], body.axes[d, 1], body.axes[d, 2]


@inlined
def _turn_joint(body: Body, work: Workspace, side: int, joint: int) -> None:
    parent, first, last, angles = body.parents[joint], body.first_dof[joint], body.first_dof[joint + 1], work.angles_rad
    swing_end = last - body.twist[joint]
    x = y = z = 0.0
    for d in range(first, swing_end):
        u = _axis(body, d)
        x, y, z = x + angles[side, d] * u[0], y + angles[side, d] * u[1], z + angles[side, d] * u[2]
    shares = turn_shares(x * x + y * y + z * z)
    swings = work.swings
    swings[side, joint, 0], swings[side, joint, 1], swings[side, joint, 2] = x, y, z
    swings[side, joint, 3], swings[side, joint, 4] = shares[1], shares[2]
    _turn(work.rotations, side, parent, joint, (x, y, z), shares)
    if swing_end < last:
        t, u = angles[side, swing_end], _axis(body, swing_end)
        _turn(work.rotations, side, joint, joint, (t * u[0], t * u[1], t * u[2]), turn_shares(t * t))


@kernel
def set_motions(body: Body, work: Workspace, side: int) -> None:
    """The spatial axes of the angles at the pose on a side, once forward() has placed it."""
    swings = work.swings
    for joint in range(1, len(body.parents)):
        last = body.first_dof[joint + 1]
        swing_end = last - body.twist[joint]
        s = swings[side, joint, 0], swings[side, joint, 1], swings[side, joint, 2]
        for d in range(body.first_dof[joint], swing_end):
            u = _left_jacobian_times(s, _axis(body, d), swings[side, joint, 3], swings[side, joint, 4])
            _set_motion(work, side, ROOT_UNKNOWNS + d, body.parents[joint], u, joint)
        if swing_end < last:
            _set_motion(work, side, ROOT_UNKNOWNS + swing_end, joint, _axis(body, swing_end), joint)


@kernel
def forward(body: Body, work: Workspace, side: int) -> None:
    """Joint rotations, joint and marker positions of the pose on a side."""
    _set_matrix(work, side)
    R, X, o = work.rotations, work.joints_m, body.offsets_m
    for i in range(3):
        X[side, 0, i] = work.root_m[side, i]
    for joint in range(1, len(body.parents)):
        parent = body.parents[joint]
        for i in range(3):
            X[side, joint, i] = (
                X[side, parent, i]
                + R[side, parent, i, 0] * o[joint, 0]
                + R[side, parent, i, 1] * o[joint, 1]
                + R[side, parent, i, 2] * o[joint, 2]
            )
        _turn_joint(body, work, side, joint)
    _place_markers(body, work, side)


@inlined
def _place_markers(body: Body, work: Workspace, side: int) -> None:
    R, X, o = work.rotations, work.joints_m, body.marker_offset_m
    for m in range(body.markers):
        j = body.marker_joint[m]
        for i in range(3):
            work.markers_m[side, m, i] = (
                X[side, j, i] + R[side, j, i, 0] * o[m, 0] + R[side, j, i, 1] * o[m, 1] + R[side, j, i, 2] * o[m, 2]
            )


@kernel
def retract(work: Workspace, side: int) -> None:
    """The pose `work.step` away from the one on `side`, to the other side."""
    step, to, q, out_q = work.step, 1 - side, work.root_wxyz, work.root_wxyz
    for i in range(3):
        work.root_m[to, i] = work.root_m[side, i] + step[i]
    c, x, y, z = _unit_turn(step[3], step[4], step[5])
    w = c * q[side, 0] - x * q[side, 1] - y * q[side, 2] - z * q[side, 3]
    i_ = c * q[side, 1] + x * q[side, 0] + y * q[side, 3] - z * q[side, 2]
    j = c * q[side, 2] - x * q[side, 3] + y * q[side, 0] + z * q[side, 1]
    k = c * q[side, 3] + x * q[side, 2] - y * q[side, 1] + z * q[side, 0]
    length = math.sqrt(w * w + i_ * i_ + j * j + k * k)
    out_q[to, 0], out_q[to, 1], out_q[to, 2], out_q[to, 3] = w / length, i_ / length, j / length, k / length
    for d in range(work.angles_rad.shape[1]):
        work.angles_rad[to, d] = work.angles_rad[side, d] + step[ROOT_UNKNOWNS + d]


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
