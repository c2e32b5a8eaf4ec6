"""New poses out of known ones: a limb of another moment, a joint turned a little further, a body that leans.

Thirty thousand frames of eleven people hold few combinations of what arms, legs and trunk do. Exchanging limbs and turning bones
widens them (Li et al. 2020, "Cascaded deep monocular 3D human pose estimation with evolutionary training data", sec. 3: crossover
and mutation). Limbs are exchanged in the axes of the part they hang on, so that an arm stays an arm of that trunk.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posewire_data.joints import JOINTS, ROOT

Floats = NDArray[np.floating[Any]]


def _indices(*names: str) -> tuple[int, ...]:
    return tuple(JOINTS.index(name) for name in names)


PELVIS_AXES = _indices("right_hip", "left_hip", "pelvis", "chest")
CHEST_AXES = _indices("right_shoulder", "left_shoulder", "chest", "neck")
"""Right to left, low to high: two directions that span a part's axes."""

LIMBS: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...] = (
    (PELVIS_AXES, _indices("left_hip", "left_knee", "left_ankle")),
    (PELVIS_AXES, _indices("right_hip", "right_knee", "right_ankle")),
    (CHEST_AXES, _indices("left_shoulder", "left_elbow", "left_wrist")),
    (CHEST_AXES, _indices("right_shoulder", "right_elbow", "right_wrist")),
    (CHEST_AXES, _indices("neck", "nose", "head_top")),
)
"""The axes that a limb is exchanged in; the joint that it hangs on and the joints that move."""

UPPER = _indices(
    "chest", "neck", "nose", "head_top", *(f"{s}_{p}" for s in ("left", "right") for p in ("shoulder", "elbow", "wrist"))
)


@dataclass(frozen=True, slots=True)
class Mixing:
    """How much is changed; angles are standard deviations."""

    exchange: float = 0.3
    """Chance of each limb to come from another sample."""
    limb_deg: float = 12.0
    """Of a limb about the joint that it hangs on, and as much again of its lower part about its own."""
    trunk_deg: float = 12.0
    """Of everything above the pelvis."""
    lean_deg: float = 12.0
    """Of the whole body, about a level axis."""
    share: float = 0.7
    """Of the samples that are changed at all."""


def mixed(rng: np.random.Generator, positions_m: Floats, mixing: Mixing) -> Floats:
    """Positions (B, T, 17, 3) with limbs exchanged and turned; what happens to a sample is the same in all its frames."""
    count = len(positions_m)
    chosen = np.flatnonzero(rng.random(count) < mixing.share)
    if not len(chosen):
        return positions_m
    out, donors = positions_m.copy(), rng.integers(count, size=(len(LIMBS), len(chosen)))
    moved = positions_m[chosen]
    for (axes, limb), donor in zip(LIMBS, donors, strict=True):
        moved = _exchanged(rng, moved, positions_m[donor], axes, limb, mixing)
    moved = _turned(moved, UPPER, ROOT, _random_turns(rng, len(chosen), mixing.trunk_deg))
    lean = _random_turns(rng, len(chosen), mixing.lean_deg, level=True)
    out[chosen] = _turned(moved, tuple(range(len(JOINTS))), ROOT, lean)
    return out


def _exchanged(
    rng: np.random.Generator, bodies_m: Floats, donors_m: Floats, axes: tuple[int, ...], limb: tuple[int, ...], mixing: Mixing
) -> Floats:
    """The bodies with some of the donors' limbs, each limb turned at random."""
    at, middle, end = limb
    mine, theirs = _axes(bodies_m, axes), _axes(donors_m, axes)
    take = rng.random(len(bodies_m)) < mixing.exchange
    relative_m = donors_m[..., [middle, end], :] - donors_m[..., [at], :]
    given_m = relative_m @ theirs @ np.swapaxes(mine, -1, -2)  # (B, T, 2, 3): into the donor's part, out of mine
    out = bodies_m.copy()
    fresh = bodies_m[..., [at], :] + given_m
    out[..., [middle, end], :] = np.where(take[:, None, None, None], fresh, bodies_m[..., [middle, end], :])
    out = _turned(out, (middle, end), at, _random_turns(rng, len(out), mixing.limb_deg))
    if JOINTS[middle] == "nose":  # the head is one rigid part
        return out
    return _turned(out, (end,), middle, _random_turns(rng, len(out), mixing.limb_deg))


def _axes(positions_m: Floats, axes: tuple[int, ...]) -> Floats:
    """(B, T, 3, 3) columns x (to the left), y (up), z (forward) of a part of the body."""
    right, left, low, high = (positions_m[..., joint, :] for joint in axes)
    y = _unit(high - low)
    x = left - right
    x = _unit(x - (x * y).sum(axis=-1, keepdims=True) * y)
    return np.stack([x, y, np.cross(x, y)], axis=-1)


def _unit(vectors: Floats) -> Floats:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def _turned(positions_m: Floats, joints: tuple[int, ...], about: int, R: Floats) -> Floats:
    """The joints turned by R (B, 3, 3) about the joint `about`."""
    centre_m = positions_m[..., [about], :]
    out = positions_m.copy()
    out[..., list(joints), :] = (positions_m[..., list(joints), :] - centre_m) @ np.swapaxes(R, 1, 2)[:, None] + centre_m
    return out


def _random_turns(rng: np.random.Generator, count: int, deviation_deg: float, *, level: bool = False) -> Floats:
    """(count, 3, 3) turns about random axes; level: about axes in the floor's plane. Rodrigues' formula."""
    axis = _unit(rng.normal(size=(count, 3)) * ([1.0, 0.0, 1.0] if level else 1.0))
    angle = np.radians(rng.normal(0.0, deviation_deg, (count, 1, 1)))
    zero = np.zeros(count)
    x, y, z = axis.T
    cross = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=-1).reshape(count, 3, 3)
    return (np.eye(3) + np.sin(angle) * cross + (1.0 - np.cos(angle)) * (cross @ cross)).astype(np.float32)
