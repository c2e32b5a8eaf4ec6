# SPDX-License-Identifier: GPL-3.0-or-later
"""Rig files (docs/RIGS.md): which bone of a character follows which joint, and how it is found by its name.

The files are those of core/posewire/rigs; the build copies them into rigs/. Any other JSON is a LiveError that names the
bone and what is allowed.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NoReturn

from .errors import LiveError

VERSION = 1
_CENTRE = ("pelvis", "spine", "chest", "neck", "head")
_SIDED = ("clavicle", "shoulder", "elbow", "wrist", "hand", "hip", "knee", "ankle", "heel", "toe")
JOINTS = (*_CENTRE, *(f"left_{joint}" for joint in _SIDED), *(f"right_{joint}" for joint in _SIDED))
"""The native joints."""
_ALIGNS = ("direction", "heading", "parent", "none")
_RIG_KEYS = {"posewire_rig", "name", "summary", "rest_pose", "prefixes", "name_sets", "bones"}
_BONE_KEYS = {"name", "parent", "joint", "share", "twist_share", "aim", "aim_joint", "align", "rest_direction", "place"} | {
    "humanoid",
    "aliases",
}


@dataclass(frozen=True)
class RigBone:
    """One bone of a rig file."""

    name: str
    parent: str | None
    joint: str | None
    share: float
    twist_share: float
    aim: str | None
    """The bone whose head this one points to."""
    aim_joint: str | None
    align: str
    placed: bool
    """It stands elsewhere than at its joint."""
    aliases: Mapping[str, str]
    source: Mapping[str, Any] = field(repr=False)
    """Its entry in the file, to write it back with another name."""

    @property
    def is_main(self) -> bool:
        """A joint turns it and it is no mere twist helper: a character of the rig is expected to have it."""
        return self.joint is not None and (self.twist_share == 1.0 or self.aim is not None)


@dataclass(frozen=True)
class Rig:
    """A rig file."""

    name: str
    summary: str
    bones: tuple[RigBone, ...]
    prefixes: tuple[str, ...] = ("",)
    name_sets: tuple[str, ...] = ("standard",)

    @property
    def root(self) -> RigBone:
        """The bone that carries the body's place."""
        return self.bones[0]

    @property
    def main_bones(self) -> int:
        """How many bones a whole character has."""
        return sum(bone.is_main for bone in self.bones)

    def match(self, names: Iterable[str], name_set: str | None = None) -> dict[str, str]:
        """By rig bone: the character's bone. The name set (or only the one asked) and prefix that find most main bones win."""
        there: dict[str, str] = {}
        for name in names:
            there.setdefault(name.lower(), name)
        sets = self.name_sets if name_set is None else (name_set,)
        tries = [self._found(there, one, prefix) for one in sets for prefix in self.prefixes]
        return max(tries, key=self.main_found)

    def main_found(self, matched: Mapping[str, str]) -> int:
        """How many main bones are matched."""
        return sum(bone.is_main and bone.name in matched for bone in self.bones)

    def size(self, name_set: str) -> int:
        """How many main bones a character of this name set has."""
        return sum(bone.is_main and self._name_in(bone, name_set) is not None for bone in self.bones)

    def coverage(self, names: Iterable[str], name_set: str | None = None) -> float:
        """0..1: share of the main bones that `match` finds."""
        most = max(map(self.size, self.name_sets if name_set is None else (name_set,)))
        return self.main_found(self.match(names, name_set)) / max(most, 1)

    def _name_in(self, bone: RigBone, name_set: str) -> str | None:
        return bone.name if name_set == self.name_sets[0] else bone.aliases.get(name_set)

    def _found(self, there: Mapping[str, str], name_set: str, prefix: str) -> dict[str, str]:
        pattern = re.compile(re.escape(prefix.lower()).replace(r"\#", "[0-9]+"))
        bare: dict[str, str] = {}
        for lower, name in there.items():
            if start := pattern.match(lower):
                bare.setdefault(lower[start.end() :], name)
        wanted = ((bone.name, self._name_in(bone, name_set)) for bone in self.bones)
        return {name: bare[alias.lower()] for name, alias in wanted if alias is not None and alias.lower() in bare}


def detect(names: Sequence[str], rigs: Iterable[Rig]) -> list[tuple[Rig, float]]:
    """Rigs with their coverage of a character's bone names, best first; among equals the one with more bones."""
    fits = [(rig, rig.coverage(names)) for rig in rigs]
    return sorted(fits, key=lambda fit: (fit[1], fit[0].main_bones), reverse=True)


def best_name_set(rig: Rig, drivable: Sequence[str]) -> str:
    """The set with most main bones among those that nothing else moves: of a generated Rigify rig the controls."""
    return max(rig.name_sets, key=lambda name_set: rig.main_found(rig.match(drivable, name_set)))


def with_names(rig: Rig, name: str, matched: Mapping[str, str]) -> dict[str, Any]:
    """The content of a rig file whose bones are a character's own; bones that were not found are left out."""
    kept = {bone.name: matched[bone.name] for bone in rig.bones if bone.name in matched}
    parents = {bone.name: bone.parent for bone in rig.bones}

    def nearest(parent: str | None) -> str | None:
        while parent is not None and parent not in kept:
            parent = parents[parent]
        return None if parent is None else kept[parent]

    rows: list[dict[str, Any]] = []
    for bone in rig.bones:
        if bone.name not in kept:
            continue
        row = {key: value for key, value in bone.source.items() if key not in ("aliases", "aim")}
        row |= {"name": kept[bone.name], "parent": nearest(bone.parent)}
        if bone.aim in kept:
            row["aim"] = kept[bone.aim]
        elif bone.aim is not None and bone.twist_share == 1.0:
            row.pop("aim_joint", None)
        rows.append(row)
    return {"posewire_rig": VERSION, "name": name, "summary": f"{name}, from {rig.name}", "rest_pose": "unknown", "bones": rows}


def read_rig(path: Path) -> Rig:
    """The rig in a JSON file; LiveError when there is none."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise LiveError("The rig file {path} cannot be read: {reason}.", path=path, reason=error.strerror) from error
    except (ValueError, RecursionError) as error:
        raise LiveError("The rig file {path} is not JSON: {reason}.", path=path, reason=error) from error
    return parse_rig(content, path.name)


def parse_rig(content: object, file: str) -> Rig:
    """The rig in a decoded JSON value; `file` is what errors name."""
    entry = _Entry(f"The rig file {file}", content, _RIG_KEYS)
    if entry.get("posewire_rig") != VERSION:
        entry.fail(f"is not of version {VERSION}")
    name_sets = entry.texts("name_sets") or ("standard",)
    rows = entry.get("bones")
    if not isinstance(rows, list) or not rows:
        entry.fail("has no bones")
    bones: dict[str, RigBone] = {}
    every = {row.get("name") for row in rows if isinstance(row, dict) and isinstance(row.get("name"), str)}
    for number, row in enumerate(rows):
        bone = _bone(_Entry(f"{entry.where}, bone {number + 1},", row, _BONE_KEYS), bones, every, name_sets)
        bones[bone.name] = bone
    rig = Rig(entry.text("name"), entry.text("summary"), tuple(bones.values()), entry.texts("prefixes") or ("",), name_sets)
    _check_root(entry, rig)
    return rig


class _Entry:
    """One JSON object under checks; `where` begins every error."""

    def __init__(self, where: str, content: object, keys: set[str]) -> None:
        self.where = where
        if not isinstance(content, dict):
            self.fail("is not a JSON object")
        self.content: dict[str, Any] = content
        unknown = sorted(set(map(str, content)) - keys)
        if unknown:
            self.fail(f"has the unknown key {unknown[0]!r}")

    def fail(self, problem: str) -> NoReturn:
        raise LiveError("{where} {problem}.", "docs/RIGS.md of Posewire describes the file.", where=self.where, problem=problem)

    def get(self, key: str) -> Any:
        return self.content.get(key)

    def text(self, key: str) -> str:
        value = self.get(key)
        if not isinstance(value, str) or not value:
            self.fail(f"needs a text under {key!r}")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.get(key)
        if value is None:
            return ()
        if not isinstance(value, list) or not value or not all(isinstance(item, str) for item in value):
            self.fail(f"needs a list of texts under {key!r}")
        return tuple(value)

    def joint(self, key: str) -> str | None:
        value = self.get(key)
        if value is not None and value not in JOINTS:
            self.fail(f"has {value!r} under {key!r}, which is no joint")
        return value

    def share(self, key: str) -> float:
        value = 1.0 if self.get(key) is None else self.get(key)
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0.0 <= value <= 1.0:
            self.fail(f"has a {key!r} that is not between 0 and 1")
        return float(value)

    def bone(self, key: str, known: Iterable[Any]) -> str | None:
        value = self.get(key)
        if value is not None and (not isinstance(value, str) or value not in known):
            self.fail(f"has {value!r} under {key!r}, which is no bone at this place")
        return value


def _bone(entry: _Entry, above: Mapping[str, RigBone], every: set[Any], name_sets: Sequence[str]) -> RigBone:
    name = entry.text("name")
    if name in above:
        entry.fail(f"has the name {name!r} of another bone")
    aliases = entry.get("aliases") or {}
    if not isinstance(aliases, dict) or not all(
        key in name_sets[1:] and isinstance(value, str) for key, value in aliases.items()
    ):
        entry.fail("has aliases that are not texts by the file's name sets")
    align = entry.get("align") or ("parent" if entry.get("aim") is None else "direction")
    if align not in _ALIGNS:
        entry.fail(f"has {align!r} under 'align', which is none of {_ALIGNS}")
    bone = RigBone(
        name=name,
        parent=entry.bone("parent", above),
        joint=entry.joint("joint"),
        share=entry.share("share"),
        twist_share=entry.share("twist_share"),
        aim=entry.bone("aim", every),
        aim_joint=entry.joint("aim_joint"),
        align=align,
        placed=entry.get("place") is not None,
        aliases=aliases,
        source=entry.content,
    )
    _check_bone(entry, bone)
    return bone


def _check_bone(entry: _Entry, bone: RigBone) -> None:
    """Fields that need or exclude each other."""
    if bone.aim_joint is not None and bone.aim_joint == bone.joint:
        entry.fail("points at its own joint")
    if bone.share != 1.0 and bone.twist_share != 1.0:
        entry.fail("has a share and a twist_share")
    if (bone.aim is not None or bone.twist_share != 1.0) and bone.aim_joint is None:
        entry.fail("needs an 'aim_joint'")
    if bone.joint is None and (bone.aim is not None or bone.aim_joint is not None or bone.share != 1.0):
        entry.fail("has an aim or a share but no joint")
    direction = entry.get("rest_direction")
    if direction is not None and not _is_direction(direction):
        entry.fail("has a 'rest_direction' that is not [x, y, z]")


def _is_direction(value: object) -> bool:
    return isinstance(value, list) and len(value) == 3 and all(type(x) in (int, float) and math.isfinite(x) for x in value)


def _check_root(entry: _Entry, rig: Rig) -> None:
    root = rig.root
    if root.parent is not None or root.joint != "pelvis" or root.share != 1.0 or root.twist_share != 1.0:
        entry.fail("does not begin with a root bone that has no parent and the joint 'pelvis'")
    if any(bone.parent is None for bone in rig.bones[1:]):
        entry.fail("has two bones without a parent")


def share_growth(rig: Rig, matched: Mapping[str, str]) -> dict[str, float]:
    """By joint: the largest share in the file over the largest that was found, so that the whole rotation still arrives."""
    every: dict[str, float] = {}
    there: dict[str, float] = {}
    for bone in rig.bones:
        if bone.joint is not None:
            every[bone.joint] = max(bone.share, every.get(bone.joint, 0.0))
            if bone.name in matched:
                there[bone.joint] = max(bone.share, there.get(bone.joint, 0.0))
    return {joint: every[joint] / share for joint, share in there.items() if share > 0.0}


def grown(bone: RigBone, growth: Mapping[str, float]) -> RigBone:
    """The bone with the share that it has on this character."""
    return replace(bone, share=bone.share * growth.get(bone.joint or "", 1.0))
