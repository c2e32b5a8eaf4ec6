"""Stage II: five fully connected layers from what is visible of a person to the whole (thesis 002, section 6.3.2).

S_k is (J, 3 + 3 J): of each joint its place relative to the neck, its confidence and its encoding, all zero where it is unseen.
People are a batch: ten cost hardly more than one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from posewire_data.joints import ROOT
from posewire_xnect.skeleton import NECK, J
from posewire_xnect.targets import FloatArray

WIDTH = 3 + 3 * J
"""Numbers of a joint: u, v, confidence and l_jk."""


@dataclass(frozen=True, slots=True)
class StageTwoSettings:
    """Sizes and loss of Stage II."""

    hidden: int = 1024
    """The document says five layers, not how wide."""
    turn_m: float = 0.1
    """Where the smooth L1 turns from square to straight: further off than this is an outlier."""


def person_rows(points_px: FloatArray, confidence: FloatArray, encodings: FloatArray, height_px: float) -> FloatArray:
    """S_k of each person, (P, J, 3 + 3 J) float32.

    Args:
        points_px: (P, J, 2), NaN = unseen; the neck of everybody is seen.
        confidence: (P, J).
        encodings: (P, J, 3 J).
        height_px: Of the picture: u and v are given in parts of it.
    """
    seen = np.isfinite(points_px).all(axis=-1, keepdims=True)
    relative = (points_px - points_px[:, NECK : NECK + 1]) / height_px
    rows = np.concatenate([relative, confidence[..., None], encodings], axis=-1)
    return np.where(seen, rows, 0.0).astype(np.float32)


class StageTwo(nn.Module):
    """S (P, J, 3 + 3 J) to root-relative joints (P, J, 3), metres. Inputs are standardised by the training data (`fit`)."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, settings: StageTwoSettings | None = None) -> None:
        super().__init__()
        self.settings = settings = settings or StageTwoSettings()
        hidden = settings.hidden
        self.register_buffer("mean", torch.zeros(J * WIDTH))
        self.register_buffer("deviation", torch.ones(J * WIDTH))
        self.layers = nn.ModuleList([nn.Linear(J * WIDTH, hidden), *(nn.Linear(hidden, hidden) for _ in range(3))])
        self.last = nn.Linear(hidden, 3 * J)

    def fit(self, rows: Tensor) -> None:
        """Measures training rows (N, J, 3 + 3 J)."""
        self.mean.copy_(rows.flatten(1).mean(0))
        self.deviation.copy_(rows.flatten(1).std(0, correction=0).clamp_min(1e-2))

    def forward(self, rows: Tensor) -> Tensor:
        x = (rows.flatten(1) - self.mean) / self.deviation
        for layer in self.layers:
            x = torch.relu(layer(x))
        joints_m = self.last(x).unflatten(1, (J, 3))
        return joints_m - joints_m[:, ROOT : ROOT + 1]


def loss(said_m: Tensor, truth_m: Tensor, settings: StageTwoSettings) -> Tensor:
    """Smooth L1 (Ren et al. 2015), so that what nobody could have seen does not rule training. NaN truth is left out."""
    known = torch.isfinite(truth_m)
    truth_m = torch.where(known, truth_m, said_m.detach())
    each = nn.functional.smooth_l1_loss(said_m, truth_m, reduction="none", beta=settings.turn_m)
    return each.sum() / known.sum().clamp_min(1)
