"""What a trained network does not need to carry: batch norm, and layers of BlazePose's that the head's layers can take in."""

from __future__ import annotations

import copy
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from posewire_vnect.network import CoarsePose, LocationHead, VNect
from posewire_vnect.trunk_blazepose import BlazePoseTrunk


def folded(net: VNect) -> VNect:
    """A copy without batch norm behind convolutions and without BlazePose's own answers; in eval mode it says the same."""
    copied = copy.deepcopy(net).eval()
    for block in [module for module in copied.modules() if isinstance(module, nn.Sequential)]:
        for number, (conv, norm) in enumerate(pairwise(list(block))):
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                block[number], block[number + 1] = fuse_conv_bn_eval(conv, norm), nn.Identity()
    if isinstance(copied.trunk, BlazePoseTrunk) and copied.trunk.answers and isinstance(copied.head, LocationHead):
        fold_coarse(copied.head.coarse, *copied.trunk.answers_of_tower())
        copied.trunk = copied.trunk.without_answers()
    return copied


def fold_coarse(coarse: CoarsePose, M: Tensor, c: Tensor) -> None:
    """The vector is M t + c of the tower's features t; standardising it and both first layers become linear in t.

    W ((M t + c - mean) / d) + w = (W / d M) t + (W ((c - mean) / d) + w)
    """
    hidden = coarse.hidden[0]
    assert isinstance(hidden, nn.Linear)
    shift = (c - coarse.mean) / coarse.deviation
    coarse.hidden[0] = _linear(hidden.weight / coarse.deviation @ M, hidden(shift))
    coarse.straight = _linear(coarse.straight.weight / coarse.deviation @ M, coarse.straight(shift))
    coarse.mean, coarse.deviation = torch.zeros(M.shape[1]), torch.ones(M.shape[1])


def _linear(weight: Tensor, bias: Tensor) -> nn.Linear:
    made = nn.Linear(weight.shape[1], weight.shape[0])
    with torch.no_grad():
        made.weight.copy_(weight)
        made.bias.copy_(bias)
    return made
