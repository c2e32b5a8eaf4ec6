"""OSC trackers as VRChat takes them: full-body tracking without trackers, beside a headset.

    /tracking/trackers/N/position   x y z, metres, Unity's axes
    /tracking/trackers/N/rotation   Euler angles x y z in degrees, applied z, x, y
    /tracking/trackers/head/...     the same for the head: the receiver lays our space over the headset's with it

N is 1 to 8 in the order of TRACKERS, always the same for the same body part; the receiver finds out which is which
when the player calibrates.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from posewire import rotation
from posewire.data import FloatArray
from posewire.errors import SettingsError, WireError
from posewire.skeleton import MARKERS, REFERENCE, Skeleton
from posewire_gateway.axes import UNITY, unity_euler_deg
from posewire_gateway.moment import Moment
from posewire_gateway.osc import Template, bundles, fill_rows
from posewire_gateway.people import Choice, Places
from posewire_gateway.targets import Datagrams, Target, told

DEFAULT_PORT = 9000
TRACKERS = {
    "hip": "pelvis",
    "chest": "chest",
    "left_foot": "left_ankle",
    "right_foot": "right_ankle",
    "left_knee": "left_knee",
    "right_knee": "right_knee",
    "left_elbow": "left_elbow",
    "right_elbow": "right_elbow",
}
"""Body part to native joint; its place in this table, from 1, is the tracker's number."""
HEAD = "head"
_EYES_M = 0.5 * np.add(MARKERS["left_eye"].offset_m, MARKERS["right_eye"].offset_m)
"""(3,) between the eyes, where a headset's origin is; head axes of the reference skeleton."""


def parse_trackers(text: str) -> tuple[str, ...]:
    """Body parts with commas between.

    Raises:
        SettingsError: one is not known.
    """
    parts = tuple(part.strip() for part in text.split(","))
    allowed = (*TRACKERS, HEAD)
    if not set(parts) <= set(allowed):
        hint = "--trackers hip,left_foot,right_foot"
        raise SettingsError("--trackers names an unknown body part.", got=text, allowed=allowed, hint=hint)
    return parts


class OscTrackers:
    """Sends one person as OSC trackers.

    Args:
        target: The receiver.
        choice: Whom to send; only the first place is used, because the receiver has one body.
        parts: Body parts: names of TRACKERS, and head.
    """

    def __init__(self, target: Target, choice: Choice, parts: Sequence[str] = (*TRACKERS, HEAD)) -> None:
        self._datagrams = Datagrams(target)
        self._places = Places(choice)
        self._joints = [TRACKERS.get(part, HEAD) for part in parts]
        self._has_head = [part == HEAD for part in parts]
        names = [HEAD if part == HEAD else str(list(TRACKERS).index(part) + 1) for part in parts]
        self._positions = [Template(f"/tracking/trackers/{name}/position", floats=3) for name in names]
        self._rotations = [Template(f"/tracking/trackers/{name}/rotation", floats=3) for name in names]

    def send(self, moment: Moment) -> None:
        """The trackers of the person at the first place; nothing while nobody is there."""
        person = self._places.assign(moment.people, time.monotonic()).get(0)
        if person is None:
            return
        chosen = moment.with_people((person,))
        positions_m, rotations = self._trackers(chosen, person.skeleton)
        euler_deg = unity_euler_deg(UNITY.rotations_xyzw(rotations))
        messages = [*fill_rows(self._positions, UNITY.points(positions_m)), *fill_rows(self._rotations, euler_deg)]
        self._datagrams.send(bundles(messages))

    def lost(self) -> None:
        """Trackers stop where they are: the receiver's own rule."""

    def status(self) -> str:
        """Where it goes."""
        return f"trackers to {told(self._datagrams)}"

    def close(self) -> None:
        """Closes the port."""
        self._datagrams.close()

    def _trackers(self, moment: Moment, skeleton: Skeleton) -> tuple[FloatArray, FloatArray]:
        """Positions (K, 3) and rotations (K, 4) in the world, native axes."""
        if lacking := sorted({HEAD, *self._joints} - set(moment.subject.names)):
            got = f"no {', '.join(lacking)}"
            raise WireError("The stream's skeleton is not Posewire's own.", got=got, allowed=REFERENCE.names)
        W, x = moment.world
        at = [moment.subject.names.index(joint) for joint in self._joints]
        positions_m, rotations = x[0, at], W[0, at]
        head = moment.subject.names.index(HEAD)
        size = skeleton.bone_lengths_m[head] / REFERENCE.bone_lengths_m[REFERENCE.index(HEAD)]
        eyes_m = rotation.rotate(rotations, size * _EYES_M)
        return positions_m + np.where(np.array(self._has_head)[:, None], eyes_m, 0.0), rotations
