"""Occlusion-robust pose maps, the older encoding: read-out as in thesis 002, section 6.2.2 and Algorithm 1 (appendix C).

The whole pose is read at the neck, or at the pelvis if the neck is not usable; then each limb is read again at its outermost
joint that is sure and stands alone. It takes a Stage I that was trained with `--scheme orpm`, and no Stage II: all that is read
are the encodings at joints, and these are what an exported file says. Numpy only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from posewire_data.joints import ROOT
from posewire_xnect.encodings import joints
from posewire_xnect.people import People
from posewire_xnect.skeleton import LIMBS, NECK, PELVIS, J, supervised
from posewire_xnect.targets import BoolArray, FloatArray, to_cells

CONFIDENT = 0.2
"""t_C, the lowest confidence of a read-out place. The document names no number."""
APART = 3.0
"""t_D, cells to the nearest place where somebody else's same joint is read. The document names no number."""

Posing: TypeAlias = Callable[[People], tuple[People, FloatArray]]
"""People found to those of them who have a pose, and their root-relative joints (P, J, 3), metres: `posed`, or a Stage II."""


def posed(found: People) -> tuple[People, FloatArray]:
    """Reads everybody's pose; "no person detected" (Algorithm 1, line 18) where neither neck nor pelvis is sure."""
    joints_m = read_poses(found.encodings, to_cells(found.points_px), found.confidence)
    known = np.isfinite(joints_m).all(axis=(1, 2))
    return People(found.points_px[known], found.confidence[known], found.encodings[known]), joints_m[known]


def read_poses(told: FloatArray, points: FloatArray, confidence: FloatArray) -> FloatArray:
    """Root-relative joints (P, J, 3), metres; NaN for who shows neither neck nor pelvis.

    Args:
        told: (P, J, 3 J) the encodings at each joint, as `encodings.read` gives; the document reads the same cells of the maps.
        points: (P, J, 2) cells, NaN = unseen.
        confidence: (P, J).
    """
    sure = (confidence > CONFIDENT) & np.isfinite(points).all(axis=-1)
    valid = valid_places(points, sure)
    vectors = told.reshape(len(points), J, J, 3).astype(np.float64)  # (P, where they are read, bone, 3)
    bones_m = np.full((len(points), J, 3), np.nan)
    for person in range(len(points)):
        base = _base(valid[person], sure[person])
        if base is None:
            continue
        bones_m[person] = vectors[person, base]
        for limb in LIMBS:
            _refine(bones_m[person], vectors[person], valid[person], limb)
    nobody = np.isnan(bones_m).any(axis=(1, 2), keepdims=True)
    return np.where(nobody, np.nan, joints(bones_m))


def _base(valid: BoolArray, sure: BoolArray) -> int | None:
    """Neck before pelvis, valid (section 6.2.2) before merely confident (Algorithm 1, line 3)."""
    return next((joint for usable in (valid, sure) for joint in (NECK, PELVIS) if usable[joint]), None)


def _refine(bones_m: FloatArray, vectors: FloatArray, valid: BoolArray, limb: tuple[int, ...]) -> None:
    """REFINELIMB: the limb's bones at its outermost valid joint; the base pose stays where there is none."""
    for joint in limb:
        if valid[joint]:
            bones_m[list(limb)] = vectors[joint, list(limb)]
            return


def valid_places(points: FloatArray, sure: BoolArray) -> BoolArray:
    """(P, J): sure, and at least APART from every place where joint j of anybody else may be read (eq. 6.2)."""
    valid = sure.copy()
    table = supervised("orpm")
    table[[NECK, PELVIS], ROOT] = True  # the root is no bone, yet it has places where it is read
    for person, joint in np.argwhere(sure):
        others = np.delete(points, person, axis=0)[:, table[:, joint]]  # rho(j) of the others
        distance = np.linalg.norm(others - points[person, joint], axis=-1)
        valid[person, joint] = not (distance < APART).any()
    return valid
