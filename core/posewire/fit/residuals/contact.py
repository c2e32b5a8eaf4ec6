"""Contact term: a foot point that touches the ground against the place where it landed.

E = sum_j w_j |x_j - a_j|^2

w_j per m^2, a_j in metres, world axes (footlock.py). Not in the documents, whose feet slide.
"""

from __future__ import annotations

from posewire.fit.body import Workspace
from posewire.fit.compiled import kernel
from posewire.fit.inertia import ABSOLUTE, load_point
from posewire.fit.targets import Targets


@kernel
def add(targets: Targets, work: Workspace, side: int) -> float:
    """Adds the term at the pose on `side`."""
    energy, x, a = 0.0, work.joints_m, targets.contact_m
    for j in range(len(targets.contact_w)):
        w = targets.contact_w[j]
        if w > 0.0:
            ex, ey, ez = x[side, j, 0] - a[j, 0], x[side, j, 1] - a[j, 1], x[side, j, 2] - a[j, 2]
            load_point(work, side, j, ABSOLUTE, w, (ex, ey, ez))
            energy += w * (ex * ex + ey * ey + ez * ez)
    return energy
