"""The two kinds of message as values: what is said once (subject) and what is said per instant (pose)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from posewire.data import CameraOrigin, FloatArray, read_only
from posewire.errors import WireError
from posewire.skeleton import Dof, Skeleton

VERSION = 1
UNITS = "m rad s"
Kind = Literal["s", "p"]
RIG_NAME = re.compile(r"[a-z0-9_.-]{0,64}")
"""What a rig may be called; empty = the native skeleton."""


def topic(kind: Kind, rig: str = "") -> bytes:
    """What a message of this kind starts with, and what a client subscribes to.

    The closing slash keeps the native stream (`p//`) apart from every rig (`p/vrm/`), and `vrm` from `vrm0`:
    ZeroMQ matches subscriptions by byte prefix.

    Raises:
        WireError: the rig's name cannot be part of a topic.
    """
    if not RIG_NAME.fullmatch(rig):
        allowed = "at most 64 of a-z 0-9 _ . -"
        raise WireError("The name of a rig cannot be streamed.", got=rig, allowed=allowed, hint="posewire rigs lists the names")
    return f"{kind}/{rig}/".encode("ascii")


class Timecode(NamedTuple):
    """A position on a studio's clock: frames since midnight at numerator/denominator frames per second."""

    frame: int
    rate_numerator: int
    rate_denominator: int


class Person(NamedTuple):
    """Somebody in the stream."""

    person_id: int
    name: str
    skeleton: str
    """Digest: a key of SubjectMessage.skeletons."""


@dataclass(frozen=True, slots=True, eq=False)
class SubjectMessage:
    """What the streamed skeletons are. All of them share one tree; they differ in their rest offsets."""

    session: str
    """Changes with every start of the publisher."""
    rig: str
    """Name of the target rig; empty = the native skeleton."""
    engine: str
    """Who publishes, with version; for people to read."""
    method: str
    names: tuple[str, ...]
    """(N,) bones; a pose message's rotations come in this order."""
    parents: tuple[int, ...]
    """(N,) a parent comes before its children; -1 = the root, which is bone 0."""
    dofs: tuple[Dof, ...]
    """Degrees of freedom of the native skeleton; empty for a rig."""
    skeletons: Mapping[str, Skeleton]
    """Digest to the skeleton with these rest offsets."""
    people: tuple[Person, ...]
    T_world_camera: FloatArray
    """(4, 4) camera axes to world axes, metres."""
    camera_origin: CameraOrigin

    def __post_init__(self) -> None:
        object.__setattr__(self, "T_world_camera", read_only(self.T_world_camera, 4, 4))


@dataclass(frozen=True, slots=True, eq=False)
class PersonPose:
    """One person at one instant."""

    person_id: int
    skeleton: str
    """Digest: a key of the SubjectMessage.skeletons of the same session and rig."""
    root_m: FloatArray
    """(3,) position of bone 0, world axes."""
    rotations_wxyz: FloatArray
    """(N, 4) unit, parent-relative rotation from the rest pose, model axes; bone 0's is its world rotation."""
    confidence: FloatArray
    """(N,) 0..1."""
    contacts: FloatArray
    """(4,) probability of ground contact: left heel, left toe, right heel, right toe; NaN = not estimated."""

    def __post_init__(self) -> None:
        bones = np.shape(self.confidence)[0]
        object.__setattr__(self, "root_m", read_only(self.root_m, 3))
        object.__setattr__(self, "rotations_wxyz", read_only(self.rotations_wxyz, bones, 4))
        object.__setattr__(self, "confidence", read_only(self.confidence, bones))
        object.__setattr__(self, "contacts", read_only(self.contacts, 4))


@dataclass(frozen=True, slots=True, eq=False)
class PoseMessage:
    """Everybody at one instant."""

    session: str
    rig: str
    """Name of the target rig; empty = the native skeleton. Said by the topic."""
    sequence: int
    """Counts the instants of a session from 0; a gap means that messages were dropped."""
    media_time_s: float
    """Capture clock: media time of a file, seconds since the start of a live source."""
    capture_unix_ns: int
    """Wall clock when the picture was taken (live) or handed out (file); 0 = unknown."""
    send_unix_ns: int
    """Wall clock when the message was made."""
    timecode: Timecode | None
    people: tuple[PersonPose, ...]
