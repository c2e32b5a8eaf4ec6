"""Brings people from in front of a camera onto a receiver's floor.

Without calibration the world stands at the camera: a person is metres away and the floor somewhere below. A character
would be far off and sunk into the ground. `Placing` moves everybody by one vector: the first person's pelvis starts over the
origin, and the lowest foot of the last while stands on y = 0.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from posewire.data import FloatArray
from posewire_gateway.moment import Moment

Place = Literal["auto", "stream", "floor"]
PLACES: tuple[Place, ...] = ("auto", "stream", "floor")
"""auto: floor while the camera is only assumed, else stream. stream: as the engine says. floor: as described above."""

_SOLES = ("left_heel", "left_toe", "right_heel", "right_toe")
_SINK_M_S = 0.5
"""How fast the floor goes down to a foot below it: a false step must not throw everybody into the air."""
_RISE_M_S = 0.05
"""How fast it comes up to feet above it: slow, so that a jump stays a jump."""
_LONGEST_STEP_S = 0.5
"""After a pause the floor goes on from where it was."""


class Placing:
    """Moves moments; remembers the place of a session. Belongs to one thread."""

    def __init__(self, place: Place = "auto") -> None:
        self._place = place
        self._session = ""
        self._time_s = 0.0
        self._origin_m: FloatArray | None = None

    def __call__(self, moment: Moment) -> Moment:
        """The moment on the receiver's floor."""
        if self._place == "stream" or (self._place == "auto" and moment.subject.camera_origin != "assumed"):
            return moment
        if moment.message.session != self._session:
            self._session, self._origin_m = moment.message.session, None
        if moment.people:
            self._update(moment)
        return moment if self._origin_m is None else moment.moved(-self._origin_m)

    def _update(self, moment: Moment) -> None:
        lowest_m = self._lowest_sole_m(moment)
        elapsed_s = min(max(moment.message.media_time_s - self._time_s, 0.0), _LONGEST_STEP_S)
        self._time_s = moment.message.media_time_s
        if self._origin_m is None:
            x, _, z = moment.people[0].pose.root_m
            self._origin_m = np.array([x, lowest_m, z])
            return
        step_m = np.clip(lowest_m - self._origin_m[1], -_SINK_M_S * elapsed_s, _RISE_M_S * elapsed_s)
        self._origin_m = self._origin_m + np.array([0.0, step_m, 0.0])

    @staticmethod
    def _lowest_sole_m(moment: Moment) -> float:
        """Height of the lowest of all soles; of all joints where the skeleton has no feet."""
        _, positions_m = moment.world
        soles = [b for b, name in enumerate(moment.subject.names) if name in _SOLES]
        return float(positions_m[:, soles or slice(None), 1].min())
