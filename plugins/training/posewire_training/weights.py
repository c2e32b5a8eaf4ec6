"""Weights files: a method's networks together with the settings that made them and the skeleton that they speak of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from posewire.errors import ModelError
from posewire_training import parts

FORMAT = 1


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """What a weights file says."""

    method: str
    """Which trainer made it: vae, baseline, selfsup, ..."""
    joints: tuple[str, ...]
    settings: Mapping[str, Any]
    """For the trainer's `from_json`."""
    states: Mapping[str, Mapping[str, Tensor]]
    """Network name to its tensors, float32."""

    def load_into(self, modules: Mapping[str, nn.Module]) -> None:
        """Fills the networks.

        Raises:
            ModelError: a network is missing or has another shape.
        """
        for name, module in modules.items():
            try:
                module.load_state_dict(self.states[name])
            except (KeyError, RuntimeError) as error:
                got = " ".join(str(error).split())[:300]
                problem = f"These weights do not fit the network '{name}'."
                raise ModelError(problem, got=got, allowed=list(self.states)) from error


def save(
    path: Path,
    method: str,
    joints: Sequence[str],
    settings: Mapping[str, Any],
    modules: Mapping[str, nn.Module],
) -> None:
    """Writes a weights file, float32, never half of one."""
    states = {
        name: {key: value.cpu().float() if value.is_floating_point() else value.cpu() for key, value in state.items()}
        for name, state in ((name, module.state_dict()) for name, module in modules.items())
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"format": FORMAT, "method": method, "joints": list(joints), "settings": dict(settings), "states": states}
    beside = path.with_suffix(".new")
    torch.save(content, beside)
    beside.replace(path)


def load(path: Path, method: str | Sequence[str], joints: Sequence[str]) -> Weights:
    """Reads a weights file of this method (or one of these) and this skeleton; a folder of its parts, or the first of them, is as
    good (posewire_training.parts).

    Raises:
        ModelError: the file is missing, is no weights file, or is of another method, version or skeleton.
    """
    hint = "train again, or give the file that belongs to this command"
    content = parts.read(path)
    methods = (method,) if isinstance(method, str) else tuple(method)
    if content.get("format") != FORMAT or content.get("method") not in methods:
        got = {key: content.get(key) for key in ("format", "method")}
        allowed = f"format {FORMAT}, method {' or '.join(methods)}"
        raise ModelError(f"{path} holds other weights.", got=got, allowed=allowed, hint=hint)
    if content["joints"] != list(joints):
        raise ModelError(f"{path} is for another skeleton.", got=", ".join(content["joints"]), allowed=tuple(joints), hint=hint)
    states = {
        name: {key: value.float() if value.is_floating_point() else value for key, value in state.items()}
        for name, state in content["states"].items()
    }
    return Weights(content["method"], tuple(joints), content["settings"], states)
