"""Several people in one picture: layers over a background, ordered by their annotated depth.

Mehta et al. 2018, MuCo-3DHP (thesis section 3.2.2): single-person cut-outs with 3D annotations become pictures of one to four
and more people, whose overlap is right because the nearer pelvis is drawn later. Layers may be our own renderings or
MPI-INF-3DHP's masked frames (real_people).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from posewire_synth.layers import BY_OBJECT, BY_PERSON, OUTSIDE, Layers
from posewire_synth.points import POINTS

NOBODY, OBJECT = 0, -1
"""Values of an instance map besides the people's numbers 1, 2, ..."""


@dataclass(frozen=True, slots=True, eq=False)
class Composite:
    """B pictures of L people altogether."""

    image: Tensor
    """(B, 3, H, W) 0..1."""
    instance: Tensor
    """(B, H, W) int64 number of the person seen in each pixel, from 1 for the nearest; NOBODY; OBJECT."""
    depth_m: Tensor
    """(B, H, W) of the people, inf elsewhere."""
    number: Tensor
    """(L,) each layer's number in its picture's instance map."""
    visibility: Tensor
    """(L, J) one of layers.OUTSIDE, VISIBLE, BY_SELF, BY_OBJECT, BY_PERSON."""


def compose(layers: Layers, background: Tensor, front: tuple[Tensor, Tensor] | None = None) -> Composite:
    """Draws layers far to near.

    Args:
        layers: The people; `image` says which picture each belongs to.
        background: (B, 3, H, W).
        front: Something before everybody: rgb (B, 3, H, W) and alpha (B, H, W).
    """
    number = depth_rank(layers)
    image = background.clone()
    instance = torch.full(background[:, 0].shape, NOBODY, dtype=torch.int64, device=background.device)
    depth = torch.full_like(background[:, 0], torch.inf)
    for rank in range(int(number.max()) if len(number) else 0, 0, -1):
        rows = (number == rank).nonzero()[:, 0]
        where = layers.image[rows]
        alpha = layers.alpha[rows]
        image[where] = torch.lerp(image[where], layers.rgb[rows], alpha[:, None])
        solid = alpha > 0.5
        instance[where] = torch.where(solid, rank, instance[where])
        depth[where] = torch.where(solid, layers.depth_m[rows], depth[where])
    if front is not None:
        image = torch.lerp(image, front[0], front[1][:, None])
        instance = torch.where(front[1] > 0.5, OBJECT, instance)
    return Composite(image, instance, depth, number, occluded(layers, number, instance))


def depth_rank(layers: Layers) -> Tensor:
    """(L,) 1 for the person of each picture whose pelvis is nearest, 2 for the next, ..."""
    z = layers.points_m[:, POINTS.index("pelvis"), 2]
    same = layers.image[:, None] == layers.image[None]
    place = torch.arange(len(z), device=z.device)
    before = (z[None] < z[:, None]) | ((z[None] == z[:, None]) & (place[None] < place[:, None]))
    return 1 + (same & before).sum(1)


def occluded(layers: Layers, number: Tensor, instance: Tensor) -> Tensor:
    """(L, J) visibility in the finished picture: an own pixel within one pixel of the label keeps it visible."""
    height, width = instance.shape[1:]
    x = layers.points_px[..., 0].nan_to_num(-9).round().clamp(0, width - 1).long()
    y = layers.points_px[..., 1].nan_to_num(-9).round().clamp(0, height - 1).long()
    where = layers.image[:, None]
    owner = instance[where, y, x]
    own = torch.zeros_like(owner, dtype=torch.bool)
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            own |= instance[where, (y + dy).clamp(0, height - 1), (x + dx).clamp(0, width - 1)] == number[:, None]
    other = torch.where(owner == OBJECT, BY_OBJECT, torch.where(owner > 0, BY_PERSON, layers.visibility))
    free = (layers.visibility == OUTSIDE) | own
    return torch.where(free, layers.visibility, other)


def erase(composite_image: Tensor, instance: Tensor, rng_numbers: Tensor) -> tuple[Tensor, Tensor]:
    """Random erasing (Zhong et al. 2020; thesis 003 section 2.8.2): probability 0.5, area 0.02 to 0.4, aspect 0.3 to 1 / 0.3.

    Args:
        composite_image: (B, 3, H, W).
        instance: (B, H, W); erased pixels become OBJECT.
        rng_numbers: (B, 5) uniform 0..1: whether, area, aspect, x, y.
    """
    B, _, height, width = composite_image.shape
    u = rng_numbers.to(composite_image.device)
    area = (0.02 + 0.38 * u[:, 1]) * height * width
    aspect = torch.exp((2 * u[:, 2] - 1) * torch.log(torch.tensor(1 / 0.3)))
    h, w = (area * aspect).sqrt().clamp(max=height), (area / aspect).sqrt().clamp(max=width)
    top, left = u[:, 3] * (height - h), u[:, 4] * (width - w)
    y = torch.arange(height, device=u.device)[None, :, None]
    x = torch.arange(width, device=u.device)[None, None]
    view = (B, 1, 1)
    hit = (y >= top.view(view)) & (y < (top + h).view(view)) & (x >= left.view(view)) & (x < (left + w).view(view))
    hit &= (u[:, 0] < 0.5).view(view)
    fill = composite_image.mean((2, 3), keepdim=True).expand_as(composite_image)
    return torch.where(hit[:, None], fill, composite_image), torch.where(hit, OBJECT, instance)
