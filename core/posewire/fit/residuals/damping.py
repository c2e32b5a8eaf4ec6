"""Damping term: an angle's change since the frame before, which steadies what the joints' places do not show (twists).

E = sum_d w_d (theta_d - theta_d[t-1])^2

w_d per rad^2. Not in the documents.
"""

from __future__ import annotations

from posewire.fit.body import Workspace
from posewire.fit.compiled import kernel
from posewire.fit.inertia import load_angle
from posewire.fit.targets import Targets


@kernel
def add(targets: Targets, work: Workspace, side: int) -> float:
    """Adds the term at the pose on `side`."""
    energy, angles = 0.0, work.angles_rad
    for d in range(angles.shape[1]):
        w, e = targets.damping_w[d], angles[side, d] - targets.previous_rad[d]
        load_angle(work, side, d, w, e)
        energy += w * e * e
    return energy
