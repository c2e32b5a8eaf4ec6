# SPDX-License-Identifier: GPL-3.0-or-later
"""What a recording under way holds: numbers only, which outlive the characters that they were made on."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from . import ground
from .actions import Channels
from .protocol import PersonPose, Subject
from .recorder import CaptureClock, Recorder
from .stream import Received


@dataclass
class Tape:
    """One character's part of a recording."""

    character: str
    """Name of the armature object."""
    channels: Channels
    recorder: Recorder
    started_s: float
    """Of the recording's clock, when this character joined it."""


@dataclass
class Recording:
    """A recording under way."""

    start_frame: int
    scene: str
    """Name of the one in which it began: its rate and its choices count."""
    clock: CaptureClock = field(default_factory=CaptureClock)
    time_s: float = 0.0
    """Of its newest sample."""
    tapes: dict[tuple[int, tuple[str, ...]], Tape] = field(default_factory=dict)
    """By the armature's session id and the bones that move."""
    began: Subject | None = None
    """What the stream said with the first sample."""

    def in_its_world(self, received: Received) -> Received:
        """Where the engine finds the floor meanwhile the world moves there: a recording stays in its own, and nobody jumps."""
        began, now = self.began or received.subject, received.subject
        self.began = began
        if began.camera_origin != ground.ASSUMED or now.camera_origin != ground.ESTIMATED:
            return received
        T = began.T_world_camera @ np.linalg.inv(now.T_world_camera)
        people = tuple(_moved(person, T) for person in received.pose.people)
        return replace(received, pose=replace(received.pose, people=people))


def _moved(person: PersonPose, T: np.ndarray) -> PersonPose:
    root_m, rotations_wxyz = ground.move(T, person.root_m[None], person.rotations_wxyz[None])
    return replace(person, root_m=root_m[0], rotations_wxyz=rotations_wxyz[0])
