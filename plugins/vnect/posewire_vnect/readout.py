"""Maxima and windows on the device: what is left of the maps is a few numbers a joint, and the 3D is read at the filtered 2D."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from posewire_vnect.names import PATCH

_REACH = PATCH // 2
_SHARPNESS = 1.5
"""Power of the heatmap by which cells are weighed: lower blurs two places into one, higher believes the highest alone."""


class ReadOut(nn.Module):
    """Heatmap logits (B, J, h, h) and location maps (B, J, 3, h, h) to the four outputs of names.py."""

    def forward(self, heat: Tensor, places_m: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        confidence, cell = heat.flatten(2).max(-1)
        side = heat.shape[3]
        corner = window_corner(cell, side)
        patches = window(places_m.flatten(3), corner[:, :, None].expand(-1, -1, 3, -1), side, PATCH)
        return refined(heat, cell), confidence.sigmoid(), corner, patches.unflatten(3, (PATCH, PATCH))


def window_corner(cell: Tensor, side: int) -> Tensor:
    """Top left (B, J, 2) x, y of the window around a cell's number (B, J), moved to lie inside."""
    xy = torch.stack([cell % side, cell // side], -1)
    return (xy - _REACH).clamp(0, side - PATCH)


def window(flat: Tensor, corner: Tensor, side: int, size: int) -> Tensor:
    """(..., size * size) of maps (..., side * side) at corners (..., 2)."""
    steps = torch.arange(size, device=flat.device)
    offsets = (steps[:, None] * side + steps).flatten()
    return flat.gather(-1, corner[..., 1:] * side + corner[..., :1] + offsets)


def refined(heat: Tensor, cell: Tensor) -> Tensor:
    """Where the tops lie (B, J, 2): a Gaussian through the highest cell and its neighbours, as its logarithm is a parabola."""
    side = heat.shape[3]
    padded = functional.pad(heat, (1, 1, 1, 1), mode="replicate").flatten(2)
    x, y = cell % side, cell // side
    centre = (y + 1) * (side + 2) + x + 1
    mid, left, right, above, below = (
        functional.logsigmoid(padded.gather(2, (centre + step)[..., None])[..., 0]) for step in (0, -1, 1, -side - 2, side + 2)
    )
    return torch.stack([x + _top(left, mid, right), y + _top(above, mid, below)], -1)


def _top(before: Tensor, here: Tensor, after: Tensor) -> Tensor:
    """-0.5..0.5 from the middle of three logarithms."""
    return (0.5 * (after - before) / (2 * here - before - after).clamp_min(0.1)).clamp(-0.5, 0.5)


def poses_m(heat: Tensor, places_m: Tensor) -> Tensor:
    """(B, J, 3) read at the highest cells."""
    cell = heat.flatten(2).argmax(-1)
    return places_m.flatten(3).gather(3, cell[:, :, None, None].expand(-1, -1, 3, 1))[..., 0]


def expected_m(heat: Tensor, places_m: Tensor) -> Tensor:
    """(B, J, 3) the mean of location maps (B, J, 3, h, h) over all cells, weighed by how likely the joint is there.

    Sun et al. 2018, "Integral human pose regression", eq. 2, of location maps instead of coordinates.
    """
    weight = (_SHARPNESS * functional.logsigmoid(heat.flatten(2))).softmax(-1)
    return (places_m.flatten(3) * weight[:, :, None]).sum(-1)


def told_m(heat: Tensor, places_m: Tensor) -> Tensor:
    """(B, J, 3, h, h) the maps that leave the device: confidence * location map + (1 - confidence) * expected location.

    Where a heatmap's top is low, the place may be wrong, and the location map there says nothing sensible.
    """
    sure = heat.amax((2, 3)).sigmoid()[..., None, None, None]
    return sure * places_m + (1 - sure) * expected_m(heat, places_m)[..., None, None]
