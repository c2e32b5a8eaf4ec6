"""Dataclasses of tensors whose first axis counts crops, pictures or people: joined, chosen from, moved, and kept in files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import Field, fields
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar, cast

import torch
from torch import Tensor

from posewire.errors import ModelError
from posewire.npz import read_npz, write_npz


class Tensors(Protocol):
    """A dataclass all of whose fields are tensors, with one first axis."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


T = TypeVar("T", bound=Tensors)


def named(one: Tensors) -> dict[str, Tensor]:
    """The tensors by their names."""
    return {field.name: getattr(one, field.name) for field in fields(one)}


def joined(parts: Sequence[T]) -> T:
    """One after the other."""
    return _made(type(parts[0]), {name: torch.cat([getattr(part, name) for part in parts]) for name in named(parts[0])})


def chosen(one: T, rows: Tensor | slice) -> T:
    """Some of the rows."""
    return _made(type(one), {name: value[rows] for name, value in named(one).items()})


def moved(one: T, device: str | torch.device) -> T:
    """On another device."""
    return _made(type(one), {name: value.to(device) for name, value in named(one).items()})


def save(one: Tensors, path: Path) -> None:
    """Writes a file (.npz), never half of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_npz(path, {name: value.cpu().numpy() for name, value in named(one).items()}, compressed=False)


def load(kind: type[T], path: Path) -> T:
    """Reads a file.

    Raises:
        ModelError: it is missing, damaged, or holds something else.
    """
    names = [field.name for field in fields(kind)]
    try:
        arrays = read_npz(path)
        return _made(kind, {name: torch.from_numpy(arrays[name]) for name in names})
    except (OSError, ValueError, KeyError, TypeError) as error:
        got, hint = f"{type(error).__name__}: {error}", "delete it and make it anew"
        raise ModelError(f"{path} cannot be read.", got=got, allowed=f"arrays {', '.join(names)}", hint=hint) from error


def _made(kind: type[T], values: dict[str, Tensor]) -> T:
    return cast(Any, kind)(**values)
