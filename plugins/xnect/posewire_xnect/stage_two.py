"""Stage II: five fully connected layers from what is visible of a person to the whole (thesis 002, section 6.3.2).

S_k is (J, 3 + 3 J): of each joint its place relative to the neck, its confidence and its encoding, all zero where it is unseen.
People are a batch: ten cost hardly more than one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn

from posewire_data.joints import MIRROR, ROOT
from posewire_xnect.rows import WIDTH, person_rows
from posewire_xnect.skeleton import J, Scheme, supervised

__all__ = ["WIDTH", "StageTwo", "StageTwoSettings", "loss", "person_rows"]


Inputs: TypeAlias = Literal["all", "points", "points and confidence"]
"""What of a row Stage II looks at (Table 6.10)."""


@dataclass(frozen=True, slots=True)
class StageTwoSettings:
    """Sizes and loss of Stage II."""

    hidden: int = 400
    """The document says five layers, not how wide."""
    turn_m: float = 0.1
    """Where the smooth L1 turns from square to straight: further off than this is an outlier."""
    scheme: Scheme = "sparse"
    """Stage I's: what it was not taught to say at a joint is noise, and is not looked at."""
    inputs: Inputs = "all"


class StageTwo(nn.Module):
    """S (P, J, 3 + 3 J) to root-relative joints (P, J, 3), metres. Inputs are standardised by the training data (`fit`).

    The 2D points come in divided by their own spread: how large somebody is in the picture says nothing of the pose. In eval mode
    it is asked twice, the second time of the mirror image, and says the mean: left and right are never told apart by habit.
    """

    mean: Tensor
    deviation: Tensor
    taken: Tensor

    def __init__(self, settings: StageTwoSettings | None = None) -> None:
        super().__init__()
        self.settings = settings = settings or StageTwoSettings()
        hidden, taken = settings.hidden, _taken(settings)
        self.register_buffer("mean", torch.zeros(len(taken)))
        self.register_buffer("deviation", torch.ones(len(taken)))
        self.register_buffer("taken", taken)
        self.layers = nn.ModuleList([nn.Linear(len(taken), hidden), *(nn.Linear(hidden, hidden) for _ in range(3))])
        self.last = nn.Linear(hidden, 3 * J)

    def fit(self, rows: Tensor) -> None:
        """Measures training rows (N, J, 3 + 3 J)."""
        inputs = self._inputs(rows)
        self.mean.copy_(inputs.mean(0))
        self.deviation.copy_(inputs.std(0, correction=0).clamp_min(1e-2))

    def _inputs(self, rows: Tensor) -> Tensor:
        """(P, inputs): what is looked at."""
        seen = (rows[..., 2:3] > 0).float()
        spread = ((rows[..., :2] ** 2).sum((1, 2), keepdim=True) / seen.sum((1, 2), keepdim=True).clamp_min(1.0)).sqrt()
        scaled = torch.cat([rows[..., :2] / spread.clamp_min(1e-3), rows[..., 2:]], dim=-1)
        return scaled.flatten(1).index_select(1, self.taken)

    def forward(self, rows: Tensor) -> Tensor:
        if self.training:
            return self._said(rows)
        said = self._said(torch.cat([rows, _mirrored(rows)])).unflatten(0, (2, -1))
        return 0.5 * (said[0] + _turned_over(said[1]))

    def _said(self, rows: Tensor) -> Tensor:
        x = (self._inputs(rows) - self.mean) / self.deviation
        for layer in self.layers:
            x = torch.relu(layer(x))
        joints_m = self.last(x).unflatten(1, (J, 3))
        return joints_m - joints_m[:, ROOT : ROOT + 1]


def _turned_over(joints_m: Tensor) -> Tensor:
    """Joints (..., J, 3), or other values of joints, in the mirror: sides change places, x changes sign."""
    return joints_m[..., list(MIRROR), :] * joints_m.new_tensor([-1.0, 1.0, 1.0])


def _mirrored(rows: Tensor) -> Tensor:
    """Rows (P, J, 3 + 3 J) of the mirror image."""
    told = _turned_over(rows.unflatten(2, (1 + J, 3)).transpose(1, 2)).transpose(1, 2)  # a point and its confidence, J bones
    return torch.cat([told[:, :, :1], told[:, :, [1 + joint for joint in MIRROR]]], dim=2).flatten(2)


def _taken(settings: StageTwoSettings) -> Tensor:
    """Numbers of the inputs that are looked at, of a flattened row."""
    table = np.zeros((J, WIDTH), bool)
    table[:, :2] = True
    table[:, 2] = settings.inputs != "points"
    if settings.inputs == "all":
        table[:, 3:] = np.repeat(supervised(settings.scheme), 3, axis=1)
    return torch.from_numpy(np.flatnonzero(table))


def loss(said_m: Tensor, truth_m: Tensor, settings: StageTwoSettings) -> Tensor:
    """Smooth L1 (Ren et al. 2015), so that what nobody could have seen does not rule training. NaN truth is left out."""
    known = torch.isfinite(truth_m)
    truth_m = torch.where(known, truth_m, said_m.detach())
    each = nn.functional.smooth_l1_loss(said_m, truth_m, reduction="none", beta=settings.turn_m)
    return each.sum() / known.sum().clamp_min(1)
