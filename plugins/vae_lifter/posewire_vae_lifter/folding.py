"""Normalisation folded into the first and the last layer: the same numbers from a third of the operations.

A small network's time is the number of its operations as much as their size. Standardising is linear in (points, seen, size),
because points are times seen, so it is one matrix with the layer behind it.
"""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import Tensor, nn

from posewire_data.joints import JOINTS
from posewire_vae_lifter.live import LiveVae
from posewire_vae_lifter.model import FEATURES, OTHERS, Features, Poses

RAW = 3 * len(JOINTS) + 1
"""x, y of each joint, then seen of each, then the size."""


class RawFeatures(nn.Module):
    """A view as it is: (B, T, RAW)."""

    def forward(self, points: Tensor, seen: Tensor, size: Tensor) -> Tensor:
        size = size[:, None].expand(-1, points.shape[1], -1)
        return torch.cat([points.flatten(2), seen, size], dim=-1)


class RawPoses(nn.Module):
    """Outputs (..., 51), metres, to joints (..., 17, 3)."""

    def forward(self, outputs: Tensor) -> Tensor:
        return outputs.unflatten(-1, (len(JOINTS), 3))


def folded(live: LiveVae) -> LiveVae:
    """The same network on raw views; says the same to the last few bits."""
    out = deepcopy(live)
    vae = out.vae
    with torch.no_grad():
        for layer in vae.encoder.first_layers:
            _fold_first(layer, vae.features)
        vae.decoder.out = _folded_last(vae.decoder.out, vae.poses)
    vae.features, vae.poses = RawFeatures(), RawPoses()  # pyright: ignore[reportAttributeAccessIssue]
    return out


def _fold_first(first: nn.Linear, features: Features) -> None:
    """Puts the standardising of each frame's features into the layer that takes one or three frames laid end to end."""
    A, b = _standardising(features)
    frames = first.in_features // FEATURES
    weight = first.weight.unflatten(1, (frames, FEATURES))
    first.bias.add_((weight @ b).sum(dim=1))
    first.weight = nn.Parameter((weight @ A).flatten(1), requires_grad=False)
    first.in_features = frames * RAW


def _standardising(features: Features) -> tuple[Tensor, Tensor]:
    """A (FEATURES, RAW) and b (FEATURES,): features = A raw + b."""
    A, b, places = torch.zeros(FEATURES, RAW), torch.zeros(FEATURES), torch.arange(2 * OTHERS)
    deviation, mean = features.points.deviation.flatten(), features.points.mean.flatten()
    A[places, places + 2] = 1.0 / deviation
    A[places, 2 * len(JOINTS) + 1 + places // 2] = -mean / deviation
    joints = torch.arange(OTHERS)
    A[2 * OTHERS + joints, 2 * len(JOINTS) + 1 + joints] = 1.0
    A[-1, -1] = 1.0 / features.size.deviation[0]
    b[-1] = -features.size.mean[0] / features.size.deviation[0]
    return A, b


def _folded_last(last: nn.Linear, poses: Poses) -> nn.Linear:
    """Says metres, and three zeros for the root."""
    out = nn.Linear(last.in_features, 3 * len(JOINTS))
    deviation, mean = poses.scaler.deviation.flatten(), poses.scaler.mean.flatten()
    out.weight.copy_(nn.functional.pad(last.weight * deviation[:, None], (0, 0, 3, 0)))
    out.bias.copy_(nn.functional.pad(last.bias * deviation + mean, (3, 0)))
    return out
