"""Quaternions to Euler angles that a curve editor can show: continuous in time, and safe at gimbal lock."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from posewire import rotation
from posewire.data import FloatArray

_LOCKED = 1e-6
"""cos(x) below which z and y turn about the same axis."""


def to_zxy(q: ArrayLike) -> FloatArray:
    """Unit quaternions (F, N, 4) to angles (F, N, 3) in radians, z x y, with R = Rz(z) Rx(x) Ry(y).

    Every rotation has two such triples (and any number of whole turns): each frame takes the one nearest to the frame before.
    In gimbal lock, where only z + y or z - y is defined, y stays what it was.
    """
    R = rotation.to_matrix(q)
    z = np.arctan2(-R[..., 0, 1], R[..., 1, 1])
    x = np.arctan2(R[..., 2, 1], np.hypot(R[..., 0, 1], R[..., 1, 1]))
    y = np.arctan2(-R[..., 2, 0], R[..., 2, 2])
    locked = np.hypot(R[..., 0, 1], R[..., 1, 1]) < _LOCKED
    turn = np.arctan2(R[..., 1, 0], R[..., 0, 0])  # z + y for x = 90 degrees, z - y for x = -90 degrees
    angles = np.stack([z, x, y], axis=-1)
    previous = np.zeros(angles.shape[1:])
    for frame in range(len(angles)):
        free = np.stack([turn[frame] - np.sign(x[frame]) * previous[:, 2], x[frame], previous[:, 2]], axis=-1)
        angles[frame] = previous = _nearest(np.where(locked[frame][:, None], free, angles[frame]), previous)
    return angles


def _nearest(angles: FloatArray, previous: FloatArray) -> FloatArray:
    """Of all triples (N, 3) that mean the same rotations as `angles`, those nearest to `previous`."""
    other = np.stack([angles[:, 0] + np.pi, np.pi - angles[:, 1], angles[:, 2] + np.pi], axis=-1)
    a, b = (choice + 2 * np.pi * np.round((previous - choice) / (2 * np.pi)) for choice in (angles, other))
    a_is_nearer = np.abs(a - previous).sum(-1) <= np.abs(b - previous).sum(-1)
    return np.where(a_is_nearer[:, None], a, b)
