"""Where a frame's data is expected, and how it has kept to that of late."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from posewire.data import FloatArray
from posewire.filters import share_of_new
from posewire.fit.body import Body, Workspace
from posewire.fit.compiled import finite, kernel
from posewire.fit.targets import Targets

NEAREST_M = 0.1
_LASTING_HZ = 10.0
"""Cutoff of what lasts of the data's distance from where it is expected: after some three frames at 60 a second it counts."""
_RESTLESS_HZ, _RESTLESS = 1.0, 2.0
"""Cutoff of how far data jumps, and its part beside the jump of the frame in hand; all three by trying (docs/FIT.md)."""


class Expectation(NamedTuple):
    """Of each marker; NaN: none. The last two go on from frame to frame."""

    position_m: FloatArray
    """(M, 3) from the root."""
    pixel_px: FloatArray
    """(M, 2)"""
    lasting_m: FloatArray
    """(M, 5) by how much the data has been elsewhere of late: 3D, pixels at the person's distance."""
    restless_m2: FloatArray
    """(M, 2) how far it jumps about that of late, squared: 3D, pixels."""


def make_expectation(M: int) -> Expectation:
    """None, for M markers."""
    return Expectation(np.full((M, 3), np.nan), np.full((M, 2), np.nan), np.zeros((M, 5)), np.zeros((M, 2)))


@kernel
def forget(expectation: Expectation) -> None:
    """As `make_expectation` leaves it."""
    expectation.position_m[:] = np.nan
    expectation.pixel_px[:] = np.nan
    expectation.lasting_m[:] = 0.0
    expectation.restless_m2[:] = 0.0


@kernel
def expect(body: Body, work: Workspace, targets: Targets, expectation: Expectation) -> None:
    """Markers where the predicted joints carry them."""
    T, K = targets.T_camera_world, targets.K
    position_m, pixel_px = expectation.position_m, expectation.pixel_px
    for m in range(len(position_m)):
        joint = body.marker_joint[m]
        x, y, z = T[0, 3], T[1, 3], T[2, 3]
        for i in range(3):
            p = targets.predicted_m[joint, i] + work.markers_m[0, m, i] - work.joints_m[0, joint, i]
            position_m[m, i] = p - targets.predicted_m[0, i]
            x, y, z = x + T[0, i] * p, y + T[1, i] * p, z + T[2, i] * p
        z = max(z, NEAREST_M)
        pixel_px[m, 0] = (K[0, 0] * x + K[0, 1] * y) / z + K[0, 2]
        pixel_px[m, 1] = K[1, 1] * y / z + K[1, 2]


@kernel
def jumps(expectation: Expectation, m: int, targets: Targets, px_m: float, step_s: float) -> tuple[float, float]:
    """How far marker m's 3D and pixels jump in this frame and have of late, m^2; NaN: nothing seen or expected.

    Only what differs from what lasts is a jump: data that stays where it is was right, and the fit is late.
    """
    share, jump3_m2, jump2_m2 = share_of_new(_LASTING_HZ, step_s), 0.0, 0.0
    for i in range(3):
        away_m = targets.position_m[m, i] - expectation.position_m[m, i]
        jump3_m2 += _jump_m2(expectation, m, i, away_m, share)
    for i in range(2):
        away_m = px_m * (targets.pixel_px[m, i] - expectation.pixel_px[m, i])
        jump2_m2 += _jump_m2(expectation, m, 3 + i, away_m, share)
    share = share_of_new(_RESTLESS_HZ, step_s)
    return _with_recent(expectation, m, 0, jump3_m2, share), _with_recent(expectation, m, 1, jump2_m2, share)


@kernel
def _jump_m2(expectation: Expectation, m: int, i: int, away_m: float, share: float) -> float:
    """Squared distance from what lasts, which takes its share of it."""
    jump_m = away_m - expectation.lasting_m[m, i]
    if finite(jump_m):
        expectation.lasting_m[m, i] += share * jump_m
    return jump_m * jump_m


@kernel
def _with_recent(expectation: Expectation, m: int, i: int, jump_m2: float, share: float) -> float:
    recent_m2 = expectation.restless_m2[m, i]
    if finite(jump_m2):
        expectation.restless_m2[m, i] += share * (jump_m2 - recent_m2)
    return jump_m2 + _RESTLESS * recent_m2
