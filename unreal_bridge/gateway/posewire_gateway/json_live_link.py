"""JSON over UDP for Epic's separate JSON Live Link sample plugin: one datagram, and one subject, for each person.

    {"NAME": {"Bone": [{"Name", "Parent", "Location": [x, y, z], "Rotation": [x, y, z, w], "Scale": [1, 1, 1]}, ...],
              "Parameter": [{"Name", "Value"}, ...]}}

Locations in centimetres and rotations are relative to the parent bone, Unreal's axes. Every bone's axes are the model's at
rest: a mesh whose bones are turned at rest needs the rest-pose correction of the compiled plugin, or Unreal's own retargeting.
"""

from __future__ import annotations

import json
import time
from functools import lru_cache
from typing import Any

import numpy as np

from posewire.rigs import Rig
from posewire_gateway.axes import UNREAL
from posewire_gateway.moment import Moment, PersonNow
from posewire_gateway.people import Choice, Places
from posewire_gateway.rigs import OnRig
from posewire_gateway.targets import Datagrams, Target, told

DEFAULT_PORT = 54321
_CONTACTS = ("left_heel_contact", "left_toe_contact", "right_heel_contact", "right_toe_contact")


class JsonLiveLink:
    """Sends people as Live Link subjects in JSON.

    Args:
        target: The receiver.
        choice: Whom to send.
        rig: A rig, for its bone names, instead of the native skeleton.
    """

    def __init__(self, target: Target, choice: Choice, rig: Rig | None = None) -> None:
        self._datagrams = Datagrams(target)
        self._places = Places(choice)
        self._on_rig = None if rig is None else OnRig(rig)

    def send(self, moment: Moment) -> None:
        """One datagram for each person."""
        chosen = moment.with_people(tuple(self._places.assign(moment.people, time.monotonic()).values()))
        if self._on_rig is not None:
            chosen = self._on_rig(chosen)
        subject = chosen.subject
        bones, names = engine_names(subject.names), engine_names(tuple(person.name for person in chosen.people))
        people = [_person(person, name, bones, subject.parents) for person, name in zip(chosen.people, names, strict=True)]
        self._datagrams.send([json.dumps(person, separators=(",", ":"), allow_nan=False).encode() for person in people])

    def lost(self) -> None:
        """Datagrams stop; Live Link then shows the subject as stale by itself."""

    def status(self) -> str:
        """Where it goes."""
        return f"json to {told(self._datagrams)}"

    def close(self) -> None:
        """Closes the port."""
        self._datagrams.close()


@lru_cache(maxsize=64)
def engine_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names, all unlike each other to Unreal, which sees no upper and lower case and takes "None" and "" for no name.

    Those that are good keep theirs; the others get a `_` for each one that is there already, as in the compiled plugin.
    """
    taken = {"", "none"}
    said: dict[int, str] = {}
    for place, name in enumerate(names):
        if name.casefold() not in taken:
            said[place] = name
            taken.add(name.casefold())
    for place, name in enumerate(names):
        free = said.get(place, name)
        while place not in said and free.casefold() in taken:
            free += "_"
        said[place] = free
        taken.add(free.casefold())
    return tuple(said[place] for place in range(len(names)))


def _person(person: PersonNow, name: str, bone_names: tuple[str, ...], parents: tuple[int, ...]) -> dict[str, Any]:
    positions_m = person.skeleton.offsets_m.copy()
    positions_m[0] = person.pose.root_m
    locations = UNREAL.points(positions_m).round(4).tolist()
    rotations = UNREAL.rotations_xyzw(person.pose.rotations_wxyz).round(7).tolist()
    bones = [
        {"Name": bone, "Parent": parent, "Location": location, "Rotation": turn, "Scale": [1, 1, 1]}
        for bone, parent, location, turn in zip(bone_names, parents, locations, rotations, strict=True)
    ]
    return {name: {"Bone": bones, "Parameter": _parameters(person)}}


def _parameters(person: PersonNow) -> list[dict[str, Any]]:
    """Confidence and ground contacts as curves; -1 = not estimated, for curves have no NaN."""
    values = {"confidence": float(person.pose.confidence.mean())}
    values |= dict(zip(_CONTACTS, np.nan_to_num(person.pose.contacts, nan=-1.0).tolist(), strict=True))
    return [{"Name": name, "Value": round(value, 4)} for name, value in values.items()]
