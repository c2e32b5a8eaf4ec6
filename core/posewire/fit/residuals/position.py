"""3D term: a marker's place relative to the root against what the method says.

E = sum_m w_m |x_m - d - P3D_m|^2                                   (Mehta 2020, eq. 8.4)

w_m per m^2, targets in metres in world axes, bone lengths already imposed (bones.py). It does not move with the root.
"""

from __future__ import annotations

from posewire.fit.body import Body, Workspace
from posewire.fit.compiled import kernel
from posewire.fit.inertia import RELATIVE, load_point
from posewire.fit.targets import Targets


@kernel
def add(body: Body, targets: Targets, work: Workspace, side: int) -> float:
    """Adds the term at the pose on `side`."""
    energy, x, d, t = 0.0, work.markers_m, work.root_m, targets.position_m
    for m in range(body.markers):
        w = targets.position_w[m]
        if w > 0.0:
            ex = x[side, m, 0] - d[side, 0] - t[m, 0]
            ey = x[side, m, 1] - d[side, 1] - t[m, 1]
            ez = x[side, m, 2] - d[side, 2] - t[m, 2]
            load_point(work, side, body.marker_place[m], RELATIVE, w, (ex, ey, ez))
            energy += w * (ex * ex + ey * ey + ez * ez)
    return energy
