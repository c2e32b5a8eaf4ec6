"""Plain OSC for whoever has an OSC receiver and a little script: Unreal's OSC plugin, TouchDesigner, Max.

    /posewire/frame              sequence (int32, within 2^31), seconds of the capture clock, number of people
    /posewire/person/ID/bone/NAME   x y z  qx qy qz qw
    /posewire/person/ID/confidence  0 to 1, the mean of the joints
    /posewire/end                ends the frame: nothing of it is missing but what the network lost

`world` space: each joint's place in the world and its rotation there from the rest pose (T-pose). `parent` space: both
relative to the parent bone, the root's in the world.
"""

from __future__ import annotations

import time
from typing import Literal

import numpy as np

from posewire.data import FloatArray
from posewire.rigs import Rig
from posewire_gateway.axes import Axes
from posewire_gateway.moment import Moment, PersonNow
from posewire_gateway.osc import Template, bundles, fill_rows, message
from posewire_gateway.people import Choice, Places
from posewire_gateway.rigs import OnRig
from posewire_gateway.targets import Datagrams, Target, told

Space = Literal["world", "parent"]
SPACES: tuple[Space, ...] = ("world", "parent")
DEFAULT_PORT = 9000
_MOST_KNOWN = 256


class GenericOsc:
    """Sends people as plain OSC.

    Args:
        target: The receiver.
        choice: Whom to send.
        axes: The receiver's axes and unit.
        space: What a bone's numbers are relative to.
        rig: A rig instead of the native skeleton.
    """

    def __init__(self, target: Target, choice: Choice, axes: Axes, space: Space, rig: Rig | None = None) -> None:
        self._datagrams = Datagrams(target)
        self._places = Places(choice)
        self._axes, self._space = axes, space
        self._on_rig = None if rig is None else OnRig(rig)
        self._templates: dict[tuple[int, tuple[str, ...]], list[Template]] = {}

    def send(self, moment: Moment) -> None:
        """One frame with everybody in it."""
        chosen = moment.with_people(tuple(self._places.assign(moment.people, time.monotonic()).values()))
        if self._on_rig is not None:
            chosen = self._on_rig(chosen)
        messages = [message("/posewire/frame", chosen.message.sequence & 0x7FFFFFFF, *_times(chosen))]
        for row, person in enumerate(chosen.people):
            messages += self._person(chosen, row, person)
        self._datagrams.send(bundles([*messages, _END]))

    def lost(self) -> None:
        """Frames stop; OSC has no word for it."""

    def status(self) -> str:
        """Where it goes."""
        return f"osc ({self._axes.name} axes, {self._space}) to {told(self._datagrams)}"

    def close(self) -> None:
        """Closes the port."""
        self._datagrams.close()

    def _person(self, moment: Moment, row: int, person: PersonNow) -> list[bytes]:
        positions_m, rotations = self._bones(moment, row, person)
        rows = np.concatenate([self._axes.points(positions_m), self._axes.rotations_xyzw(rotations)], axis=1)
        person_id = person.pose.person_id
        confidence = message(f"/posewire/person/{person_id}/confidence", float(person.pose.confidence.mean()))
        return [*fill_rows(self._of(person_id, moment.subject.names), rows), confidence]

    def _bones(self, moment: Moment, row: int, person: PersonNow) -> tuple[FloatArray, FloatArray]:
        """Positions (N, 3) in metres and rotations (N, 4) in the asked space, native axes."""
        if self._space == "world":
            W, x = moment.world
            return x[row], W[row]
        positions_m = person.skeleton.offsets_m.copy()
        positions_m[0] = person.pose.root_m
        return positions_m, person.pose.rotations_wxyz

    def _of(self, person_id: int, names: tuple[str, ...]) -> list[Template]:
        if len(self._templates) > _MOST_KNOWN:
            self._templates.clear()
        key = (person_id, names)
        if key not in self._templates:
            address = f"/posewire/person/{person_id}/bone/"
            self._templates[key] = [Template(address + name, floats=7) for name in names]
        return self._templates[key]


_END = message("/posewire/end")


def _times(moment: Moment) -> tuple[float, int]:
    return float(moment.message.media_time_s), len(moment.message.people)
