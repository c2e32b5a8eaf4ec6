"""Damping term: an angle's change since the frame before, which steadies what the joints' places do not show (twists).

E = sum_d w_d (theta_d - theta_d[t-1])^2

w_d per rad^2. Not in the documents.
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
        w = targets.damping_w[d]
        if w > 0.0:
            e, k = angles[d] - targets.previous_rad[d], ROOT_UNKNOWNS + d
            H[k, body.depth[k]] += w
            g[k] += w * e
            energy += w * e * e
    return energy
