"""Projection, change of view and rotations on torch tensors. Equation numbers: docs/SELFSUP.md says of which document.

Intrinsics are gone before training (rays = (x/z, y/z)), so that f = 1 and c = 0 in eq. 3.1.
"""

from __future__ import annotations

import torch
from torch import Tensor

NEAREST_M = 0.1
"""Depths below are taken as this, so that a wild guess does not divide by zero or change its sign."""
_SMALL = 1e-8


def project(points_m: Tensor) -> Tensor:
    """rho of eq. 3.1: points (..., 3) in camera axes to rays (..., 2)."""
    return points_m[..., :2] / points_m[..., 2:].clamp(min=NEAREST_M)


def relative_pose(R1: Tensor, centre1_m: Tensor, R2: Tensor, centre2_m: Tensor) -> tuple[Tensor, Tensor]:
    """eq. 3.4: R_1to2 = R2 R1^T and t_1to2 = R1 (t2 - t1), with R world to camera (B, 3, 3) and centres (B, 3)."""
    return R2 @ R1.mT, torch.einsum("bij,bj->bi", R1, centre2_m - centre1_m)


def transform(points_m: Tensor, R_1to2: Tensor, t_1to2: Tensor) -> Tensor:
    """tau of eq. 3.3: points (B, J, 3) in the first camera's axes to the second's, R (y - t)."""
    return (points_m - t_1to2[:, None]) @ R_1to2.mT


def rotation_matrix(vector: Tensor) -> Tensor:
    """Rodrigues: exponential coordinates (B, 3) to rotations (B, 3, 3), the R of eq. 4.1; smooth at zero."""
    angle2 = vector.square().sum(-1)[:, None, None]
    small = angle2 < _SMALL
    angle = torch.where(small, torch.ones_like(angle2), angle2).sqrt()  # the branch not taken must have a gradient too
    a = torch.where(small, 1 - angle2 / 6, torch.sin(angle) / angle)
    b = torch.where(small, 0.5 - angle2 / 24, (1 - torch.cos(angle)) / angle.square())
    hat = _hat(vector)
    return torch.eye(3, dtype=vector.dtype, device=vector.device) + a * hat + b * (hat @ hat)


def _hat(v: Tensor) -> Tensor:
    zero = torch.zeros_like(v[:, 0])
    return torch.stack([zero, -v[:, 2], v[:, 1], v[:, 2], zero, -v[:, 0], -v[:, 1], v[:, 0], zero], -1).reshape(-1, 3, 3)


def nearest_camera(matrix: Tensor) -> Tensor:
    """(B, 3, 2) to the nearest matrix with orthonormal columns, A (A^T A)^(-1/2): U V^T of its SVD, but with a cheap gradient.

    The 2x2 root by Cayley and Hamilton: S^(1/2) = (S + sqrt(det S) I) / sqrt(tr S + 2 sqrt(det S)).
    """
    gram = matrix.mT @ matrix + _SMALL * torch.eye(2, dtype=matrix.dtype, device=matrix.device)
    a, b, d = gram[:, 0, 0], gram[:, 0, 1], gram[:, 1, 1]
    root_det = (a * d - b * b).clamp(min=_SMALL**2).sqrt()
    scale = (a + d + 2 * root_det).sqrt() * root_det
    inverse_root = torch.stack([d + root_det, -b, -b, a + root_det], -1).reshape(-1, 2, 2) / scale[:, None, None]
    return matrix @ inverse_root


def full_rotation(camera: Tensor) -> Tensor:
    """eq. 5 of the distillation paper: R = [m1, m2, m1 x m2] (B, 3, 3) of an orthonormal camera (B, 3, 2)."""
    return torch.cat([camera, torch.linalg.cross(camera[..., 0], camera[..., 1], dim=-1)[..., None]], -1)
