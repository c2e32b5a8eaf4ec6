"""Body sizes: the universal height, and bodies of other proportions doing the same motion."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from posewire_data.joints import JOINTS, MIRROR, PARENTS

FloatArray = NDArray[np.floating[Any]]

KNEE_TO_NECK_M = 0.930
"""Mehta 2020, section 3.3: the universal skeleton's sum of the lengths of the thigh and the spine."""
_SPINE = tuple((JOINTS.index(child), JOINTS.index(parent)) for child, parent in (("chest", "pelvis"), ("neck", "chest")))
_THIGHS = tuple((JOINTS.index(f"{side}_knee"), JOINTS.index(f"{side}_hip")) for side in ("left", "right"))


def bone_lengths_m(positions_m: FloatArray) -> FloatArray:
    """Positions (..., 17, 3) to the length of each joint's bone to its parent (..., 17); the root's is 0."""
    return np.linalg.norm(_bones(positions_m), axis=-1)


def knee_to_neck_m(positions_m: FloatArray) -> float:
    """Thigh plus spine of positions (F, 17, 3): the median over the frames, both legs averaged."""
    spine = sum(np.linalg.norm(positions_m[:, a] - positions_m[:, b], axis=-1) for a, b in _SPINE)
    thigh = np.mean([np.linalg.norm(positions_m[:, a] - positions_m[:, b], axis=-1) for a, b in _THIGHS], axis=0)
    return float(np.nanmedian(spine + thigh))


def resized(positions_m: FloatArray, factors: FloatArray) -> FloatArray:
    """Positions (B, F, 17, 3) with each bone's length multiplied by factors (B, 17); directions and the pelvis stay.

    A foot that stood on the floor may leave it: a lifter's target is root-relative, so it does not matter.
    """
    bones = _bones(positions_m) * factors[:, None, :, None]
    moved = positions_m.copy()
    for joint, parent in enumerate(PARENTS[1:], start=1):
        moved[..., joint, :] = moved[..., parent, :] + bones[..., joint, :]
    return moved


def random_proportions(rng: np.random.Generator, count: int, spread: float = 0.08, size_spread: float = 0.0) -> FloatArray:
    """Bone factors (count, 17), log-normal: `spread` of each bone (equal left and right), times `size_spread` of all.

    Human segment lengths deviate by about 5-8 % from their fraction of the stature, statures by 4 % (Winter 2009, section 4.1).
    """
    own = rng.normal(0.0, spread, (count, len(JOINTS)))
    twin = np.minimum(np.arange(len(JOINTS)), MIRROR)  # the first of each pair speaks for both sides
    return np.exp(own[:, twin] + rng.normal(0.0, size_spread, (count, 1)))


def _bones(positions_m: FloatArray) -> FloatArray:
    """(..., 17, 3) each joint less its parent; 0 for the root."""
    parents = np.where(np.array(PARENTS) < 0, 0, PARENTS)
    return positions_m - positions_m[..., parents, :]
