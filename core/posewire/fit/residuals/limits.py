"""Limit term: an angle outside its anatomical range.

E = sum_d w_d (theta_d - nearest allowed)^2                         (Mehta 2020, eq. 8.6)

w_d per rad^2; the ranges are the skeleton's (skeleton.py names their source), those of twists moved to where their bones pointed
when the solve began (twists.py).
"""

from __future__ import annotations

from posewire.fit.body import Body, Workspace
from posewire.fit.compiled import kernel
from posewire.fit.inertia import load_angle
from posewire.fit.targets import Targets


@kernel
def add(body: Body, targets: Targets, work: Workspace, side: int) -> float:
    """Adds the term at the pose on `side`."""
    energy, angles = 0.0, work.angles_rad
    for d in range(angles.shape[1]):
        w = targets.limit_w[d]
        angle = angles[side, d] - targets.limit_shift_rad[d]
        below, above = body.limits_rad[d, 0] - angle, angle - body.limits_rad[d, 1]
        e = -below if below > 0.0 else max(above, 0.0)
        if w > 0.0 and e != 0.0:
            load_angle(work, side, d, w, e)
            energy += w * e * e
    return energy
