# SPDX-License-Identifier: GPL-3.0-or-later
"""Quaternions (..., 4) w x y z as numpy arrays; `multiply(a, b)` applies b first.

Formulas: Sola 2017, "Quaternion kinematics for the error-state Kalman filter" (arXiv 1711.02508), eq. 12 and 17.
"""

from __future__ import annotations

import numpy as np

IDENTITY = np.array([1.0, 0.0, 0.0, 0.0])
CONJUGATE = np.array([1.0, -1.0, -1.0, -1.0])
_LEFT = np.array([[0, 1, 2, 3], [1, 0, 3, 2], [2, 3, 0, 1], [3, 2, 1, 0]])
_LEFT_SIGN = np.array([[1.0, -1, -1, -1], [1, 1, -1, 1], [1, 1, 1, -1], [1, -1, 1, 1]])


def multiply(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a b, as the 4x4 matrix of "multiply by a from the left" times b; leading axes broadcast."""
    return ((a[..., _LEFT] * _LEFT_SIGN) @ b[..., None])[..., 0]


def inverse(q: np.ndarray) -> np.ndarray:
    """Of unit quaternions."""
    return q * CONJUGATE


def rotate(q: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Vectors (..., 3) by unit quaternions (..., 4)."""
    t = 2.0 * np.cross(q[..., 1:], v)
    return v + q[..., :1] * t + np.cross(q[..., 1:], t)


def about(axis: np.ndarray, angle_rad: float) -> np.ndarray:
    """The rotation by an angle about a unit axis (3,)."""
    return np.concatenate([[np.cos(angle_rad / 2)], np.sin(angle_rad / 2) * axis])


def between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The shortest rotation that brings direction a (3,) to direction b (3,)."""
    a, b = a / np.linalg.norm(a), b / np.linalg.norm(b)
    w = 1.0 + float(a @ b)
    if w > 1e-9:
        q = np.concatenate([[w], np.cross(a, b)])
        return q / np.linalg.norm(q)
    across = np.cross(a, np.eye(3)[np.argmin(np.abs(a))])  # opposite: half a turn about any axis across
    return np.concatenate([[0.0], across / np.linalg.norm(across)])


def from_matrix(R: np.ndarray) -> np.ndarray:
    """Of a rotation matrix (3, 3): the eigenvector that Bar-Itzhack 2000 ("New Method for Extracting the Quaternion") gives."""
    K = np.array(
        [
            [R[0, 0] + R[1, 1] + R[2, 2], R[2, 1] - R[1, 2], R[0, 2] - R[2, 0], R[1, 0] - R[0, 1]],
            [0.0, R[0, 0] - R[1, 1] - R[2, 2], R[0, 1] + R[1, 0], R[0, 2] + R[2, 0]],
            [0.0, 0.0, R[1, 1] - R[0, 0] - R[2, 2], R[1, 2] + R[2, 1]],
            [0.0, 0.0, 0.0, R[2, 2] - R[0, 0] - R[1, 1]],
        ]
    )
    q = np.linalg.eigh(K + np.triu(K, 1).T)[1][:, -1]
    return q if q[0] >= 0 else -q


def to_matrix(q: np.ndarray) -> np.ndarray:
    """(3, 3) of a unit quaternion (4,)."""
    return np.stack([rotate(q, axis) for axis in np.eye(3)], axis=1)


def power(q: np.ndarray, exponent: np.ndarray) -> np.ndarray:
    """q^exponent (K, 4), of the shorter of the two ways round; q need not be of unit length."""
    sine = np.sqrt(np.einsum("ki,ki->k", q[:, 1:], q[:, 1:]))
    half = np.arctan2(sine, np.abs(q[:, 0]))
    scale = np.sin(exponent * half) / np.where(sine > 1e-12, sine, 1.0)
    result = q * np.where(q[:, :1] < 0.0, -scale[:, None], scale[:, None])
    result[:, 0] = np.cos(exponent * half)
    return result


def same_sign(q: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """q or -q (..., 4), whichever lies nearer to the reference: both are the same rotation."""
    return np.where(np.sum(q * reference, axis=-1, keepdims=True) < 0.0, -q, q)


def nlerp(a: np.ndarray, b: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Between a and b (..., 4), the shorter way; normalised linear, exact enough between two frames of a recording."""
    q = a + share * (same_sign(b, a) - a)
    return q / np.linalg.norm(q, axis=-1, keepdims=True)
