"""An exported VNect as a network that learns on: `posewire_vnect.train --begin vnect.onnx`.

The file (export.py) holds no batch norm and no answers of BlazePose's own, and what the network says of places is a constant. So
the network is built without those answers (`VNectSettings.answers`), and its batch norms begin as what measuring them on crops
gives: each convolution's mean and deviation are taken out and put back, which changes nothing that the network says.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from posewire.errors import ModelError
from posewire.runtime import open_session
from posewire_training.onnx_graph import constants_of
from posewire_vnect.names import KIND, METADATA
from posewire_vnect.network import VNect, places

ENDING = ".onnx"
_LEAST_VAR = 1e-6
_PLACES = "head.maps.from_place.weight"


def take(net: VNect, path: Path) -> None:
    """Gives the network the weights of an exported file; in eval mode it says what the file says.

    Args:
        net: On a BlazePose trunk without its own answers, with a location head; its batch norms stand for their biases alone
            until `measure_norms`.
        path: The .onnx file.

    Raises:
        ModelError: the file is missing, is no VNect, or one of another trunk or head.
    """
    session = open_session(path, threads=1)
    kind = session.metadata.get(METADATA[0])
    session.close()
    if kind != KIND:
        raise ModelError(f"{path} is no VNect.", got=kind, allowed=KIND)
    known = {name: torch.from_numpy(np.array(value)) for name, value in constants_of(onnx.load(path)).items()}
    known |= _norms(net, known) | _from_place(net, known)
    wanted = {f"net.{name}": value for name, value in net.state_dict().items() if value.is_floating_point()}
    unlike = [name for name, value in wanted.items() if name not in known or known[name].shape != value.shape]
    if unlike:
        allowed = "a file of --trunk blazepose --head locations, as this version exports it"
        problem = f"{path} cannot be learned on from: it has another trunk or head."
        raise ModelError(problem, got=f"no {unlike[0]} and {len(unlike) - 1} others", allowed=allowed, hint="--begin weights.pt")
    net.load_state_dict({name.removeprefix("net."): known[name].float() for name in wanted}, strict=False)


def _pairs(net: nn.Module) -> list[tuple[str, nn.Conv2d, str, nn.BatchNorm2d]]:
    """Each convolution with the batch norm behind it, by name."""
    found: list[tuple[str, nn.Conv2d, str, nn.BatchNorm2d]] = []
    for name, block in net.named_modules():
        layers = list(block.named_children()) if isinstance(block, nn.Sequential) else []
        for (conv_name, conv), (norm_name, norm) in pairwise(layers):
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                found.append((f"{name}.{conv_name}", conv, f"{name}.{norm_name}", norm))
    return found


def _norms(net: nn.Module, known: dict[str, Tensor]) -> dict[str, Tensor]:
    """Batch norms that only add the bias of their folded convolution."""
    made: dict[str, Tensor] = {}
    for conv_name, _, name, norm in _pairs(net):
        ones, bias = torch.ones(norm.num_features), known.get(f"net.{conv_name}.bias")
        made |= {f"net.{name}.weight": ones, f"net.{name}.running_mean": 0 * ones, f"net.{name}.running_var": ones - norm.eps}
        made |= {} if bias is None else {f"net.{name}.bias": bias}
    return made


def _from_place(net: VNect, known: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights (C, 2, 1, 1) whose product with each cell's place the file holds as a constant (1, C, h, w)."""
    wanted = net.state_dict().get(_PLACES)
    if wanted is None:
        return {}
    for value in known.values():
        if value.ndim == 4 and value.shape[:2] == (1, len(wanted)) and min(value.shape[2:]) > 1:
            where = places(value).flatten(2)[0].T  # (h w, 2)
            return {f"net.{_PLACES}": torch.linalg.lstsq(where, value.flatten(2)[0].T).solution.T[..., None, None]}
    return {}


@torch.no_grad()
def measure_norms(net: VNect, pictures: Iterable[Tensor]) -> None:
    """Gives every batch norm of `take` the mean and deviation of its convolution on batches of crops (B, 3, S, S)."""
    pairs = [(conv, norm, _Moments()) for _, conv, _, norm in _pairs(net)]
    hooks = [conv.register_forward_hook(moments.add) for conv, _, moments in pairs]
    was_training = net.training
    net.eval()
    for image in pictures:
        net(image)
    net.train(was_training)
    for hook in hooks:
        hook.remove()
    for _, norm, moments in pairs:
        mean, var = moments.first / moments.count, moments.second / moments.count
        var = (var - mean.square()).clamp_min(_LEAST_VAR)
        known = {"weight": (var + norm.eps).sqrt(), "bias": norm.bias + mean, "running_mean": mean, "running_var": var}
        norm.load_state_dict({name: value.to(norm.bias) for name, value in known.items()}, strict=False)


class _Moments:
    """Sums over everything that a convolution said, a channel."""

    def __init__(self) -> None:
        self.count, self.first, self.second = 0, torch.zeros(()), torch.zeros(())

    def add(self, _layer: nn.Module, _inputs: tuple[Tensor, ...], said: Tensor) -> None:
        """A forward hook."""
        values = said.transpose(0, 1).flatten(1).double()
        self.count += values.shape[1]
        self.first, self.second = self.first + values.sum(1), self.second + values.square().sum(1)
