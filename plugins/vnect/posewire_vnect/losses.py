"""What VNect's answers cost (thesis 002, section 5.3.1)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from posewire_vnect.names import PARENTS
from posewire_vnect.network import Maps
from posewire_vnect.readout import expected_m
from posewire_vnect.truth import Truth, gaussians

_PARENT = [max(parent, 0) for parent in PARENTS]
_TINY = 1e-8


class Losses(NamedTuple):
    """Each a mean over the joints that are known."""

    heat: Tensor
    """Cross entropy of the heatmaps, summed over the cells of a joint."""
    places: Tensor
    """Eq. 5.1 of X, Y, Z: metres."""
    first: Tensor
    """Eq. 5.1 of the first answer."""
    bones: Tensor
    """Eq. 5.1 of dX, dY, dZ."""
    coarse: Tensor
    """Mean distance of the coarse pose, metres."""
    expected: Tensor
    """Mean distance of the expected locations: maps also learn where the heatmap, as it is, lets them be read."""

    def total(self, progress: float) -> Tensor:
        """What is minimised. "We taper down the weights of intermediate losses with increasing iteration count"."""
        early = 1.0 - 0.9 * progress
        between = early * (self.first + self.bones) + 0.5 * (0.2 + early) * self.coarse
        return 0.03 * self.heat + 3.0 * self.places + between + self.expected


def losses(said: Maps, truth: Truth) -> Losses:
    """Of a batch."""
    known = torch.isfinite(truth.cells).all(-1)
    shape = gaussians(truth.cells, said.heat.shape[-1])  # (B, J, h, h)
    placed = (truth.height > 0) & known
    small = functional.avg_pool2d(shape, 2)
    relative_m = truth.joints_m - truth.joints_m[:, _PARENT]
    return Losses(
        heat_loss(said.heat, truth),
        location_loss(said.places_m, truth.joints_m, shape, placed),
        location_loss(said.first_m, truth.joints_m, small, placed),
        location_loss(said.bones_m, relative_m, small, placed),
        distance(said.coarse_m, truth.joints_m),
        distance(expected_m(said.heat.detach().float(), said.places_m.float()), truth.joints_m),
    )


def heat_loss(heat: Tensor, truth: Truth) -> Tensor:
    """Cross entropy of heatmap logits (B, J, h, h), summed over the cells of a joint.

    The document takes L2; what BlazePose's decoder says is nearly a logit already.
    """
    known = torch.isfinite(truth.cells).all(-1)
    target = gaussians(truth.cells, heat.shape[-1]) * truth.height[..., None, None]
    cells = functional.binary_cross_entropy_with_logits(heat.float(), target, reduction="none")
    return _mean(cells.sum((2, 3)), known)


def location_loss(maps_m: Tensor, joints_m: Tensor, weight: Tensor, placed: Tensor) -> Tensor:
    """Eq. 5.1: the norm of H_gt * (X - X_gt) over a map, divided by the norm of H_gt so that it is in metres.

    Args:
        maps_m: (B, J, 3, h, h).
        joints_m: (B, J, 3), NaN = not known.
        weight: (B, J, h, h) H_gt.
        placed: (B, J) whether the joint is in the crop.
    """
    usable = placed & torch.isfinite(joints_m).all(-1)
    off_m = maps_m.float() - joints_m.nan_to_num(0.0)[..., None, None]
    norm = ((weight[:, :, None] * off_m).square().sum((3, 4)) + _TINY).sqrt()  # (B, J, 3)
    size = (weight.square().sum((2, 3)) + _TINY).sqrt()[..., None]
    return _mean((norm / size).sum(-1), usable)


def distance(said_m: Tensor, joints_m: Tensor) -> Tensor:
    """Mean distance of joints (B, J, 3) to what is known of them."""
    usable = torch.isfinite(joints_m).all(-1)
    off = (said_m.float() - joints_m.nan_to_num(0.0)).square().sum(-1)
    return _mean((off + _TINY).sqrt(), usable)


def _mean(values: Tensor, usable: Tensor) -> Tensor:
    return torch.where(usable, values, 0.0).sum() / usable.sum().clamp_min(1)
