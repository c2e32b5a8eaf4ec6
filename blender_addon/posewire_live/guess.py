# SPDX-License-Identifier: GPL-3.0-or-later
"""Characters whose names no preset knows: what a name says, and which bone hangs on which. No Blender here.

Arms and legs are read from their names, in whatever spelling (UpperArm.L, l_thigh, CC_Base_R_Forearm, lShldrBend). The trunk
is not: what carries both legs and both arms is the pelvis, what carries both arms the chest.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from .mapping import Rig

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_A-Za-z]+")
"""Words of a name: at capitals, digits and signs a new one begins; Japanese is one word."""
_SIDES = {"l": "left_", "left": "left_", "左": "left_", "r": "right_", "right": "right_", "右": "right_"}
_SILENT = {"b", "base", "bend", "bind", "bip", "biped", "bone", "c", "def", "deform", "fk", "j", "jnt", "joint", "stretch", "x"}
"""Words that say nothing of the part; so does a first word that most bones have."""
_HELPERS = {"ik", "mch", "org", "pole", "target", "tweak", "twist", "roll", "helper", "end", "nub", "vis", "widget", "ctrl"}
"""Words of bones that stand for no part of a body, or follow another bone."""
_UPPER = {"upperarm", "uparm", "arm", "armupper", "shldr", "humerus", "腕"}
_LOWER = {"forearm", "lowerarm", "lowarm", "armlower", "elbow", "ひじ", "肘"}
_END = {"hand", "wrist", "手首"}
_COLLAR = {"clavicle", "collar", "collarbone", "clav", "肩"}
_THIGH = {"thigh", "upperleg", "upleg", "legupper", "hip", "femur", "足"}
_SHIN = {"shin", "calf", "lowerleg", "lowleg", "leglower", "knee", "shank", "ひざ", "膝"}
_FOOT = {"foot", "ankle", "足首"}
_TOE = {"toe", "toes", "toebase", "ball", "つま先"}
_NECK, _HEAD = {"neck", "necklower", "首"}, {"head", "skull", "頭"}
_ARMS = ((_UPPER, _LOWER, _END), (_UPPER | {"shoulder"}, _LOWER, _END))
_LEGS = ((_THIGH, _SHIN | {"leg"}, _FOOT), ({"leg"}, _SHIN, _FOOT))
"""What the three parts of a limb may be called; of several ways the first that is found whole."""
_CENTRE = ("pelvis", "spine", "chest", "neck", "head")
_ARM, _LEG = ("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle")
JOINTS = (*_CENTRE, *(side + joint for side in ("left_", "right_") for joint in ("clavicle", *_ARM, *_LEG, "toe")))
"""Native joints that can be found."""
_OWN = "own"


def rig_of(native: Rig, names: Sequence[str], parents: Sequence[int], passed_over: Iterable[str] = ()) -> Rig | None:
    """Posewire's own preset with this character's names; None where arms and legs are not all understood.

    Args:
        names: Of B bones, parents first.
        parents: (B,) rows; -1 = none.
        passed_over: Bones that something else moves: another of the same name is taken where there is one.
    """
    free = _Tree(names, parents, frozenset(passed_over)).joints()
    found = free or _Tree(names, parents, frozenset()).joints()
    if not found:
        return None
    # A part that was not found keeps Posewire's name for it: it counts as missing, and can be picked.
    bones = (replace(b, aliases={_OWN: found.get(b.joint, b.name)} if b.joint in JOINTS else {}) for b in native.bones)
    return replace(native, name="similar names", bones=tuple(bones), name_sets=("native", _OWN))


class _Tree:
    """The bones of a character by what their names say."""

    def __init__(self, names: Sequence[str], parents: Sequence[int], passed_over: frozenset[str]) -> None:
        self._names = names
        self._carriers: list[tuple[int, ...]] = []
        """(B,) of each bone: itself and all that carry it, nearest first."""
        for row, parent in enumerate(parents):
            self._carriers.append((row, *(self._carriers[parent] if parent >= 0 else ())))
        self._said: dict[tuple[str, str], list[int]] = {}
        """By side ("" = none) and part: the bones that say so."""
        words = [_words(name) for name in names]
        silent = _SILENT | {first for first, times in Counter(one[0] for one in words if one).items() if 2 * times > len(names)}
        for row, name in enumerate(names):
            if name not in passed_over and _HELPERS.isdisjoint(words[row]):
                sides = [_SIDES[word] for word in words[row] if word in _SIDES]
                part = "".join(word for word in words[row] if word not in _SIDES and word not in silent)
                self._said.setdefault((sides[0] if sides else "", part), []).append(row)

    def joints(self) -> dict[str, str]:
        """By native joint: the bone; empty where a limb is missing or the limbs hang on nothing common."""
        limbs: dict[str, int] = {}
        more: dict[str, int | None] = {}
        for side in ("left_", "right_"):
            arm = next(filter(None, (self._chain(side, parts) for parts in _ARMS)), None)
            leg = next(filter(None, (self._chain(side, parts) for parts in _LEGS)), None)
            if arm is None or leg is None:
                return {}
            limbs |= {side + joint: row for joint, row in zip((*_ARM, *_LEG), (*arm, *leg), strict=True)}
            collars = self._called(side, _COLLAR | {"shoulder"})
            more[side + "clavicle"] = next((row for row in self._carriers[arm[0]][1:] if row in collars), None)
            more[side + "toe"] = self._first_on(leg[2], self._called(side, _TOE | _FOOT))
        trunk = self._trunk(limbs)
        found = {**trunk, **limbs, **more} if trunk else {}
        return {joint: self._names[row] for joint, row in found.items() if row is not None}

    def _trunk(self, limbs: Mapping[str, int]) -> dict[str, int | None]:
        chest = self._carrying(limbs["left_shoulder"], limbs["right_shoulder"])
        pelvis = self._carrying(chest, limbs["left_hip"], limbs["right_hip"])
        if pelvis is None or chest is None or {chest, pelvis} & set(limbs.values()):
            return {}
        head, neck = (self._first_on(chest, self._called("", words)) for words in (_HEAD, _NECK))
        if neck is None and head is not None:
            neck = next(iter(self._between(chest, head)), None)
        spine = next(iter(self._between(pelvis, chest)), None)
        return {"pelvis": pelvis, "spine": spine, "chest": chest if chest != pelvis else None, "neck": neck, "head": head}

    def _first_on(self, carrier: int, rows: Sequence[int]) -> int | None:
        """The first of these that this bone carries."""
        return next((row for row in rows if carrier in self._carriers[row][1:]), None)

    def _between(self, low: int, high: int) -> list[int]:
        """Those that `low` carries and that carry `high`, from below."""
        below = self._carriers[high]
        return list(reversed(below[1 : below.index(low)])) if high != low else []

    def _carrying(self, *rows: int | None) -> int | None:
        """The nearest that carries all of them."""
        if None in rows:
            return None
        ways = [self._carriers[row] for row in rows if row is not None]
        return next((row for row in ways[0] if all(row in way for way in ways)), None)

    def _chain(self, side: str, parts: Sequence[set[str]], above: int | None = None) -> tuple[int, ...] | None:
        """One bone for each part, each carried by the one before; of several the nearest to the trunk."""
        if not parts:
            return ()
        for row in self._called(side, parts[0]):
            if above is None or above in self._carriers[row][1:]:
                rest = self._chain(side, parts[1:], row)
                if rest is not None:
                    return (row, *rest)
        return None

    def _called(self, side: str, words: set[str]) -> list[int]:
        """Those with these names, the nearest to the trunk first."""
        rows = [row for word in words for row in self._said.get((side, word), [])]
        return sorted(rows, key=lambda row: (len(self._carriers[row]), row))


def _words(name: str) -> list[str]:
    """Of a bone, in small letters; a Japanese one without the sign of its side, which is a word of its own."""
    words = [word.lower() for word in _WORD.findall(name)]
    return [part for word in words for part in ((word[0], word[1:]) if word[0] in "左右" else (word,)) if part]
