"""Contact term: a foot point that touches the ground against the place where it landed.

E = sum_j w_j |x_j - a_j|^2

w_j per m^2, a_j in metres, world axes (footlock.py). Not in the documents, whose feet slide.
"""

from __future__ import annotations

from posewire.data import FloatArray
from posewire.fit.body import Workspace
from posewire.fit.compiled import kernel
from posewire.fit.inertia import ABSOLUTE, add_point
from posewire.fit.targets import Targets


@kernel
def add(targets: Targets, root: FloatArray, joints: FloatArray, work: Workspace) -> float:
    """Adds the term at joint positions (N, 3) and root (3,)."""
    energy = 0.0
    for j in range(len(targets.contact_w)):
        w = targets.contact_w[j]
        if w > 0.0:
            ex, ey, ez = (
                joints[j, 0] - targets.contact_m[j, 0],
                joints[j, 1] - targets.contact_m[j, 1],
                joints[j, 2] - targets.contact_m[j, 2],
            )
            r = (joints[j, 0] - root[0], joints[j, 1] - root[1], joints[j, 2] - root[2])
            add_point(work, j, ABSOLUTE, r, w, (ex, ey, ez))
            energy += w * (ex * ex + ey * ey + ez * ez)
    return energy
