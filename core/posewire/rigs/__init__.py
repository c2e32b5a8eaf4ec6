"""Target rigs: one JSON file each, shared by the engine, Blender and Unreal. docs/RIGS.md describes the format."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, cast

from posewire.errors import PluginError
from posewire.methods import RigCard
from posewire.rigs.reader import parse_rig, read_json, read_rig
from posewire.rigs.rest import alignments, leg_length_ratio, rig_skeleton
from posewire.rigs.rig import Rig, RigBone

__all__ = [
    "Rig",
    "RigBone",
    "alignments",
    "bundled_rigs",
    "detect_rig",
    "leg_length_ratio",
    "load_rig",
    "parse_rig",
    "read_rig",
    "resolve_rig",
    "rig_skeleton",
]

_FOLDER = Path(__file__).parent


def bundled_rigs() -> tuple[RigCard, ...]:
    """The rigs that come with Posewire, by name."""
    return tuple(_card(path) for path in sorted(_FOLDER.glob("*.json")))


def load_rig(name: str) -> Rig:
    """A bundled rig by its name.

    Raises:
        PluginError: there is none of that name.
    """
    return resolve_rig(name, bundled_rigs())


def resolve_rig(name_or_path: str, cards: Iterable[RigCard]) -> Rig:
    """What a user wrote after --rig: the name of one of the `cards`, or the path of a rig file (*.json).

    Raises:
        PluginError: no such rig, or its file is not usable.
    """
    paths = {card.name: card.path for card in cards}
    if name_or_path in paths:
        return read_rig(paths[name_or_path])
    if name_or_path.lower().endswith(".json"):
        return read_rig(Path(name_or_path))
    near = get_close_matches(name_or_path, list(paths), n=1)
    hint = f"did you mean '{near[0]}'?" if near else "posewire rigs lists them"
    raise PluginError("unknown rig", got=name_or_path, allowed=[*paths, "FILE.json"], hint=hint)


def detect_rig(names: Sequence[str], rigs: Iterable[Rig]) -> tuple[Rig, float]:
    """The rig that a character's bone names fit best, and its coverage 0..1; among equals the one with more bones."""
    fits = {rig: (rig.coverage(names), rig.main_bones) for rig in rigs}
    best = max(fits, key=fits.__getitem__)
    return best, fits[best][0]


def _card(path: Path) -> RigCard:
    """Only the name and the summary are read here; the whole file is checked when the rig is used."""
    content = cast("dict[str, Any]", read_json(path))
    return RigCard(content["name"], content["summary"], path)
