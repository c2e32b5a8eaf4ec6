"""Rest term: a weak pull of an angle to its place at rest, which decides where nothing has been seen.

E = sum_d w_d (theta_d - rest_d)^2

w_d per rad^2; small against every other term. Not in the documents, whose skeletons see all their angles at all times.
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
        w, e = targets.rest_w[d], angles[side, d] - targets.rest_rad[d]
        load_angle(work, side, d, w, e)
        energy += w * e * e
    return energy
