"""The losses of the three teachers, pure functions of torch tensors; nothing here knows a network.

B rows, J joints. A target that was not seen has weight 0 and may hold any finite number. eq. 3.x and 4.x: Ch. 3 and 4 of the
self-supervision thesis; eq. 13-15: "Distill Knowledge from NRSfM" (docs/SELFSUP.md).
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from posewire_selfsup_lifter.geometry import full_rotation, project

Error = Literal["square", "distance"]
"""How an error of 2D counts: squared, as eq. 3.2 and 3.5 are printed, or as it is, which a far point pulls less at."""

_TINY = 1e-8
_RIDGE = 1e-4
"""Keeps eq. 13 solvable where two joints have the same depth row."""


def reprojection(points_m: Tensor, rays: Tensor, weights: Tensor, size: Tensor, error: Error = "square") -> Tensor:
    """One view of eq. 3.2: mean of w_i |X_i - rho(Y_i)|^2 in units of the person's size in that picture.

    Args:
        points_m: (B, J, 3) joints in the camera's axes, metres.
        rays: (B, J, 2) where they were seen.
        weights: (B, J) confidence, 0 where unseen.
        size: (B,) size of the person in rays. Without it people far away would count less by the square of their distance.
        error: "distance" leaves the square away.
    """
    errors = (project(points_m) - rays).square().sum(-1) / size[:, None].square()
    if error == "distance":
        errors = (errors + _TINY).sqrt()
    return (weights * errors).sum() / weights.sum().clamp(min=_TINY)


def transform_reprojection(
    points_other_m: Tensor, rays: Tensor, weights_own: Tensor, seen: Tensor, size: Tensor, error: Error = "square"
) -> Tensor:
    """One term of eq. 3.5: the pose lifted from the other view, already turned into this camera, against this picture.

    The weight is that of the view the pose was lifted from (`weights_own`, as eq. 3.5 is printed); `seen` (B, J) is 0 where this
    picture has no target.
    """
    return reprojection(points_other_m, rays, weights_own * seen, size, error)


def pretraining(points1_in2_m: Tensor, points2_m: Tensor) -> Tensor:
    """One term of eq. 3.6: mean over joints of |tau(Y1) - Y2|^2, m^2."""
    return (points1_in2_m - points2_m).square().sum(-1).mean()


def joint_distance(a: Tensor, b: Tensor, weights: Tensor | None = None) -> Tensor:
    """|A - B|_2 over joints and axes, the mean of the rows: eq. 4.3 (2D, weighted by what is seen) and eq. 4.4 (canonical 3D)."""
    squares = (a - b).square().sum(-1)
    if weights is not None:
        squares = squares * weights
    return (squares.sum(-1) + _TINY).sqrt().mean()


def rotated_dictionary(dictionary: Tensor, camera: Tensor) -> tuple[Tensor, Tensor]:
    """eq. 6 and 7: B_xy (B, 2 J, K) and B_z (B, J, K) of a dictionary (J, 3, K) seen by cameras (B, 3, 2)."""
    rotated = torch.einsum("jck,bcd->bjdk", dictionary, full_rotation(camera))  # (B, J, 3, K)
    rows, joints, _, atoms = rotated.shape
    return rotated[:, :, :2].reshape(rows, joints * 2, atoms), rotated[:, :, 2]


def projected_code(depth: Tensor, B_z: Tensor, code: Tensor) -> Tensor:
    """eq. 13: the code (B, K) nearest to the teacher's among those that reconstruct `depth` (B, J).

    phi~ = phi + B_z^T (B_z B_z^T)^(-1) (z - B_z phi).
    """
    gram = B_z @ B_z.mT
    ridge = _RIDGE * gram.diagonal(dim1=-2, dim2=-1).mean(-1)[:, None, None]
    gram = gram + ridge * torch.eye(gram.shape[-1], dtype=gram.dtype, device=gram.device)
    missing = depth - (B_z @ code[..., None])[..., 0]
    return code + (B_z.mT @ torch.linalg.solve(gram, missing[..., None]))[..., 0]


def distillation(depth: Tensor, rays: Tensor, dictionary: Tensor, camera: Tensor, code: Tensor, l1_weight: float = 0.3) -> Tensor:
    """eq. 14: what NRSfM itself would say of a depth hypothesis: |B_xy phi~(z) - w|_2 + 0.3 |phi~(z)|_1, mean of the rows.

    Args:
        depth: (B, J) the student's z.
        rays: (B, J, 2) the picture that the teacher explained, in its units.
        dictionary: (J, 3, K) D_1.
        camera: (B, 3, 2) the teacher's camera, fixed.
        code: (B, K) the teacher's code phi_nrsfm, fixed.
    """
    B_xy, B_z = rotated_dictionary(dictionary, camera)
    code_of_depth = projected_code(depth, B_z, code)
    picture = (B_xy @ code_of_depth[..., None])[..., 0]
    errors = ((picture - rays.flatten(1)).square().sum(-1) + _TINY).sqrt()
    return (errors + l1_weight * code_of_depth.abs().sum(-1)).mean()
