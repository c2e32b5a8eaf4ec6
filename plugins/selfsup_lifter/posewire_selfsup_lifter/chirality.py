"""Which way depth goes. Under orthographic projection a pose and its mirror image in depth look alike from everywhere, so
factorization and NRSfM end in either; one bit decides for all poses at once.

The bit comes from perspective: what is near looks large. With the right sign, moving each joint along its viewing ray by its
depth makes left and right bones equally long; with the wrong one it makes them differ more. No label is needed, only that people
are symmetric.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from posewire_data.joints import JOINTS, LEFT, PARENTS, RIGHT

_MIDDLE = [JOINTS.index(name) for name in ("pelvis", "neck")]
_SIDES = [(left, right) for left, right in zip(LEFT, RIGHT, strict=True) if PARENTS[left] not in _MIDDLE]
"""Lower and upper arms and legs: bones between two joints of one side."""


class Chirality(nn.Module):
    """Multiplies depth by the sign that was found; saved with the weights."""

    sign: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("sign", torch.ones(()))

    def forward(self, pose: Tensor) -> Tensor:
        """Poses (B, J, 3) in camera axes."""
        return torch.cat([pose[..., :2], pose[..., 2:] * self.sign], -1)

    def learn(self, poses: Tensor, rays: Tensor) -> None:
        """Sets the sign from lifted poses (B, J, 3), in any unit, and the rays (B, J, 2) they came from."""
        as_it_is, turned = (asymmetry(unprojected(poses[..., 2] * sign, poses, rays)) for sign in (1.0, -1.0))
        self.sign.fill_(1.0 if float(as_it_is) <= float(turned) else -1.0)


def unprojected(depth: Tensor, poses: Tensor, rays: Tensor) -> Tensor:
    """The poses (B, J, 3) with every joint moved along its ray to its `depth` (B, J), relative to the pelvis.

    With the picture's own size s (an angle) and the pose's size S, the pelvis lies about S / s away.
    """
    size = (poses - poses[:, :1])[..., :2].norm(dim=-1).mean(-1).clamp(min=1e-6)
    angle = (rays - rays[:, :1]).norm(dim=-1).mean(-1).clamp(min=1e-6)
    relative = depth - depth[:, :1]
    z = (size / angle)[:, None] + relative
    return torch.cat([rays * z[..., None], relative[..., None]], -1)


def asymmetry(poses: Tensor) -> Tensor:
    """Mean squared logarithm of left over right bone length, of poses (B, J, 3)."""
    lengths = [torch.stack([_length(poses, pair[side]) for pair in _SIDES]) for side in (0, 1)]
    return (lengths[0].log() - lengths[1].log()).square().mean()


def _length(poses: Tensor, joint: int) -> Tensor:
    return (poses[:, joint] - poses[:, PARENTS[joint]]).norm(dim=-1).clamp(min=1e-6)
