"""A device that is not there: its tensors lie on the CPU, say that they do not, and refuse to be mixed with any that do.

A training that passes with it moves everything where it was told to; what a GPU computes is not tested. It has the name of
torch's device without numbers, for which nothing need be installed.
"""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager, nullcontext
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing
from torch.utils._pytree import tree_iter, tree_map

NAME = "meta"


class Elsewhere(Tensor):
    """A tensor of the device; `here` is where its numbers really lie."""

    here: Tensor

    @staticmethod
    def __new__(cls, here: Tensor) -> Elsewhere:
        told: dict[str, Any] = {"dtype": here.dtype, "requires_grad": here.requires_grad, "device": NAME}
        made = Tensor._make_wrapper_subclass(cls, here.size(), here.stride(), here.storage_offset(), **told)
        made.here = here
        return made

    @classmethod
    def __torch_dispatch__(cls, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return computed(function, args, kwargs or {})


class Device(TorchDispatchMode):
    """Makes tensors that are asked for on the device."""

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if any(isinstance(value, Elsewhere) for value in tree_iter((args, kwargs))) or "device" in kwargs:
            return computed(function, args, kwargs)
        return function(*args, **kwargs)


class HereGenerator(torch.Generator):
    """Of the CPU, whatever device is asked for."""

    def __new__(cls, device: str | torch.device = "cpu") -> HereGenerator:
        return super().__new__(cls, "cpu")


class Constants(TorchFunctionMode):
    """Makes tensors of Python's numbers there, which torch does without asking the other mode."""

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if function is Tensor.new_tensor and isinstance(args[0], Elsewhere):
            return torch.tensor(*args[1:], dtype=args[0].dtype).to(NAME)
        if function is torch.tensor and kwargs.get("device") is not None:
            return torch.tensor(*args, **{**kwargs, "device": "cpu"}).to(kwargs["device"])
        if function is Tensor.__getitem__:
            args = (args[0], tree_map(_as_index, args[1], is_leaf=lambda value: isinstance(value, list)))
        return function(*args, **kwargs)


def _as_index(value: Any) -> Any:
    return torch.tensor(value) if isinstance(value, list) else value


def computed(function: Any, args: Any, kwargs: Any) -> Any:
    name = function.overloadpacket.__name__
    asked, kwargs = kwargs.get("device"), dict(kwargs)
    if asked is not None:
        kwargs["device"] = torch.device("cpu")
    tensors = [value for value in tree_iter((args, kwargs)) if isinstance(value, Tensor)]
    away = any(isinstance(value, Elsewhere) for value in tensors)
    if away and name not in ("_to_copy", "copy_"):
        mixed = [args[0], *args[2:]] if name in ("index", "index_put", "index_put_") else tensors  # places may lie on the CPU
        stayed = [value for value in mixed if isinstance(value, Tensor) and not isinstance(value, Elsewhere) and value.dim()]
        assert not stayed, f"{function}: of {[tuple(value.shape) for value in tensors]} some stayed on the CPU"
    inside = tree_map(lambda value: value.here if isinstance(value, Elsewhere) else value, (args, kwargs))
    said = function(*inside[0], **inside[1])
    gives_away = torch.device(asked).type == NAME if asked is not None else away
    if name == "copy_":
        gives_away = isinstance(args[0], Elsewhere)
    if not gives_away:
        return said
    wrapped = tree_map(lambda value: Elsewhere(value) if isinstance(value, Tensor) else value, said)
    return return_and_correct_aliasing(function, args, kwargs, wrapped) if away else wrapped


@contextmanager
def device() -> Generator[str]:
    """Its name, while it is there."""
    with pytest.MonkeyPatch.context() as patch, Device(), Constants():
        patch.setattr(torch, "Generator", HereGenerator)
        patch.setattr(torch, "autocast", _autocast)
        patch.setattr(sys.modules[Optimizer.__module__], "_get_fused_kernels_supported_devices", lambda: [NAME, "cpu"])
        yield NAME


def _autocast(name: str, *_: Any, enabled: bool = True) -> Any:
    assert name == NAME, f"autocast for {name}"
    return nullcontext()
