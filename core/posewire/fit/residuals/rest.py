"""Rest term: a weak pull of an angle to its place at rest, which decides where nothing has been seen.

E = sum_d w_d (theta_d - rest_d)^2

w_d per rad^2; small against every other term. Not in the documents, whose skeletons see all their angles at all times.
"""

from __future__ import annotations

from posewire.data import FloatArray
from posewire.fit.body import ROOT_UNKNOWNS, Body
from posewire.fit.compiled import kernel
from posewire.fit.targets import Targets


@kernel
def add(body: Body, targets: Targets, angles: FloatArray, H: FloatArray, g: FloatArray) -> float:
    """Adds the term at angles (D,) to the diagonal of H (P, C) and to g (P,)."""
    energy = 0.0
    for d in range(len(angles)):
        w = targets.rest_w[d]
        if w > 0.0:
            e, k = angles[d] - targets.rest_rad[d], ROOT_UNKNOWNS + d
            H[k, body.depth[k]] += w
            g[k] += w * e
            energy += w * e * e
    return energy
