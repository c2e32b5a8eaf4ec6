"""A target rig: its bones, what drives each of them, and how its names are found again in a client's character."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

from posewire.errors import PluginError

Align = Literal["direction", "heading", "parent", "none"]
ALIGNS: tuple[Align, ...] = ("direction", "heading", "parent", "none")
RestPose = Literal["t", "a", "unknown"]
REST_POSES: tuple[RestPose, ...] = ("t", "a", "unknown")


class Place(NamedTuple):
    """A point of the native rest pose: the share `at` of the way between two joints."""

    start: str
    end: str
    at: float


@dataclass(frozen=True, slots=True)
class RigBone:
    """One bone of a rig. A bone without a joint keeps its rest pose relative to its parent."""

    name: str
    parent: int
    """Index of the parent, -1 for none."""
    joint: str | None = None
    """The native joint that turns the bone."""
    share: float = 1.0
    """Share of that joint's rotation, when several bones share it."""
    twist_share: float = 1.0
    """Share of the twist in that joint's rotation about the line to `aim_joint`; the swing is taken whole."""
    aim: int | None = None
    """The bone whose head this bone points to."""
    aim_joint: str | None = None
    """The native joint that stands for the point where this bone ends."""
    align: Align = "parent"
    """How the target's rest pose is brought to the native rest pose at this bone (see rest.alignments)."""
    rest_direction: tuple[float, float, float] | None = None
    """Where the bone points at rest, model axes; None = as in the native rest pose, or known only at the client."""
    place: Place | None = None
    """Where the bone starts on the native rest pose; None = at its joint, or at its parent when it has none."""
    humanoid: str | None = None
    """The bone's name in the VRM humanoid."""
    aliases: Mapping[str, str] = field(default_factory=dict[str, str])
    """The bone's name in each name set but the first."""

    @property
    def is_main(self) -> bool:
        """A joint turns it, and it is no mere twist helper: characters of the rig are expected to have it."""
        return self.joint is not None and (self.twist_share == 1.0 or self.aim is not None)


@dataclass(frozen=True, slots=True, eq=False)
class Rig:
    """A tree of B bones, parents before children."""

    name: str
    summary: str
    bones: tuple[RigBone, ...]
    root: int = 0
    """Index of the bone that carries the body's place."""
    rest_pose: RestPose = "t"
    prefixes: tuple[str, ...] = ("",)
    """What may stand before every name; '#' stands for digits. The first is the usual one."""
    name_sets: tuple[str, ...] = ("standard",)
    """The first is the set of RigBone.name, the others those of RigBone.aliases."""

    @property
    def names(self) -> tuple[str, ...]:
        """(B,) bone names with the usual prefix."""
        return tuple(self.prefixes[0] + bone.name for bone in self.bones)

    @property
    def parents(self) -> tuple[int, ...]:
        """(B,) parent indices, -1 = none."""
        return tuple(bone.parent for bone in self.bones)

    @property
    def main_bones(self) -> int:
        """How many main bones there are."""
        return sum(bone.is_main for bone in self.bones)

    def match(self, names: Sequence[str], name_set: str | None = None) -> tuple[int | None, ...]:
        """(B,) where each bone stands in a character's list of names; None = not there.

        Every pair of a name set (or only the one asked) and a prefix is tried; the one that finds the most main bones
        wins, the earlier one among equals. Upper and lower case are the same.
        """
        tries = [_find(bare, names, prefix) for bare in self._name_table(name_set) for prefix in self.prefixes]
        return max(tries, key=self._main_found)

    def coverage(self, names: Sequence[str], name_set: str | None = None) -> float:
        """0..1 share of the main bones that `match` finds: how well a character fits this rig."""
        most = max(self._main_found(bare) for bare in self._name_table(name_set))
        return self._main_found(self.match(names, name_set)) / most

    def bind(self, names: Sequence[str], parents: Sequence[int], name_set: str | None = None) -> Rig:
        """This rig on a character's own bones: its order, its tree, its names; bones unknown here keep their rest pose.

        Where the last bones of a shared rotation are missing, those that are there share it among them.

        Raises:
            PluginError: the bone for the pelvis is missing, or a parent comes after its child.
        """
        found = self.match(names, name_set)
        root = found[self.root]
        if root is None:
            wanted = [f"{prefix}{self.bones[self.root].name}" for prefix in self.prefixes]
            raise PluginError(f"the character has no root bone of rig {self.name!r}", got=list(names)[:8], allowed=wanted)
        if any(parent >= child for child, parent in enumerate(parents)):
            raise PluginError("the character's bones are not in order", allowed="every parent before its children")
        mine = {there: here for here, there in enumerate(found) if there is not None}
        growth = self._share_growth(found)
        bones = [
            self._bound_bone(self.bones[mine[i]], found, growth) if i in mine else RigBone(name, -1)
            for i, name in enumerate(names)
        ]
        bones = [replace(bone, name=name, parent=parent) for bone, name, parent in zip(bones, names, parents, strict=True)]
        return replace(self, bones=tuple(bones), root=root, prefixes=("",), name_sets=("standard",))

    def _name_table(self, name_set: str | None) -> list[list[str | None]]:
        """Bare names of all bones, a row for each name set that may be tried."""
        if name_set is not None and name_set not in self.name_sets:
            raise PluginError(f"rig {self.name!r} has no such name set", got=name_set, allowed=self.name_sets)
        own: list[str | None] = [bone.name for bone in self.bones]
        rows = {self.name_sets[0]: own} | {key: [bone.aliases.get(key) for bone in self.bones] for key in self.name_sets[1:]}
        return list(rows.values()) if name_set is None else [rows[name_set]]

    def _main_found(self, entries: Sequence[object | None]) -> int:
        """How many of the main bones have an entry."""
        return sum(entry is not None and bone.is_main for entry, bone in zip(entries, self.bones, strict=True))

    def _share_growth(self, found: Sequence[int | None]) -> dict[str, float]:
        """By joint: the largest share in the file over the largest share among the bones that were found."""
        every: dict[str, float] = {}
        there: dict[str, float] = {}
        for bone, place in zip(self.bones, found, strict=True):
            if bone.joint is not None:
                every[bone.joint] = max(bone.share, every.get(bone.joint, 0.0))
                if place is not None:
                    there[bone.joint] = max(bone.share, there.get(bone.joint, 0.0))
        return {joint: every[joint] / share for joint, share in there.items() if share > 0.0}

    def _bound_bone(self, bone: RigBone, found: Sequence[int | None], growth: Mapping[str, float]) -> RigBone:
        aim = None if bone.aim is None else found[bone.aim]
        return replace(bone, aim=aim, share=bone.share * growth.get(bone.joint or "", 1.0), aliases={})


def _find(bare_names: Sequence[str | None], names: Sequence[str], prefix: str) -> tuple[int | None, ...]:
    pattern = re.compile(re.escape(prefix.lower()).replace(r"\#", "[0-9]+"))
    there: dict[str, int] = {}
    for index, name in enumerate(names):
        if start := pattern.match(name.lower()):
            there.setdefault(name.lower()[start.end() :], index)
    return tuple(None if bare is None else there.get(bare.lower()) for bare in bare_names)
