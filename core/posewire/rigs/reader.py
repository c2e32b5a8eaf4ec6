"""Reads a rig file (docs/RIGS.md) and checks all of it, so that nothing later has to."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, NoReturn, cast

from posewire.errors import PluginError
from posewire.rigs.rig import ALIGNS, REST_POSES, Place, Rig, RigBone
from posewire.skeleton import REFERENCE

VERSION = 1
_RIG_KEYS = ("posewire_rig", "name", "summary", "rest_pose", "prefixes", "name_sets", "bones")
_BONE_KEYS = (
    *("name", "parent", "joint", "share", "twist_share", "aim", "aim_joint", "align"),
    *("rest_direction", "place", "humanoid", "aliases"),
)
_ROOT_JOINT = REFERENCE.names[0]


def read_rig(path: Path) -> Rig:
    """The rig in a JSON file.

    Raises:
        PluginError: the file cannot be read or is not a usable rig; the message names the file and the bone.
    """
    return parse_rig(read_json(path), str(path))


_HINT = "posewire rigs lists the bundled ones, docs/RIGS.md describes the file"


def read_json(path: Path) -> object:
    """The decoded JSON value of a file; PluginError when it cannot be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PluginError(f"The rig file {path} cannot be read.", got=error.strerror, hint=_HINT) from error
    except (ValueError, RecursionError) as error:
        raise PluginError(f"The rig file {path} is not JSON.", got=error, hint=_HINT) from error


def parse_rig(content: object, file: str) -> Rig:
    """The rig in a decoded JSON value; `file` is what errors name."""
    entry = _Entry(f"rig file {file}", content, _RIG_KEYS)
    if entry.get("posewire_rig") != VERSION:
        entry.fail("is of a version that this Posewire does not know", entry.get("posewire_rig"), f'"posewire_rig": {VERSION}')
    name_sets = entry.texts("name_sets", ("standard",))
    rig = Rig(
        name=entry.text("name"),
        summary=entry.text("summary"),
        bones=_bones(entry, name_sets),
        rest_pose=entry.choice("rest_pose", REST_POSES, "t"),
        prefixes=entry.texts("prefixes", ("",)),
        name_sets=name_sets,
    )
    _check_root(entry, rig)
    return rig


class _Entry:
    """One JSON object under checks; `where` begins every error."""

    def __init__(self, where: str, content: object, keys: tuple[str, ...]) -> None:
        self.where = where
        if not isinstance(content, dict):
            self.fail("is not a JSON object", content)
        self._content = cast("dict[str, Any]", content)
        if unknown := sorted(set(self._content) - set(keys)):
            self.fail("has an unknown key", unknown[0], keys)

    def fail(self, problem: str, got: object = None, allowed: object = None) -> NoReturn:
        raise PluginError(f"{self.where} {problem}", got=got, allowed=allowed, hint="docs/RIGS.md describes the file")

    def get(self, key: str) -> Any:
        return self._content.get(key)

    def text(self, key: str) -> str:
        value = self.get(key)
        if not isinstance(value, str) or not value:
            self.fail(f"needs a text under {key!r}", value)
        return value

    def optional_text(self, key: str) -> str | None:
        return None if self.get(key) is None else self.text(key)

    def texts(self, key: str, default: tuple[str, ...]) -> tuple[str, ...]:
        value = self.get(key)
        if value is None:
            return default
        if not isinstance(value, list) or (default and not value) or not all(isinstance(item, str) for item in value):
            self.fail(f"needs a list of texts under {key!r}", value)
        return tuple(value)

    def choice(self, key: str, allowed: tuple[Any, ...], default: Any) -> Any:
        value = default if self.get(key) is None else self.get(key)
        if value not in allowed:
            self.fail(f"has a {key!r} that is not known", value, allowed)
        return value

    def share(self, key: str) -> float:
        value = 1.0 if self.get(key) is None else self.get(key)
        if not _is_number(value) or not 0.0 <= value <= 1.0:
            self.fail(f"has a {key!r} that is not a share", value, "0 to 1")
        return float(value)

    def joint(self, key: str) -> str | None:
        return self.choice(key, (None, *REFERENCE.names), None)

    def bone(self, key: str, indices: dict[str, int]) -> int | None:
        value = self.get(key)
        if value is None:
            return None
        if not isinstance(value, str) or value not in indices:
            self.fail(f"has an unknown bone under {key!r}", value, list(indices))
        return indices[value]


def _bones(entry: _Entry, name_sets: tuple[str, ...]) -> tuple[RigBone, ...]:
    rows = entry.get("bones")
    if not isinstance(rows, list) or not rows:
        entry.fail("needs a list of bones under 'bones'", rows)
    entries = [_Entry(f"{entry.where}, bone {_label(row, i)},", row, _BONE_KEYS) for i, row in enumerate(rows)]
    indices: dict[str, int] = {}
    for index, row in enumerate(entries):
        if indices.setdefault(row.text("name"), index) != index:
            row.fail("stands there twice", row.text("name"))
    return tuple(_bone(row, index, indices, name_sets) for index, row in enumerate(entries))


def _label(row: object, index: int) -> str:
    """How errors call a bone: by its name where it has one, else by its place in the list."""
    name = cast("dict[str, object]", row).get("name") if isinstance(row, dict) else None
    return repr(name) if isinstance(name, str) else str(index)


def _bone(entry: _Entry, index: int, indices: dict[str, int], name_sets: tuple[str, ...]) -> RigBone:
    parent = entry.bone("parent", indices)
    if parent is not None and parent >= index:
        entry.fail("stands before its parent", entry.get("parent"), "a parent stands before its children")
    bone = RigBone(
        name=entry.text("name"),
        parent=-1 if parent is None else parent,
        joint=entry.joint("joint"),
        share=entry.share("share"),
        twist_share=entry.share("twist_share"),
        aim=entry.bone("aim", indices),
        aim_joint=entry.joint("aim_joint"),
        align=entry.choice("align", ALIGNS, "parent" if entry.get("aim") is None else "direction"),
        rest_direction=_direction(entry),
        place=_place(entry),
        humanoid=entry.optional_text("humanoid"),
        aliases=_aliases(entry, name_sets),
    )
    _check_bone(entry, bone)
    return bone


def _check_bone(entry: _Entry, bone: RigBone) -> None:
    """Fields that need or exclude each other."""
    if bone.aim_joint is not None and bone.aim_joint == bone.joint:
        entry.fail("points at its own joint", bone.aim_joint, "another joint under 'aim_joint'")
    if bone.share != 1.0 and bone.twist_share != 1.0:
        entry.fail("has a share and a twist_share", None, "one of them")
    if bone.aim is not None and bone.aim_joint is None:
        entry.fail("has an aim without the native joint that it stands for", None, "'aim_joint' beside 'aim'")
    if bone.twist_share != 1.0 and bone.aim_joint is None:
        entry.fail("has a twist_share without an axis", None, "'aim_joint' beside 'twist_share'")
    if bone.joint is None and (bone.aim is not None or bone.aim_joint is not None or bone.share != 1.0):
        entry.fail("has an aim or a share but no joint", None, "'joint' beside them")


def _check_root(entry: _Entry, rig: Rig) -> None:
    root = rig.bones[0]
    if root.parent != -1 or root.joint != _ROOT_JOINT or root.share != 1.0 or root.twist_share != 1.0:
        entry.fail("does not begin with the root bone", root.name, f'"parent": null, "joint": "{_ROOT_JOINT}", no share')
    for bone in rig.bones[1:]:
        if bone.parent == -1:
            entry.fail("has two bones without a parent", bone.name, "only the first bone")


def _direction(entry: _Entry) -> tuple[float, float, float] | None:
    value = entry.get("rest_direction")
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != 3 or not all(map(_is_number, value)) or not any(value):
        entry.fail("has a 'rest_direction' that is not a direction", value, "[x, y, z], model axes, not all zero")
    return float(value[0]), float(value[1]), float(value[2])


def _place(entry: _Entry) -> Place | None:
    if entry.get("place") is None:
        return None
    place = _Entry(f"{entry.where} place", entry.get("place"), ("from", "to", "at"))
    start, end = place.joint("from"), place.joint("to")
    if start is None or end is None:
        place.fail("needs two joints", None, '{"from": joint, "to": joint, "at": share}')
    return Place(start, end, place.share("at"))


def _aliases(entry: _Entry, name_sets: tuple[str, ...]) -> dict[str, str]:
    if entry.get("aliases") is None:
        return {}
    aliases = _Entry(f"{entry.where} aliases", entry.get("aliases"), name_sets[1:])
    return {name_set: aliases.text(name_set) for name_set in name_sets[1:] if aliases.get(name_set) is not None}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
