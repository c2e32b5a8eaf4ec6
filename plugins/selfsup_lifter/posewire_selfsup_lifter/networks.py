"""The networks: residual perceptrons of one body, with heads for joints, root, or code and viewpoint.

Ch. 3.3 and 4.4: a linear layer, blocks of linear + batch norm + ReLU + dropout with a skip, a linear head. The documents use four
blocks of 1024; the width here is a setting, because a lifter that ships has to be small.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from posewire_selfsup_lifter.geometry import full_rotation, nearest_camera


@dataclass(frozen=True, slots=True)
class Shape:
    """Of a body."""

    width: int = 256
    blocks: int = 2
    dropout: float = 0.0
    bf16: bool = False


class ResidualBlock(nn.Module):
    """Two times linear, batch norm, ReLU, dropout, and a skip (Martinez et al. 2017)."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.Sequential(*_layer(width, width, dropout), *_layer(width, width, dropout))

    def forward(self, features: Tensor) -> Tensor:
        return features + self.layers(features)


def _layer(width_in: int, width: int, dropout: float) -> list[nn.Module]:
    return [nn.Linear(width_in, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Dropout(dropout)]


class Body(nn.Sequential):
    """Features (B, inputs) to (B, width). In training it may multiply in bfloat16; heads, losses and weights stay float32."""

    def __init__(self, inputs: int, shape: Shape) -> None:
        blocks = (ResidualBlock(shape.width, shape.dropout) for _ in range(shape.blocks))
        super().__init__(*_layer(inputs, shape.width, shape.dropout), *blocks)
        self._bf16 = shape.bf16

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - nn.Sequential's own name
        if not (self._bf16 and self.training):
            return super().forward(input)
        with torch.autocast(input.device.type, torch.bfloat16):
            return super().forward(input).float()


def small_head(width: int, outputs: int) -> nn.Linear:
    """A linear head that starts near zero: the first poses are small, in front of the camera, and alike."""
    head = nn.Linear(width, outputs)
    nn.init.normal_(head.weight, std=0.01 / width**0.5)
    nn.init.zeros_(head.bias)
    return head


class LiftingNet(nn.Module):
    """Features (B, F) to root-relative joints (B, J, 3)."""

    def __init__(self, inputs: int, joints: int, shape: Shape) -> None:
        super().__init__()
        self.joints = joints
        self.body = Body(inputs, shape)
        self.head = small_head(shape.width, 3 * joints)

    def forward(self, features: Tensor) -> Tensor:
        return self.head(self.body(features)).reshape(-1, self.joints, 3)


class RootNet(nn.Module):
    """Features (B, F) and the person's size in rays (B,) to the root's place (B, 3) in the same camera.

    The network says a size in metres and a direction; depth = that size / size in the picture, which is exact for a far person
    and always in front of the camera.
    """

    def __init__(self, inputs: int, shape: Shape) -> None:
        super().__init__()
        self.body = Body(inputs, shape)
        self.head = small_head(shape.width, 3)

    def forward(self, features: Tensor, size: Tensor) -> Tensor:
        raw = self.head(self.body(features))
        depth_m = TYPICAL_SIZE_M * raw[:, 2].clamp(-3.0, 3.0).exp() / size
        return torch.cat([raw[:, :2] * size[:, None], torch.ones_like(size)[:, None]], -1) * depth_m[:, None]


TYPICAL_SIZE_M = 0.5
"""Where training starts: the mean distance of a grown person's joints from the middle of the body, seen side-on."""


class FactorizationNet(nn.Module):
    """Features (B, F) to a code phi_n (B, K) and a rotation (B, 3, 3): Ch. 4.4; each head is two layers with a ReLU between.

    eq. 4.2 wants codes >= 0, but the last layer that Ch. 4.4 describes is linear, and so it is here: behind a ReLU a code that is
    once below zero for everybody never comes back.

    Ch. 4.5 says exponential coordinates. People are seen from all around, and a full turn has no continuous ones; two columns
    that are made orthonormal have (Zhou et al. 2019, "On the continuity of rotation representations").
    """

    def __init__(self, inputs: int, code: int, shape: Shape) -> None:
        super().__init__()
        self.body = Body(inputs, shape)
        width = shape.width
        self.code = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, code))
        self.viewpoint = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 6))

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        shared = self.body(features)
        return self.code(shared), full_rotation(nearest_camera(self.viewpoint(shared).reshape(-1, 3, 2)))


class Critic(nn.Module):
    """Says whether a 2D pose (B, J, 2) was seen by a camera (> 0) or is a lifted pose turned and projected."""

    def __init__(self, joints: int, width: int = 256) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(2 * joints, width), nn.LeakyReLU(0.2), nn.Linear(width, width), nn.LeakyReLU(0.2), nn.Linear(width, 1)
        )

    def forward(self, pose: Tensor) -> Tensor:
        return self.layers(pose.flatten(1))[:, 0]
