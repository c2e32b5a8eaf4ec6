"""3D term: a marker's place relative to the root against what the method says.

E = sum_m w_m |x_m - d - P3D_m|^2                                   (Mehta 2020, eq. 8.4)

w_m per m^2, targets in metres in world axes, bone lengths already imposed (bones.py). It does not move with the root.
"""

from __future__ import annotations

from posewire.data import FloatArray
from posewire.fit.body import Body, Workspace
from posewire.fit.compiled import kernel
from posewire.fit.inertia import RELATIVE, add_point
from posewire.fit.targets import Targets


@kernel
def add(body: Body, targets: Targets, root: FloatArray, markers: FloatArray, work: Workspace) -> float:
    """Adds the term at marker positions (M, 3) and root (3,)."""
    energy = 0.0
    for m in range(len(targets.position_w)):
        w = targets.position_w[m]
        if w > 0.0:
            x, y, z = markers[m, 0] - root[0], markers[m, 1] - root[1], markers[m, 2] - root[2]
            t = targets.position_m
            ex, ey, ez = x - t[m, 0], y - t[m, 1], z - t[m, 2]
            add_point(work, body.marker_joint[m], RELATIVE, (x, y, z), w, (ex, ey, ez))
            energy += w * (ex * ex + ey * ey + ez * ez)
    return energy
