"""Where a training computes: asked for by name, and there, or refused before any work is done."""

from __future__ import annotations

import torch
from torch import Tensor

from posewire.errors import DeviceError


def check(name: str) -> None:
    """Refuses a device on which nothing can be computed here.

    Raises:
        DeviceError: the name means nothing to torch, or its machine part is not there.
    """
    allowed = _there()
    try:
        known = torch.device(name)
    except RuntimeError as error:
        raise DeviceError("There is no such device.", got=name, allowed=allowed, hint="--device cpu") from error
    if known.type == "cuda" and not torch.cuda.is_available():
        hint = "--device cpu, or install the torch that belongs to your GPU: https://pytorch.org/get-started/locally"
        raise DeviceError("torch sees no CUDA device.", got=f"{name}, torch {torch.__version__}", allowed=allowed, hint=hint)
    if name not in allowed:
        raise DeviceError("No training can compute there.", got=name, allowed=allowed, hint="--device cpu")


def chance(name: str) -> Tensor | None:
    """Where the device's own generator stands; None on the CPU, whose generator is torch's."""
    kind = torch.device(name).type
    if kind == "cuda":
        return torch.cuda.get_rng_state(name)
    return torch.mps.get_rng_state() if kind == "mps" else None


def set_chance(name: str, state: Tensor) -> None:
    """Undoes `chance`."""
    if torch.device(name).type == "cuda":
        torch.cuda.set_rng_state(state, name)
    else:
        torch.mps.set_rng_state(state)


def _there() -> list[str]:
    """Names of what this machine has."""
    cuda = [f"cuda:{number}" for number in range(torch.cuda.device_count())]
    return ["cpu", *(["cuda", *cuda] if cuda else []), *(["mps"] if torch.backends.mps.is_available() else [])]
