"""Forward kinematics of many people at once: a fraction of a millisecond, however many they are."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from posewire import rotation
from posewire.data import FloatArray

IndexArray = NDArray[np.int64]


def world_poses(
    parents: tuple[int, ...], offsets_m: FloatArray, root_m: FloatArray, rotations_wxyz: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """World rotations (P, N, 4) and positions (P, N, 3) of P people on one tree of N bones.

        W[b] = W[parent] R[b]          x[b] = x[parent] + W[parent] o[b]

    Both by pointer jumping: after round k every bone holds the product, or sum, over its 2^k nearest ancestors.

    Args:
        parents: (N,) a parent comes before its children; -1 = the root, bone 0.
        offsets_m: (P, N, 3) rest position relative to the parent.
        root_m: (P, 3) position of bone 0.
        rotations_wxyz: (P, N, 4) parent-relative rotations from rest.
    """
    people, bones = rotations_wxyz.shape[:2]
    above = rotation.identity(people, 1)
    world = np.concatenate([rotations_wxyz, above], axis=1)  # (P, N + 1, 4)
    jumps = _ancestor_jumps(parents)
    for ancestor in jumps:
        world = _product(world[:, ancestor], world)
    x = np.zeros((people, bones + 1, 3))
    x[:, 0] = root_m
    x[:, 1:bones] = _rotate(world[:, list(parents[1:])], offsets_m[:, 1:])
    for ancestor in jumps:
        x = x[:, ancestor] + x
    return world[:, :bones], x[:, :bones]


@lru_cache(maxsize=8)
def _ancestor_jumps(parents: Sequence[int]) -> list[IndexArray]:
    """For each round the row (N + 1,) to take from; row N stands above the root and is its own ancestor."""
    top = len(parents)
    jump = np.array([top if parent < 0 else parent for parent in (*parents, -1)], dtype=np.int64)
    rounds: list[IndexArray] = []
    while (jump != top).any():
        rounds.append(jump)
        jump = jump[jump]
    return rounds


# Lean forms of rotation.*: at a few dozen rows the calls cost more than the arithmetic.
_LEFT = np.array([[0, 1, 2, 3], [1, 0, 3, 2], [2, 3, 0, 1], [3, 2, 1, 0]])
_LEFT_SIGN = np.array([[1.0, -1, -1, -1], [1, 1, -1, 1], [1, 1, 1, -1], [1, -1, 1, 1]])
_CONJUGATE = np.array([1.0, -1.0, -1.0, -1.0])


def _product(a: FloatArray, b: FloatArray) -> FloatArray:
    """a b for (..., 4), as the 4x4 matrix of "multiply by a from the left" times b (Sola 2017 eq. 17)."""
    return ((a[..., _LEFT] * _LEFT_SIGN) @ b[..., None])[..., 0]


def _rotate(q: FloatArray, v: FloatArray) -> FloatArray:
    """Vectors (..., 3) turned by unit quaternions (..., 4): the imaginary part of q v q*."""
    pure = np.concatenate([np.zeros_like(v[..., :1]), v], axis=-1)
    return _product(_product(q, pure), q * _CONJUGATE)[..., 1:]
