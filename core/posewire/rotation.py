"""Rotations as arrays: unit quaternions (..., 4) in wxyz order, rotation vectors (..., 3), matrices (..., 3, 3).

Conventions: right-handed, active. `multiply(a, b)` applies b first. Formulas: Sola 2017, "Quaternion kinematics for the
error-state Kalman filter" (arXiv 1711.02508), equation numbers at the lines.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from posewire.data import FloatArray

_TINY = 1e-12
_YZX, _ZXY = np.array([1, 2, 0]), np.array([2, 0, 1])


def identity(*shape: int) -> FloatArray:
    """Identity quaternions of shape (*shape, 4)."""
    q = np.zeros((*shape, 4))
    q[..., 0] = 1.0
    return q


def normalise(q: ArrayLike) -> FloatArray:
    """(..., 4) of any length > 0 to unit length; the zero quaternion becomes the identity."""
    q = np.asarray(q, dtype=np.float64)
    length = np.linalg.norm(q, axis=-1, keepdims=True)
    return np.where(length > _TINY, q / np.maximum(length, _TINY), identity(*q.shape[:-1]))


def multiply(a: ArrayLike, b: ArrayLike) -> FloatArray:
    """Hamilton product a*b of (..., 4) quaternions: rotate by b, then by a (Sola eq. 12)."""
    aw, ax, ay, az = np.moveaxis(np.asarray(a, dtype=np.float64), -1, 0)
    bw, bx, by, bz = np.moveaxis(np.asarray(b, dtype=np.float64), -1, 0)
    return np.stack(
        [
            aw * bw - ax * bx - ay * by - az * bz,
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
        ],
        axis=-1,
    )


def inverse(q: ArrayLike) -> FloatArray:
    """Inverse of unit quaternions (..., 4)."""
    return np.asarray(q, dtype=np.float64) * np.array([1.0, -1.0, -1.0, -1.0])


def rotate(q: ArrayLike, v: ArrayLike) -> FloatArray:
    """Rotates vectors (..., 3) by unit quaternions (..., 4); leading axes broadcast."""
    q = np.asarray(q, dtype=np.float64)
    v = np.asarray(v, dtype=np.float64)
    t = 2.0 * _cross(q[..., 1:], v)
    return v + q[..., :1] * t + _cross(q[..., 1:], t)


def _cross(a: FloatArray, b: FloatArray) -> FloatArray:
    """a x b of vectors (..., 3); a third of the time of np.cross, which is made for any axis and length."""
    a_yzx, a_zxy, b_yzx, b_zxy = (v.take(axes, axis=-1) for v in (a, b) for axes in (_YZX, _ZXY))
    return a_yzx * b_zxy - a_zxy * b_yzx


def same_sign(q: ArrayLike, reference: ArrayLike) -> FloatArray:
    """q or -q (..., 4), whichever lies nearer to `reference` (..., 4): both are the same rotation."""
    q = np.asarray(q, dtype=np.float64)
    reference = np.asarray(reference, dtype=np.float64)
    return np.where(np.sum(q * reference, axis=-1, keepdims=True) < 0.0, -q, q)


def exp(rotation_vector: ArrayLike) -> FloatArray:
    """Rotation vectors (..., 3) in radians to unit quaternions (..., 4) (Sola eq. 101)."""
    v = np.asarray(rotation_vector, dtype=np.float64)
    half = 0.5 * np.linalg.norm(v, axis=-1, keepdims=True)
    return np.concatenate([np.cos(half), 0.5 * np.sinc(half / np.pi) * v], axis=-1)


def log(q: ArrayLike) -> FloatArray:
    """Unit quaternions (..., 4) to the shortest rotation vectors (..., 3), length <= pi (Sola eq. 103)."""
    signed = np.asarray(q, dtype=np.float64)
    near = np.where(signed[..., :1] < 0.0, -signed, signed)
    sine = np.linalg.norm(near[..., 1:], axis=-1, keepdims=True)
    angle = 2.0 * np.arctan2(sine, near[..., :1])
    scale = np.where(sine > _TINY, angle / np.maximum(sine, _TINY), 2.0)
    return scale * near[..., 1:]


def to_matrix(q: ArrayLike) -> FloatArray:
    """Unit quaternions (..., 4) to rotation matrices (..., 3, 3) (Sola eq. 115)."""
    w, x, y, z = np.moveaxis(np.asarray(q, dtype=np.float64), -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def from_matrix(matrices: ArrayLike) -> FloatArray:
    """Rotation matrices (..., 3, 3) to unit quaternions (..., 4), w >= 0.

    Takes the best conditioned of the four rows of 4 q q^T (Shepperd 1978).
    """
    R = np.asarray(matrices, dtype=np.float64)
    d0, d1, d2 = R[..., 0, 0], R[..., 1, 1], R[..., 2, 2]
    a, b, c = R[..., 2, 1] - R[..., 1, 2], R[..., 0, 2] - R[..., 2, 0], R[..., 1, 0] - R[..., 0, 1]
    e, f, g = R[..., 0, 1] + R[..., 1, 0], R[..., 0, 2] + R[..., 2, 0], R[..., 1, 2] + R[..., 2, 1]
    outer = np.stack(
        [
            np.stack([1 + d0 + d1 + d2, a, b, c], axis=-1),
            np.stack([a, 1 + d0 - d1 - d2, e, f], axis=-1),
            np.stack([b, e, 1 - d0 + d1 - d2, g], axis=-1),
            np.stack([c, f, g, 1 - d0 - d1 + d2], axis=-1),
        ],
        axis=-2,
    )
    best = np.argmax(np.diagonal(outer, axis1=-2, axis2=-1), axis=-1)
    q = normalise(np.take_along_axis(outer, best[..., None, None], axis=-2)[..., 0, :])
    return np.where(q[..., :1] < 0.0, -q, q)


def slerp(a: ArrayLike, b: ArrayLike, fraction: ArrayLike) -> FloatArray:
    """Shortest-path interpolation between unit quaternions (..., 4); fraction (...) 0 gives a, 1 gives b."""
    a = np.asarray(a, dtype=np.float64)
    b = np.asarray(b, dtype=np.float64)
    step = log(multiply(inverse(a), b))
    return multiply(a, exp(np.asarray(fraction, dtype=np.float64)[..., None] * step))


def between(a: ArrayLike, b: ArrayLike) -> FloatArray:
    """The shortest rotation (..., 4) that turns direction a (..., 3) into direction b (..., 3), any lengths > 0."""
    start, end = _unit(a), _unit(b)
    q = np.concatenate([1.0 + np.sum(start * end, axis=-1, keepdims=True), np.cross(start, end)], axis=-1)
    axis = np.cross(start, np.where(np.abs(start[..., :1]) < 0.9, [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]))
    half_turn = np.concatenate([np.zeros_like(axis[..., :1]), axis], axis=-1)
    return normalise(np.where(q[..., :1] < 1e-9, half_turn, q))


def _unit(v: ArrayLike) -> FloatArray:
    v = np.asarray(v, dtype=np.float64)
    return v / np.linalg.norm(v, axis=-1, keepdims=True)


def swing_twist(q: ArrayLike, axis: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Splits unit quaternions (..., 4) into swing * twist, the twist about the unit `axis` (..., 3)."""
    q = np.asarray(q, dtype=np.float64)
    axis = np.asarray(axis, dtype=np.float64)
    along = np.sum(q[..., 1:] * axis, axis=-1, keepdims=True)
    twist = normalise(np.concatenate([q[..., :1], along * axis], axis=-1))
    return multiply(q, inverse(twist)), twist


def solid_angle(a: ArrayLike, b: ArrayLike, c: ArrayLike) -> FloatArray:
    """(...) steradians of the triangle that unit vectors (..., 3) make on the sphere, positive where they turn to the left.

    Van Oosterom and Strackee 1983, eq. 8; undefined (+-2 pi) where two of them are opposite.
    """
    a, b, c = np.asarray(a), np.asarray(b), np.asarray(c)
    cosines = np.sum(a * b, axis=-1) + np.sum(b * c, axis=-1) + np.sum(c * a, axis=-1)
    return 2.0 * np.arctan2(np.sum(a * np.cross(b, c), axis=-1), 1.0 + cosines)
