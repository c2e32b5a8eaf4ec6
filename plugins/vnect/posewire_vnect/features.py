"""What a trunk tells a head: features at three resolutions and one vector of the whole crop."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import torch
from torch import Tensor


class Features(NamedTuple):
    """B crops of S pixels."""

    fine: Tensor
    """(B, widths.fine, S/8, S/8)."""
    mid: Tensor
    """(B, widths.mid, S/16, S/16)."""
    deep: Tensor
    """(B, widths.deep, S/32, S/32)."""
    vector: Tensor
    """(B, widths.vector)."""

    def to(self, device: str | torch.device) -> Features:
        """On another device."""
        return Features(*(part.to(device) for part in self))


class Widths(NamedTuple):
    """Channels of each."""

    fine: int
    mid: int
    deep: int
    vector: int


class Trunk(Protocol):
    """A module that turns pictures (B, 3, S, S), RGB 0..1, into Features."""

    widths: Widths

    def __call__(self, image: Tensor) -> Features: ...
