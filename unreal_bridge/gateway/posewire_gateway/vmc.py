"""VMC performer: the protocol of Virtual Motion Capture, for VSeeFace, Warudo, EVMC4U, Godot and many more.

Unity's axes and bone names. One receiver shows one character, so each person goes to a port of their own: the place
of the person added to the port of the target. A frame:

    /VMC/Ext/OK        loaded 1, calibrated 3, calibration mode 0, tracking 1 or 0 (nobody is seen)
    /VMC/Ext/T         seconds of the capture clock
    /VMC/Ext/Root/Pos  "root" x y z  qx qy qz qw: at the origin, unturned; Hips carries the place
    /VMC/Ext/Bone/Pos  NAME x y z  qx qy qz qw: relative to the parent, as on a normalised VRM humanoid
    /VMC/Ext/Blend/Apply   without values: some receivers move only then
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from posewire.data import FloatArray
from posewire.errors import SettingsError
from posewire.rigs import Rig, load_rig
from posewire_gateway.axes import UNITY
from posewire_gateway.moment import Moment
from posewire_gateway.osc import Frame, Template, message
from posewire_gateway.people import Choice, Places
from posewire_gateway.rigs import OnRig
from posewire_gateway.targets import Datagrams, Target, told

DEFAULT_PORT = 39539
_LAST_PORT = 65535
_TRACKING = message("/VMC/Ext/OK", 1, 3, 0, 1)
_NOT_TRACKING = message("/VMC/Ext/OK", 1, 3, 0, 0)
_TIME = Template("/VMC/Ext/T", floats=1)
_ROOT = message("/VMC/Ext/Root/Pos", "root", 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)
_APPLY = message("/VMC/Ext/Blend/Apply")


def vmc_rig(without: Sequence[str] = ()) -> Rig:
    """The VRM humanoid under Unity's bone names, less the bones that a character lacks: their share goes to the others.

    Raises:
        SettingsError: there is no such bone, or it is one that every character has.
    """
    rig = load_rig("vrm")
    names = [bone.aliases["unity"] for bone in rig.bones]
    if unknown := sorted(set(without) - set(names[1:])):
        hint = "--without UpperChest"
        raise SettingsError("--without names a bone that VMC does not know.", got=unknown, allowed=names[1:], hint=hint)
    kept = [b for b, name in enumerate(names) if name not in without]
    parents: list[int] = []
    for b in kept:
        parent = rig.bones[b].parent
        while parent >= 0 and parent not in kept:
            parent = rig.bones[parent].parent
        parents.append(kept.index(parent) if parent >= 0 else -1)
    return rig.bind([names[b] for b in kept], parents, name_set="unity")


class VmcPerformer:
    """Sends people as VMC.

    Args:
        target: Receiver of the first person; the next one's is at the next port.
        choice: Whom to send.
        without: Bones that the characters lack, Unity's names.

    Raises:
        SettingsError: there is no such bone, or there are more people than ports from the target's on.
    """

    def __init__(self, target: Target, choice: Choice, without: Sequence[str] = ()) -> None:
        last = _LAST_PORT - (choice.places - 1)
        if target.port > last:
            allowed = f"a port up to {last}: each of {choice.places} people has one"
            raise SettingsError("The ports for so many people go too far.", got=target, allowed=allowed, hint="--people first")
        self._on_rig = OnRig(vmc_rig(without))
        self._driven = self._on_rig.driven
        bones = [Template("/VMC/Ext/Bone/Pos", self._on_rig.rig.names[b], floats=7) for b in self._driven]
        self._tracked = Frame([_TRACKING, _TIME, _ROOT, *bones, _APPLY])
        self._untracked = Frame([_NOT_TRACKING, _TIME])
        self._target = target
        self._places = Places(choice)
        self._ports: dict[int, Datagrams] = {0: Datagrams(target)}
        self._time_s = 0.0

    def send(self, moment: Moment) -> None:
        """One frame for each person, and word that nobody is there for each place whose person is unseen."""
        self._time_s = moment.message.media_time_s
        assigned = self._places.assign(moment.people, time.monotonic())
        if assigned:
            on_rig = self._on_rig(moment.with_people(tuple(assigned.values())))
            rows = bone_rows(on_rig.offsets_m, on_rig.roots_m, on_rig.rotations_wxyz)[:, self._driven]
            for place, person in zip(assigned, rows.reshape(len(rows), -1), strict=True):
                self._port(place).send(self._tracked.fill(np.append(self._time_s, person)))
        self._say_untracked(set(self._ports) - set(assigned))

    def lost(self) -> None:
        """Nobody is tracked any more."""
        self._say_untracked(set(self._ports))

    def status(self) -> str:
        """Where the people go."""
        return f"vmc to {told(*(port for _, port in sorted(self._ports.items())))}"

    def close(self) -> None:
        """Closes every port."""
        for port in self._ports.values():
            port.close()

    def _say_untracked(self, places: set[int]) -> None:
        for place in places:
            self._ports[place].send(self._untracked.fill(self._time_s))

    def _port(self, place: int) -> Datagrams:
        if place not in self._ports:
            self._ports[place] = Datagrams(Target(self._target.host, self._target.port + place))
        return self._ports[place]


def bone_rows(offsets_m: FloatArray, root_m: FloatArray, rotations_wxyz: FloatArray) -> FloatArray:
    """(..., B, 7) x y z qx qy qz qw of every bone in its parent's axes, Unity's."""
    positions_m = np.array(offsets_m)
    positions_m[..., 0, :] = root_m
    return np.concatenate([UNITY.points(positions_m), UNITY.rotations_xyzw(rotations_wxyz)], axis=-1)
