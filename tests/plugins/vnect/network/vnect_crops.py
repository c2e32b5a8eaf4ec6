"""Made-up crops of the size that BlazePose takes, with people who are in them."""

from __future__ import annotations

import torch

from posewire_synth.layers import VISIBLE
from posewire_vnect.names import INPUT_PX, JOINTS
from posewire_vnect.shots import Shots

J = len(JOINTS)


def drawn(count: int) -> Shots:
    """Made-up crops of the size that BlazePose takes."""
    made = torch.Generator().manual_seed(0)
    points_m = 0.4 * torch.randn(count, J, 3, generator=made) + torch.tensor([0.0, 0.0, 4.0])
    K = torch.tensor([[300.0, 0.0, 127.5], [0.0, 300.0, 127.5], [0.0, 0.0, 1.0]]).expand(count, 3, 3)
    flat = points_m @ K.mT
    image = torch.randint(0, 256, (count, 3, INPUT_PX, INPUT_PX), dtype=torch.uint8, generator=made)
    return Shots(image, flat[..., :2] / flat[..., 2:], points_m, torch.full((count, J), VISIBLE, dtype=torch.uint8), K)
