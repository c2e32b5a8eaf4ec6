"""The mean of several trainings' weights, which began from one another: what each forgot, the others still know.

On the way between a network and what it became lie networks that are better than either (Wortsman et al. 2022, "Robust
fine-tuning of zero-shot models" and "Model soups"). Here (docs/XNECT.md): trunk and heads that learned from windows got better at
windows and, towards the end, worse at whole pictures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from posewire.errors import SettingsError
from posewire_data.joints import JOINTS
from posewire_training import weights
from posewire_xnect import trunk_file
from posewire_xnect.movenet import Heads, Trunk

DEEP = ("branch_3d.", "encodings.")
"""What the 3D branch's tensors are called."""


def blend(method: str, trunks: Sequence[Path], ones: Sequence[Path], out: Path, deep: Path | None = None) -> Path:
    """Writes out/trunk.onnx and out/weights.pt, the means of several; returns the latter.

    Args:
        method: What the heads' weights files call themselves.
        trunks: Files of the trunk.
        ones: Weights of the heads on each of them, in the same order.
        out: Where both go.
        deep: Heads whose 3D branch is taken instead of the mean.

    Raises:
        SettingsError: there are not as many trunks as heads, or less than two.
    """
    if len(trunks) != len(ones) or len(ones) < 2:
        got = f"{len(trunks)} and {len(ones)}"
        raise SettingsError("A mean is of trunks and of the heads on each.", got=got, allowed="as many of both, at least two")
    nets, known = [Trunk(path).graph for path in trunks], [weights.load(path, method, JOINTS) for path in ones]
    states = [net.state_dict() for net in nets]
    learned = _first_that_differs(states)
    nets[0].load_state_dict(mean(states))
    heads = Heads()
    told = mean([one.states["heads"] for one in known])
    if deep is not None:
        of_deep = weights.load(deep, method, JOINTS).states["heads"]
        told |= {name: value for name, value in of_deep.items() if name.startswith(DEEP)}
    heads.load_state_dict(told)
    trunk_file.write(trunks[0], nets[0], learned, out / "trunk.onnx")
    weights.save(out / "weights.pt", method, JOINTS, known[-1].settings, {"heads": heads})
    return out / "weights.pt"


def mean(states: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Of each tensor; what is counted is the last one's."""
    last = states[-1]
    return {
        name: torch.stack([state[name] for state in states]).mean(0) if value.is_floating_point() else value
        for name, value in last.items()
    }


def _first_that_differs(states: Sequence[Mapping[str, Tensor]]) -> int:
    """Number of the first convolution that is not the same in all."""
    apart = [name for name in states[0] if any(not torch.equal(states[0][name], other[name]) for other in states[1:])]
    return min((int(name.split(".")[1]) for name in apart), default=len(states[0]))
