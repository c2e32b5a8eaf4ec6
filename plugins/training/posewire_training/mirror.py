"""A view and its mirror image say the same of a person: the mean of both answers is better than either, and costs no training.

(Pavllo et al. 2019, VideoPose3D, section 5: "test-time augmentation by horizontal flipping".) It is part of the exported network.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from posewire_data.joints import MIRROR


def mirrored(points: Tensor) -> Tensor:
    """Points (..., 17, C) with x turned round and left and right exchanged; C is 2 or 3."""
    sign = torch.ones(points.shape[-1], dtype=points.dtype, device=points.device)
    sign[0] = -1.0
    return points[..., list(MIRROR), :] * sign


def both(points: Tensor, seen: Tensor, size: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """B views and, behind them, their mirror images: batches of 2 B."""
    return torch.cat([points, mirrored(points)]), torch.cat([seen, seen[..., list(MIRROR)]]), torch.cat([size, size])


class Mirrored(nn.Module):
    """A lifter of one answer (B, 17, 3), asked twice."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, points: Tensor, seen: Tensor, size: Tensor) -> Tensor:
        said = self.net(*both(points, seen, size))
        return 0.5 * (said[: points.shape[0]] + mirrored(said[points.shape[0] :]))
