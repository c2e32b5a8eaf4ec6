"""Depth term: the root's distance along the camera's axis against the expected one, the least certain number of a single view.

E = w ([d]_z - z)^2                                                 (Mehta 2020, after eq. 8.7; squared as in VNect, 8.2.1)

w per m^2, z in metres.
"""

from __future__ import annotations

from posewire.fit.body import Workspace
from posewire.fit.compiled import kernel
from posewire.fit.inertia import ABSOLUTE, load_direction
from posewire.fit.targets import Targets


@kernel
def add(targets: Targets, work: Workspace, side: int) -> float:
    """Adds the term at the pose on `side`."""
    w, T, root = targets.depth[1], targets.T_camera_world, work.root_m
    if not w > 0.0:
        return 0.0
    e = T[2, 0] * root[side, 0] + T[2, 1] * root[side, 1] + T[2, 2] * root[side, 2] + T[2, 3] - targets.depth[0]
    load_direction(work, side, 0, ABSOLUTE, (T[2, 0], T[2, 1], T[2, 2]), w, e)
    return w * e * e
