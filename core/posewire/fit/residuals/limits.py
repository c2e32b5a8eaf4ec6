"""Limit term: an angle outside its anatomical range.

E = sum_d w_d (theta_d - nearest allowed)^2                         (Mehta 2020, eq. 8.6)

w_d per rad^2; the ranges are the skeleton's (skeleton.py names their source).
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
        w = targets.limit_w[d]
        below, above = body.limits_rad[d, 0] - angles[d], angles[d] - body.limits_rad[d, 1]
        e = -below if below > 0.0 else max(above, 0.0)
        if w > 0.0 and e != 0.0:
            k = ROOT_UNKNOWNS + d
            H[k, body.depth[k]] += w
            g[k] += w * e
            energy += w * e * e
    return energy
