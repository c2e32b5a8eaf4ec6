"""What MoveNet says itself of people: heatmaps of the joints that it knows, centres, and where their joints lie from these."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from posewire_data.joints import JOINTS
from posewire_xnect.association import CANDIDATES
from posewire_xnect.skeleton import NECK, PELVIS, J

FINER = 2
"""Its heatmaps have a stride of 4, ours of 8."""
KEYPOINTS = (
    *("nose", "left_eye", "right_eye", "left_ear", "right_ear"),
    *(f"{side}_{joint}" for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle") for side in ("left", "right")),
)
"""COCO's order."""
KNOWN = tuple(JOINTS.index(name) for name in KEYPOINTS if name in JOINTS)
OF_KNOWN = tuple(KEYPOINTS.index(JOINTS[joint]) for joint in KNOWN)
LEAST = 0.1
"""Lowest value of a centre."""
_APART = 5
"""A centre is the highest of so many cells by so many."""


def with_own_heatmaps(heatmaps: Tensor, keypoints: Tensor) -> Tensor:
    """(B, J, 2 h, 2 w): joints that MoveNet knows as it sees them, the others between our cells.

    Args:
        heatmaps: (B, J, h, w) of the heads.
        keypoints: (B, 17, 2 h, 2 w) logits.
    """
    finer = list(nn.functional.interpolate(heatmaps, scale_factor=float(FINER), mode="bilinear").unbind(1))
    known = keypoints.sigmoid()
    for joint, keypoint in zip(KNOWN, OF_KNOWN, strict=True):
        finer[joint] = known[:, keypoint]
    return torch.stack(finer, dim=1)


class CentreReadOut(nn.Module):
    """The surest centres, and where each guesses the joints to be."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("table", torch.from_numpy(_guesses()))

    def forward(self, centre: Tensor, reach: Tensor) -> tuple[Tensor, Tensor]:
        """(B, C) values, 0 = nobody, and (B, C, J, 2) x, y in our cells; zero where nobody is.

        Args:
            centre: (B, 1, h, w) logits.
            reach: (B, 34, h, w) y and x of the keypoints from a cell, in cells.
        """
        width = centre.shape[3]
        heights = centre.sigmoid()
        highest = nn.functional.max_pool2d(heights, _APART, 1, _APART // 2)
        scores, cell = torch.where((heights >= highest) & (heights > LEAST), heights, 0.0).flatten(1).topk(CANDIDATES, dim=1)
        way = reach.flatten(2).gather(2, cell[:, None].expand(-1, reach.shape[1], -1)).transpose(1, 2).unflatten(2, (-1, 2))
        row = cell // width
        start = torch.stack([cell - row * width, row], dim=-1)  # the exporter knows no remainder by a width that is free
        points = self.get_buffer("table") @ (way.flip(3) + start[:, :, None])  # (B, C, J, 2)
        there = (scores > 0).float()[..., None, None]
        return scores, ((points + 0.5) / FINER - 0.5) * there


def _guesses() -> NDArray[np.float32]:
    """(J, 17): where MoveNet does not know a joint, it lies between or beyond those that it knows."""
    table = np.zeros((J, len(KEYPOINTS)), np.float32)
    table[KNOWN, OF_KNOWN] = 1.0
    for joint, name in ((NECK, "shoulder"), (PELVIS, "hip")):
        table[joint, [KEYPOINTS.index(f"{side}_{name}") for side in ("left", "right")]] = 0.5
    table[JOINTS.index("chest")] = 0.5 * (table[NECK] + table[PELVIS])
    nose = table[JOINTS.index("nose")]
    table[JOINTS.index("head_top")] = 1.5 * nose - 0.5 * table[NECK]
    return table
