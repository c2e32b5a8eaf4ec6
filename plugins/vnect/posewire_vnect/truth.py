"""From rendered crops to what the network should say of them, also of the same crops seen again turned, scaled and mirrored.

Shapes: B crops, J joints. A view is a similarity of the crop: new pixel = A (old pixel, 1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from posewire_synth.layers import BY_OBJECT, BY_PERSON, OUTSIDE
from posewire_training import tensors
from posewire_vnect.names import JOINTS, KNEE_TO_NECK_M, MIRROR, PARENTS, ROOT, STRIDE_PX
from posewire_vnect.shots import Shots

SIGMA = 1.0
"""Cells, of the Gaussians."""
HIDDEN_HEIGHT = 0.5
"""Of the Gaussian of a joint behind a thing or somebody else: the network may know where it is, but should be less sure."""
_THIGHS = [JOINTS.index("left_knee"), JOINTS.index("right_knee")]
_TRUNK = [JOINTS.index("chest"), JOINTS.index("neck")]
_PARENT = [max(parent, 0) for parent in PARENTS]


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """Of B crops."""

    cells: Tensor
    """(B, J, 2) x, y; NaN = not known (a pseudo-label that is missing), which teaches nothing."""
    height: Tensor
    """(B, J) of the heatmap's Gaussian: 1 seen, HIDDEN_HEIGHT, 0 outside the crop."""
    joints_m: Tensor
    """(B, J, 3) from the pelvis, crop camera, for a person of KNEE_TO_NECK_M; NaN = not known."""

    def rows(self, index: Tensor | slice) -> Truth:
        """Some of them."""
        return tensors.chosen(self, index)

    def to(self, device: str | torch.device) -> Truth:
        """On another device."""
        return tensors.moved(self, device)


def of_shots(shots: Shots, A: Tensor) -> Truth:
    """Labels of shots (B) seen through views A (B, 2, 3)."""
    size_px = shots.image.shape[-1]
    mirrored = torch.linalg.det(A[:, :, :2]) < 0
    points_px = _swapped(shots.points_px @ A[:, :, :2].mT + A[:, None, :, 2], mirrored)
    joints_m = _swapped(in_crop_camera(universal(shots.points_m), shots.K, A, size_px), mirrored)
    visibility = _swapped(shots.visibility[..., None], mirrored)[..., 0]
    inside = ((points_px > -0.5) & (points_px < size_px - 0.5)).all(-1) & (visibility != OUTSIDE)
    hidden = (visibility == BY_OBJECT) | (visibility == BY_PERSON)
    height = torch.where(hidden, HIDDEN_HEIGHT, 1.0) * inside
    return Truth((points_px + 0.5) / STRIDE_PX - 0.5, height, joints_m)


def _swapped(values: Tensor, mirrored: Tensor) -> Tensor:
    """Left and right change names in the mirrored rows of (B, J, ...)."""
    return torch.where(mirrored[:, None, None], values[:, list(MIRROR)], values)


def universal(points_m: Tensor) -> Tensor:
    """Joints (..., J, 3) from the pelvis, scaled to the height that the network speaks of (section 5.3.2).

    Bones that are not known are left out; who has neither thigh nor trunk keeps their size.
    """
    length = (points_m - points_m[..., _PARENT, :]).norm(dim=-1)
    height = length[..., _THIGHS].nanmean(-1) + length[..., _TRUNK].sum(-1)
    scale = (KNEE_TO_NECK_M / height).nan_to_num(1.0)[..., None, None]
    return (points_m - points_m[..., ROOT : ROOT + 1, :]) * scale


def in_crop_camera(points_m: Tensor, K: Tensor, A: Tensor, size_px: int) -> Tensor:
    """Vectors (B, J, 3) in the picture's camera to the crop's camera: names.py says which, thesis 002 appendix B.1.

    The turn and mirroring of A act on what the crop's camera sees.
    """
    linear = A[:, :, :2]
    centre = torch.full((len(A), 2, 1), (size_px - 1) / 2, device=A.device)
    old_px = torch.linalg.solve(linear, centre - A[:, :, 2:])  # (B, 2, 1)
    ray = torch.linalg.solve(K, torch.cat([old_px, torch.ones_like(old_px[:, :1])], 1))[..., 0]
    straight = points_m @ R_from_z(ray)  # R^T p, rows
    turn = linear / torch.linalg.det(linear).abs().sqrt()[:, None, None]
    return torch.cat([straight[..., :2] @ turn.mT, straight[..., 2:]], -1)


def R_from_z(ray: Tensor) -> Tensor:
    """The shortest turns (B, 3, 3) of (0, 0, 1) to directions (B, 3), as posewire.camera.R_camera_crop."""
    z = ray / ray.norm(dim=-1, keepdim=True)
    x, y, c = z.unbind(-1)
    k = 1.0 / (1.0 + c)
    rows = [1.0 - k * x * x, -k * x * y, x, -k * x * y, 1.0 - k * y * y, y, -x, -y, c]
    return torch.stack(rows, -1).unflatten(-1, (3, 3))


def seen_again(image: Tensor, A: Tensor, border: str = "border") -> Tensor:
    """Pictures (B, 3, S, S) float through views A; `border` as grid_sample says it."""
    size_px = image.shape[-1]
    half = size_px / 2
    back = torch.linalg.inv(_square(A))[:, :2]
    # grid_sample speaks of -1..1 from edge to edge: pixel = (g + 1) S / 2 - 1/2.
    to_px = torch.tensor([[half, 0.0, half - 0.5], [0.0, half, half - 0.5], [0.0, 0.0, 1.0]], device=A.device)
    theta = torch.linalg.inv(to_px) @ _square(back @ to_px)
    grid = torch.nn.functional.affine_grid(theta[:, :2], list(image.shape), align_corners=False)
    return torch.nn.functional.grid_sample(image, grid, padding_mode=border, align_corners=False)


def _square(A: Tensor) -> Tensor:
    last = torch.tensor([0.0, 0.0, 1.0], device=A.device).expand(len(A), 1, 3)
    return torch.cat([A, last], 1)


def same_view(count: int) -> Tensor:
    """Views that change nothing."""
    return torch.eye(2, 3).expand(count, 2, 3).clone()


def centred_views(shots: Shots, fill: float = 0.75) -> Tensor:
    """Views (N, 2, 3) that put each person's box in the middle, upright, its longer side a share `fill` of the crop.

    As the document trains and measures: "person centered crops", a box with a buffer of 20 % on each side (section 5.3).
    """
    count, size_px = len(shots), shots.image.shape[-1]
    same = np.zeros(count)
    return _around_people(shots, same, same + fill, np.zeros((count, 2)), same > 0, size_px)


def random_views(rng: np.random.Generator, shots: Shots, *, tilt_deg: float = 9.0, lying: float = 0.05) -> Tensor:
    """Views around people as a tracker leaves them: half mirrored, mostly nearly upright, at any scale from 0.7 to 1.1.

    Args:
        rng: Source of chance.
        shots: B crops.
        tilt_deg: Standard deviation of the turn.
        lying: Share of the views that are turned by any angle.
    """
    count, size_px = len(shots), shots.image.shape[-1]
    turned = rng.random(count) < lying
    angle = np.where(turned, rng.uniform(-np.pi, np.pi, count), rng.normal(0.0, np.radians(tilt_deg), count))
    fill = rng.uniform(0.55, 0.88, count)
    shift_px = rng.normal(0.0, 0.035, (count, 2)) * size_px
    return _around_people(shots, angle, fill, shift_px, rng.random(count) < 0.5, size_px)


def _around_people(
    shots: Shots,
    angle_rad: NDArray[Any],
    fill: NDArray[Any],
    shift_px: NDArray[Any],
    mirrored: NDArray[Any],
    size_px: int,
) -> Tensor:
    """The box of what is in the picture of each person comes to the middle; who is not in it at all stays."""
    points_px = shots.points_px.cpu().numpy().astype(np.float64)
    inside = np.isfinite(points_px).all(-1) & (points_px > 0).all(-1) & (points_px < size_px - 1).all(-1)
    inside = np.where(inside.sum(1, keepdims=True) >= 2, inside, np.isfinite(points_px).all(-1))[..., None]
    low = np.where(inside, points_px, np.inf).min(1).clip(0, size_px - 1)
    high = np.where(inside, points_px, -np.inf).max(1).clip(0, size_px - 1)
    scale = (fill * size_px / (high - low).max(1).clip(size_px / 8)).clip(0.5, 2.5)
    A = view_of(angle_rad, scale, shift_px, mirrored, size_px)
    middle = torch.as_tensor(((low + high) / 2 - (size_px - 1) / 2).astype(np.float32))
    A[:, :, 2] -= (A[:, :, :2] @ middle[..., None])[..., 0]
    return A


def view_of(angle_rad: NDArray[Any], scale: NDArray[Any], shift_px: NDArray[Any], mirrored: NDArray[Any], size_px: int) -> Tensor:
    """Mirrors, turns and scales about the crop's centre, then shifts; each (B,), shift_px (B, 2)."""
    c, s = np.cos(angle_rad) * scale, np.sin(angle_rad) * scale
    flip = np.where(mirrored, -1.0, 1.0)
    linear = np.stack([np.stack([c * flip, -s], -1), np.stack([s * flip, c], -1)], 1)
    centre = np.full(2, (size_px - 1) / 2)
    offset = centre - linear @ centre + shift_px
    return torch.as_tensor(np.concatenate([linear, offset[..., None]], -1).astype(np.float32))


def gaussians(cells: Tensor, side: int, sigma: float = SIGMA) -> Tensor:
    """(B, J, side, side), 1 at the joint; zero where it is not known."""
    at = torch.arange(side, device=cells.device)
    x = torch.exp(-((at - cells[..., :1]) ** 2) / (2 * sigma**2))
    y = torch.exp(-((at - cells[..., 1:]) ** 2) / (2 * sigma**2))
    return (y[..., :, None] * x[..., None, :]).nan_to_num(0.0)
