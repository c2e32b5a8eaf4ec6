"""Random cameras: crops around one person, and whole pictures of a group on a floor.

World: +Y up; camera: x right, y down, z forward.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from posewire_synth.layers import Views
from posewire_synth.points import COMMON_14, POINTS, indices

FloatArray = NDArray[np.floating[Any]]


def looking(azimuth: FloatArray, elevation: FloatArray, roll: FloatArray) -> FloatArray:
    """World-to-camera rotations (L, 3, 3) of cameras that stand at this azimuth (0 = +Z) and elevation and look at the middle."""
    ca, sa, ce, se = np.cos(azimuth), np.sin(azimuth), np.cos(elevation), np.sin(elevation)
    forward = -np.stack([sa * ce, se, ca * ce], -1)
    right = np.stack([ca, np.zeros_like(ca), -sa], -1)
    down = np.cross(forward, right)
    c, s = np.cos(roll)[:, None], np.sin(roll)[:, None]
    return np.stack([c * right + s * down, -s * right + c * down, forward], axis=1)


def elevations(rng: np.random.Generator, count: int) -> FloatArray:
    """(count,) radians: most at chest height, some from above, few from steeply above or from the knee (MPI-INF-3DHP's rig)."""
    kind = rng.choice(4, count, p=(0.58, 0.24, 0.08, 0.10))
    table = np.stack([rng.normal(2, 9, count), rng.uniform(8, 45, count), rng.uniform(45, 80, count), rng.uniform(-35, 0, count)])
    return np.radians(table[kind, np.arange(count)])


def around_one(rng: np.random.Generator, points_m: Tensor, side_px: int) -> Views:
    """A square crop of a picture in which the person stands off the middle, often as far as lenses allow.

    Args:
        rng: Source of chance.
        points_m: (L, J, 3) labels in the world.
        side_px: Side of the crop.
    """
    L, device = len(points_m), points_m.device
    roll = np.where(rng.random(L) < 0.05, rng.uniform(-np.pi, np.pi, L), rng.normal(0, np.radians(5), L))
    straight = looking(rng.uniform(-np.pi, np.pi, L), elevations(rng, L), roll)
    aside = rng.uniform(-1, 1, (L, 2)) * np.tan(np.radians(rng.uniform(0, 22, (L, 1)))) * [1.0, 0.6]
    R = _turned_aside(aside) @ straight
    middle = (points_m.amax(1) + points_m.amin(1)) / 2
    distance = np.exp(rng.uniform(np.log(1.6), np.log(9.0), L))
    direction = np.concatenate([aside, np.ones((L, 1))], 1)
    t = _tensor(direction * distance[:, None], device) - (_tensor(R, device) @ middle[..., None])[..., 0]
    seen = points_m @ _tensor(R, device).transpose(1, 2) + t[:, None]
    closest = seen[..., 2].amin(1)
    t = t + torch.nn.functional.pad((0.6 - closest).clamp(min=0)[:, None], (2, 0))  # nobody reaches through the lens
    seen = points_m @ _tensor(R, device).transpose(1, 2) + t[:, None]
    return Views(_tensor(R, device), t, _crop(rng, seen[..., :2] / seen[..., 2:], side_px))


def _crop(rng: np.random.Generator, flat: Tensor, side_px: int) -> Tensor:
    """K (L, 3, 3) of a crop that the person fills by 50 to 95 %; one in seven is a close-up that cuts people off."""
    L, device = len(flat), flat.device
    close = rng.random(L) < 0.14
    fill = np.where(close, rng.uniform(1.0, 1.9, L), rng.uniform(0.5, 0.95, L))
    low, high = flat.amin(1), flat.amax(1)
    middle, extent = (low + high) / 2, (high - low).amax(1)
    limb = flat[:, indices(COMMON_14)]
    chosen = limb[torch.arange(L), _tensor(rng.integers(0, limb.shape[1], L), device).long()]
    upper = flat[:, POINTS.index("neck")]
    aim = torch.where(_tensor(rng.random(L) < 0.6, device)[:, None] > 0, upper, chosen)
    middle = torch.where(_tensor(close, device)[:, None] > 0, 0.5 * (middle + aim), middle)
    focal = _tensor(fill * side_px, device) / extent.clamp(min=1e-3)
    slack = np.where(close, 0.1, 0.5 * np.maximum(0.0, 1.0 - fill) * 0.9 + 0.04)
    shift = _tensor(rng.uniform(-1, 1, (L, 2)) * slack[:, None] * side_px, device)
    K = torch.zeros(L, 3, 3, device=device)
    K[:, 0, 0] = K[:, 1, 1] = focal
    K[:, :2, 2] = (side_px - 1) / 2 + shift - middle * focal[:, None]
    K[:, 2, 2] = 1.0
    return K


def _turned_aside(aside: FloatArray) -> FloatArray:
    """Rotations (L, 3, 3) that bring what was straight ahead to the normalised image point `aside` (L, 2)."""
    z = np.concatenate([aside, np.ones((len(aside), 1))], axis=1)
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    x = np.stack([z[:, 2], np.zeros(len(z)), -z[:, 0]], -1)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    return np.stack([x, np.cross(z, x), z], axis=2)


def of_groups(rng: np.random.Generator, pictures: int, size: tuple[int, int]) -> tuple[Views, FloatArray]:
    """Cameras over a floor (y = 0) that look at the world's middle, and their distance from it (pictures,)."""
    height, width = size
    fov = np.radians(rng.uniform(34, 72, pictures))
    distance = rng.uniform(2.3, 6.0, pictures)
    high = np.where(rng.random(pictures) < 0.75, rng.uniform(0.7, 2.0, pictures), rng.uniform(2.0, 4.5, pictures))
    aim = rng.uniform(0.7, 1.1, pictures)
    elevation = np.arctan2(high - aim, distance)
    R = looking(np.zeros(pictures), elevation, rng.normal(0, np.radians(3), pictures))
    centre = np.stack([np.zeros(pictures), high, distance], -1)
    K = np.zeros((pictures, 3, 3))
    K[:, 0, 0] = K[:, 1, 1] = 0.5 * height / np.tan(fov / 2)
    K[:, 0, 2], K[:, 1, 2], K[:, 2, 2] = (width - 1) / 2, (height - 1) / 2, 1.0
    t = -(R @ centre[..., None])[..., 0]
    return Views(*(torch.as_tensor(a.astype(np.float32)) for a in (R, t, K))), distance


def _tensor(array: NDArray[Any], device: torch.device) -> Tensor:
    return torch.as_tensor(np.asarray(array, dtype=np.float32)).to(device)
