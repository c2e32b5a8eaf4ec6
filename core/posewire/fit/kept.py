"""A pose kept apart from the solver's workspace."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from posewire.data import FloatArray
from posewire.fit.body import Body, Workspace
from posewire.fit.compiled import kernel
from posewire.fit.kinematics import forward


class Kept(NamedTuple):
    """One pose and its energies."""

    root_m: FloatArray
    """(3,)"""
    root_wxyz: FloatArray
    """(4,)"""
    angles_rad: FloatArray
    """(D,)"""
    joints_m: FloatArray
    """(N, 3)"""
    energies: FloatArray
    """(T,)"""


def make_kept(body: Body, terms: int) -> Kept:
    """Nothing kept."""
    return Kept(np.zeros(3), np.zeros(4), np.zeros(len(body.axes)), np.zeros((len(body.parents), 3)), np.zeros(terms))


@kernel
def keep(work: Workspace, side: int, kept: Kept) -> None:
    """Copies the pose on `side`."""
    for i in range(4):
        kept.root_wxyz[i] = work.root_wxyz[side, i]
    for d in range(len(kept.angles_rad)):
        kept.angles_rad[d] = work.angles_rad[side, d]
    for term in range(len(kept.energies)):
        kept.energies[term] = work.energies[side, term]
    for i in range(3):
        kept.root_m[i] = work.root_m[side, i]
        for j in range(len(kept.joints_m)):
            kept.joints_m[j, i] = work.joints_m[side, j, i]


@kernel
def put_back(body: Body, kept: Kept, work: Workspace) -> None:
    """Puts the pose on side 0, its joints and markers in place."""
    for i in range(4):
        work.root_wxyz[0, i] = kept.root_wxyz[i]
    for i in range(3):
        work.root_m[0, i] = kept.root_m[i]
    for d in range(len(kept.angles_rad)):
        work.angles_rad[0, d] = kept.angles_rad[d]
    for term in range(len(kept.energies)):
        work.energies[0, term] = kept.energies[term]
    forward(body, work, 0)
