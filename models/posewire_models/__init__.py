"""Where the bundled networks are and what they say: reads manifest.toml and methods.toml, opens no network."""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class TensorCard:
    direction: str
    """"input" or "output"."""
    name: str
    shape: tuple[int | str, ...]
    """A named axis is of any length."""
    dtype: str
    meaning: str
    unit: str
    value_range: str


@dataclass(frozen=True, slots=True)
class Measurement:
    what: str
    value: str
    command: str
    """The command that printed it."""


@dataclass(frozen=True, slots=True)
class ModelCard:
    name: str
    file: str
    """Below this package's folder."""
    bundled: bool
    """False: not part of the distribution; models/convert makes it."""
    bytes: int
    sha256: str
    task: str
    licence: str
    attribution: str
    source: str
    """Package, version and member of the network it was converted from."""
    source_sha256: tuple[str, ...]
    tensors: tuple[TensorCard, ...]
    measured: tuple[Measurement, ...]


@dataclass(frozen=True, slots=True)
class MethodNumbers:
    """What was measured of a method as a whole, the number to choose by first."""

    accuracy: tuple[Measurement, ...] = ()
    speed: tuple[Measurement, ...] = ()


def method_numbers(name: str) -> MethodNumbers:
    """What methods.toml says of a bundled method; nothing for one that was not measured."""
    return _method_numbers().get(name, MethodNumbers())


@cache
def _method_numbers() -> dict[str, MethodNumbers]:
    told = tomllib.loads((FOLDER / "methods.toml").read_text(encoding="utf-8"))
    return {
        name: MethodNumbers(*(tuple(Measurement(**row) for row in rows.get(kind, ())) for kind in ("accuracy", "speed")))
        for name, rows in told.items()
    }


@cache
def cards() -> Mapping[str, ModelCard]:
    """Every network of manifest.toml by name, those that are not bundled included."""
    manifest = tomllib.loads((FOLDER / "manifest.toml").read_text(encoding="utf-8"))
    return MappingProxyType({entry["name"]: _card(entry) for entry in manifest["model"]})


def model_path(name: str) -> Path:
    """The file of one network; it exists unless its card says `bundled = false`.

    Raises:
        LookupError: no network has this name; the message lists those that there are.
    """
    known = cards()
    if name not in known:
        raise LookupError(f"no model is called {name!r}; there are: {', '.join(sorted(known))}")
    return FOLDER / known[name].file


def sha256_of(path: Path) -> str:
    """The sha256 of a file in lower-case hexadecimal digits, as the manifest writes it."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _card(entry: dict[str, Any]) -> ModelCard:
    lists: dict[str, Any] = {
        "source_sha256": tuple(entry["source_sha256"]),
        "tensors": tuple(_tensor(tensor) for tensor in entry["tensor"]),
        "measured": tuple(Measurement(**measurement) for measurement in entry.get("measured", ())),
    }
    plain: dict[str, Any] = {key: value for key, value in entry.items() if key not in ("tensor", *lists)}
    return ModelCard(**plain, **lists)


def _tensor(entry: dict[str, Any]) -> TensorCard:
    fields: dict[str, Any] = {**entry, "shape": tuple(entry["shape"])}
    return TensorCard(**fields)
