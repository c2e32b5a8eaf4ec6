"""Temporal term: a joint's place against where its motion so far takes it.

p_j = x_j[t-1] + v_j[t-1] dt,  e_j = x_j - p_j,  n = line of sight
E = sum_j w_j |e_j across n|^2 + w'_j (n . (e_j - e_root))^2               (Mehta 2020, eq. 8.7, with a filtered v)

The document takes the last backward difference as v, which makes the residual the joint's acceleration times dt^2. That v is
noisy and the recursion rings; here v is the state of an alpha-beta filter (motion.py), of which the document's is beta = 1.
Along the line of sight only the shape is held: the whole body's distance, of which a single view knows so much less, has its
own term (depth.py). w_j and w'_j per m^2.
"""

from __future__ import annotations

from posewire.fit.body import Body, Workspace
from posewire.fit.compiled import kernel
from posewire.fit.inertia import ABSOLUTE, RELATIVE, load_direction, load_point
from posewire.fit.targets import Targets


@kernel
def add(body: Body, targets: Targets, work: Workspace, side: int) -> float:
    """Adds the term at the pose on `side`."""
    energy, x, d, p = 0.0, work.joints_m, work.root_m, targets.predicted_m
    n = (targets.sight[0], targets.sight[1], targets.sight[2])
    root_along = n[0] * (d[side, 0] - p[0, 0]) + n[1] * (d[side, 1] - p[0, 1]) + n[2] * (d[side, 2] - p[0, 2])
    for j in range(len(body.parents)):
        across, along = targets.predicted_w[j, 0], targets.predicted_w[j, 1]
        if across > 0.0:
            e = (x[side, j, 0] - p[j, 0], x[side, j, 1] - p[j, 1], x[side, j, 2] - p[j, 2])
            e_along = n[0] * e[0] + n[1] * e[1] + n[2] * e[2]
            load_point(work, side, j, ABSOLUTE, across, e)
            load_direction(work, side, j, ABSOLUTE, n, -across, e_along)
            load_direction(work, side, j, RELATIVE, n, along, e_along - root_along)
            energy += across * (e[0] * e[0] + e[1] * e[1] + e[2] * e[2] - e_along * e_along) + along * (e_along - root_along) ** 2
    return energy
