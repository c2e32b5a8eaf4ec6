"""The range of a twist depends on where its bone points (the numpy twin is Skeleton.limit_shift_rad, which explains it).

A range is moved before a solve to where the bone points then, and does not move in it: the limits stay squares of single angles.
"""

from __future__ import annotations

import math

from posewire.fit.body import Body, Workspace
from posewire.fit.compiled import inlined, kernel
from posewire.fit.kinematics import Vector, turn_shares
from posewire.fit.targets import Targets

_TURN_RAD = 2.0 * math.pi


@kernel
def shift_ranges(body: Body, work: Workspace, targets: Targets) -> None:
    """Moves the ranges of the twists to where the bones of the pose on side 0 point."""
    for joint in range(len(body.parents)):
        if body.twist[joint] == 1:
            d = body.first_dof[joint + 1] - 1
            b = body.axes[d, 0], body.axes[d, 1], body.axes[d, 2]
            p = body.twist_from[joint, 0], body.twist_from[joint, 1], body.twist_from[joint, 2]
            shift_rad = _solid_angle(b, p, _swung(body, work, joint, b))
            turns = round((work.angles_rad[0, d] - 0.5 * (body.limits_rad[d, 0] + body.limits_rad[d, 1]) - shift_rad) / _TURN_RAD)
            targets.limit_shift_rad[d] = shift_rad + _TURN_RAD * turns


@inlined
def _swung(body: Body, work: Workspace, joint: int, b: Vector) -> Vector:
    """exp(s) b, by Rodrigues' formula."""
    x = y = z = 0.0
    for d in range(body.first_dof[joint], body.first_dof[joint + 1] - 1):
        angle = work.angles_rad[0, d]
        x, y, z = x + angle * body.axes[d, 0], y + angle * body.axes[d, 1], z + angle * body.axes[d, 2]
    by_sine, by_cosine, _ = turn_shares(x * x + y * y + z * z)
    c, along = 1.0 - by_cosine * (x * x + y * y + z * z), by_cosine * (x * b[0] + y * b[1] + z * b[2])
    return (
        c * b[0] + by_sine * (y * b[2] - z * b[1]) + along * x,
        c * b[1] + by_sine * (z * b[0] - x * b[2]) + along * y,
        c * b[2] + by_sine * (x * b[1] - y * b[0]) + along * z,
    )


@inlined
def _solid_angle(b: Vector, p: Vector, u: Vector) -> float:
    """Of the triangle on the sphere, positive where b, p, u turn to the left (Van Oosterom, Strackee 1983, eq. 8)."""
    volume = b[0] * (p[1] * u[2] - p[2] * u[1]) + b[1] * (p[2] * u[0] - p[0] * u[2]) + b[2] * (p[0] * u[1] - p[1] * u[0])
    cosines = b[0] * p[0] + b[1] * p[1] + b[2] * p[2] + p[0] * u[0] + p[1] * u[1] + p[2] * u[2]
    return 2.0 * math.atan2(volume, 1.0 + cosines + u[0] * b[0] + u[1] * b[1] + u[2] * b[2])
