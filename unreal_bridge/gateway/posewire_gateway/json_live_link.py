"""JSON over UDP for Epic's separate JSON Live Link sample plugin: one datagram, and one subject, for each person.

    {"NAME": {"Bone": [{"Name", "Parent", "Location": [x, y, z], "Rotation": [x, y, z, w], "Scale": [1, 1, 1]}, ...],
              "Parameter": [{"Name", "Value"}, ...]}}

Locations in centimetres and rotations are relative to the parent bone, Unreal's axes. Every bone's axes are the model's at
rest: a mesh whose bones are turned at rest needs the rest-pose correction of the compiled plugin, or Unreal's own retargeting.
"""

from __future__ import annotations

import json
import time
from typing import Any

import numpy as np

from posewire.rigs import Rig
from posewire_gateway.axes import UNREAL
from posewire_gateway.moment import Moment, PersonNow
from posewire_gateway.people import Choice, Places
from posewire_gateway.rigs import OnRig
from posewire_gateway.targets import Datagrams, Target

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
        people = [_person(person, subject.names, subject.parents) for person in chosen.people]
        self._datagrams.send([json.dumps(person, separators=(",", ":"), allow_nan=False).encode() for person in people])

    def lost(self) -> None:
        """Datagrams stop; Live Link then shows the subject as stale by itself."""

    def status(self) -> str:
        """Where it goes."""
        return f"json to {self._datagrams.target}"

    def close(self) -> None:
        """Closes the port."""
        self._datagrams.close()


def _person(person: PersonNow, names: tuple[str, ...], parents: tuple[int, ...]) -> dict[str, Any]:
    positions_m = person.skeleton.offsets_m.copy()
    positions_m[0] = person.pose.root_m
    locations = UNREAL.points(positions_m).round(4).tolist()
    rotations = UNREAL.rotations_xyzw(person.pose.rotations_wxyz).round(7).tolist()
    bones = [
        {"Name": name, "Parent": parent, "Location": location, "Rotation": turn, "Scale": [1, 1, 1]}
        for name, parent, location, turn in zip(names, parents, locations, rotations, strict=True)
    ]
    return {person.name: {"Bone": bones, "Parameter": _parameters(person)}}


def _parameters(person: PersonNow) -> list[dict[str, Any]]:
    """Confidence and ground contacts as curves; -1 = not estimated, for curves have no NaN."""
    values = {"confidence": float(person.pose.confidence.mean())}
    values |= dict(zip(_CONTACTS, np.nan_to_num(person.pose.contacts, nan=-1.0).tolist(), strict=True))
    return [{"Name": name, "Value": round(value, 4)} for name, value in values.items()]
