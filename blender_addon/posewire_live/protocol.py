# SPDX-License-Identifier: GPL-3.0-or-later
"""Bytes of the Posewire stream to values (docs/WIRE.md, version 1). Total: any bytes give a message or a ProtocolError."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from .errors import LiveError
from .fields import FieldError, Fields
from .msgpack_reader import MsgpackError, unpack

VERSION = 1
UNITS = "m rad s"
MAX_MESSAGE_BYTES = 1 << 20
_MAX_BONES, _MAX_PEOPLE, _MAX_DOFS = 1024, 256, 4096
_MAX_ID, _MAX_COUNT = 2**31 - 1, 2**63 - 1
_MAX_ROOT_M, _MAX_OFFSET_M, _MAX_ANGLE_RAD = 10_000.0, 100.0, 7.0
_UNIT_TOLERANCE = 0.01
ORIGINS = ("assumed", "estimated", "calibrated")
_RIG_NAME = re.compile(rb"[a-z0-9_.-]{0,64}")
_TOPIC = re.compile(rb"([sp])/(%s)/" % _RIG_NAME.pattern)


class ProtocolError(LiveError):
    """A message is not one of this version's."""


class OtherVersionError(ProtocolError):
    """The publisher speaks another version: worth telling the user, for every message will fail."""


class Person(NamedTuple):
    """Somebody in the stream."""

    person_id: int
    name: str
    skeleton: str
    """Digest: a key of Subject.skeletons."""


@dataclass(frozen=True)
class Skeleton:
    """The joint tree of one person at rest: T-pose, x left, y up, z forward, metres, soles at y = 0."""

    names: tuple[str, ...]
    parents: tuple[int, ...]
    """A parent comes before its children; -1 = the root, which is joint 0."""
    offsets_m: np.ndarray
    """(N, 3) from the parent; the root's from the ground below it."""

    def rest_m(self) -> np.ndarray:
        """(N, 3) rest positions."""
        positions = self.offsets_m.copy()
        for joint, parent in enumerate(self.parents[1:], start=1):
            positions[joint] += positions[parent]
        return positions


@dataclass(frozen=True)
class Subject:
    """What the stream says once, and again for late joiners."""

    session: str
    rig: str
    """Empty = the native skeleton."""
    engine: str
    method: str
    names: tuple[str, ...]
    parents: tuple[int, ...]
    dofs: tuple[dict[str, Any], ...]
    """Degrees of freedom, checked and as they came; the add-on does not use them."""
    skeletons: dict[str, Skeleton]
    """By digest."""
    people: tuple[Person, ...]
    T_world_camera: np.ndarray
    """(4, 4) camera axes to world axes, metres."""
    camera_origin: str

    def name_of(self, person_id: int) -> str:
        """What to call somebody in the panel."""
        return next((person.name for person in self.people if person.person_id == person_id), f"person {person_id}")


@dataclass(frozen=True)
class PersonPose:
    """One person at one instant."""

    person_id: int
    skeleton: str
    """Digest: a key of Subject.skeletons."""
    root_m: np.ndarray
    """(3,) joint 0 in the world: x left, y up, z towards where the rest pose looks."""
    rotations_wxyz: np.ndarray
    """(N, 4) unit, parent-relative from the rest pose, model axes."""
    confidence: np.ndarray
    """(N,) 0..1."""
    contacts: np.ndarray
    """(4,) left heel, left toe, right heel, right toe; NaN = not estimated."""


@dataclass(frozen=True)
class Pose:
    """Everybody at one instant."""

    session: str
    rig: str
    sequence: int
    media_time_s: float
    """Capture clock."""
    capture_unix_ns: int
    """0 = unknown."""
    send_unix_ns: int
    timecode: tuple[int, ...] | None
    people: tuple[PersonPose, ...]


def topic(kind: str, rig: str = "") -> bytes:
    """What a message of kind "s" or "p" starts with."""
    return f"{kind}/{rig}/".encode("ascii")


def decode(data: bytes) -> Subject | Pose:
    """The message that one ZeroMQ frame carries; ProtocolError when it carries none."""
    if len(data) > MAX_MESSAGE_BYTES:
        raise ProtocolError("A message is too long.")
    match = _TOPIC.match(data)
    if match is None:
        raise ProtocolError("A message is not Posewire's.", "Does something else publish at this address?")
    kind, rig = match[1], match[2].decode("ascii")
    try:
        with np.errstate(invalid="ignore"):  # a signalling NaN would warn where it is converted
            return _message(kind, rig, unpack(data[match.end() :]))
    except (MsgpackError, FieldError) as error:
        raise ProtocolError("A message is malformed: {reason}.", reason=error) from error


def _message(kind: bytes, rig: str, values: object) -> Subject | Pose:
    if not isinstance(values, dict):
        raise FieldError("the message is not a map")
    fields = Fields(values, "subject" if kind == b"s" else "pose")
    version = fields.integer("version", 0, _MAX_COUNT)
    if version != VERSION:
        raise OtherVersionError(
            "The publisher speaks version {version} of the stream, this add-on version {known}.",
            "Update Posewire or this add-on, so that both have the same version.",
            version=version,
            known=VERSION,
        )
    return _subject(fields, rig) if kind == b"s" else _pose(fields, rig)


def _pose(fields: Fields, rig: str) -> Pose:
    people = tuple(_person_pose(person) for person in fields.maps("people", _MAX_PEOPLE))
    if len({person.person_id for person in people}) != len(people):
        fields.refuse("people", "a list of people with different ids")
    return Pose(
        fields.text("session"),
        rig,
        fields.integer("sequence", 0, _MAX_COUNT),
        fields.number("media_time_s"),
        fields.integer("capture_unix_ns", 0, _MAX_COUNT),
        fields.integer("send_unix_ns", 0, _MAX_COUNT),
        _timecode(fields),
        people,
    )


def _timecode(fields: Fields) -> tuple[int, ...] | None:
    if fields.values.get("timecode") is None:
        return None
    values = fields.integers("timecode", 0, _MAX_ID, 3)
    if len(values) != 3 or 0 in values[1:]:
        fields.refuse("timecode", "a frame and a rate")
    return values


def _person_pose(fields: Fields) -> PersonPose:
    rotations_wxyz = _unit(fields, fields.blob("rotations_wxyz", "<f4", -1, 4))
    bones = len(rotations_wxyz)
    if bones > _MAX_BONES:
        fields.refuse("rotations_wxyz", f"of at most {_MAX_BONES} bones")
    contacts = fields.blob("contacts", "<f4", 4)
    if ((contacts < 0.0) | (contacts > 1.0)).any():
        fields.refuse("contacts", "made of numbers from 0 to 1, or NaN")
    return PersonPose(
        fields.integer("id", 0, _MAX_ID),
        fields.text("skeleton"),
        fields.blob("root_m", "<f4", 3, low=-_MAX_ROOT_M, high=_MAX_ROOT_M),
        rotations_wxyz,
        fields.blob("confidence", "<f4", bones, low=0.0, high=1.0),
        contacts,
    )


def _unit(fields: Fields, q: np.ndarray) -> np.ndarray:
    """(N, 4) of about unit length to exactly unit length; NaN fails the comparison, as it should."""
    length = np.sqrt(np.einsum("ij,ij->i", q, q))
    if not (np.abs(length - 1.0) <= _UNIT_TOLERANCE).all():
        fields.refuse("rotations_wxyz", "made of quaternions of length 1")
    return q / length[:, None]


def _subject(fields: Fields, rig: str) -> Subject:
    if fields.text("rig", empty=True) != rig:
        fields.refuse("rig", "what the topic says")
    if fields.text("units") != UNITS:
        fields.refuse("units", UNITS)
    names, parents = _tree(fields)
    dofs = fields.maps("dofs", _MAX_DOFS) if "dofs" in fields.values else []
    for dof in dofs:
        _check_dof(dof, len(names))
    skeletons = _skeletons(fields, names, parents)
    origin = fields.text("camera_origin")
    if origin not in ORIGINS:
        fields.refuse("camera_origin", f"one of {ORIGINS}")
    return Subject(
        session=fields.text("session"),
        rig=rig,
        engine=fields.text("engine", empty=True),
        method=fields.text("method", empty=True),
        names=names,
        parents=parents,
        dofs=tuple(dof.values for dof in dofs),
        skeletons=skeletons,
        people=_people(fields, skeletons),
        T_world_camera=rigid(fields),
        camera_origin=origin,
    )


def _tree(fields: Fields) -> tuple[tuple[str, ...], tuple[int, ...]]:
    names = fields.texts("names", _MAX_BONES)
    parents = fields.integers("parents", -1, _MAX_BONES, _MAX_BONES)
    ordered = parents[:1] == (-1,) and all(0 <= parent < child for child, parent in enumerate(parents[1:], start=1))
    if not ordered or len(parents) != len(names):
        fields.refuse("parents", "one index for each name, a parent before its children")
    return names, parents


def _check_dof(fields: Fields, joints: int) -> None:
    axis = fields.array("axis", 3)
    if len(axis) != 3 or not all(type(value) in (int, float) and abs(value) <= 1.0 for value in axis):
        fields.refuse("axis", "three numbers from -1 to 1")
    fields.integer("joint", 0, joints - 1)
    fields.text("name")
    if not isinstance(fields.values.get("twist"), bool):
        fields.refuse("twist", "true or false")
    for key in ("lower_rad", "upper_rad"):
        if abs(fields.number(key)) > _MAX_ANGLE_RAD:
            fields.refuse(key, f"an angle of at most {_MAX_ANGLE_RAD} rad")


def _skeletons(fields: Fields, names: tuple[str, ...], parents: tuple[int, ...]) -> dict[str, Skeleton]:
    skeletons: dict[str, Skeleton] = {}
    for entry in fields.maps("skeletons", _MAX_PEOPLE):
        offsets_m = entry.blob("offsets_m", "<f8", len(names), 3, low=-_MAX_OFFSET_M, high=_MAX_OFFSET_M)
        digest = entry.text("digest")
        if digest in skeletons:
            entry.refuse("digest", "different from the others")
        skeletons[digest] = Skeleton(names, parents, offsets_m)
    return skeletons


def _people(fields: Fields, skeletons: dict[str, Skeleton]) -> tuple[Person, ...]:
    people: list[Person] = []
    for entry in fields.maps("people", _MAX_PEOPLE):
        person = Person(entry.integer("id", 0, _MAX_ID), entry.text("name"), entry.text("skeleton"))
        if person.skeleton not in skeletons:
            entry.refuse("skeleton", "in the list of skeletons")
        people.append(person)
    if len({person.person_id for person in people}) != len(people):
        fields.refuse("people", "a list of people with different ids")
    return tuple(people)


def rigid(fields: Fields) -> np.ndarray:
    """T_world_camera (4, 4)."""
    T = fields.blob("T_world_camera", "<f8", 4, 4, low=-_MAX_ROOT_M, high=_MAX_ROOT_M)
    R = T[:3, :3]
    rigid = np.abs(R @ R.T - np.eye(3)).max() < 1e-3 and np.linalg.det(R) > 0 and T[3].tolist() == [0, 0, 0, 1]
    if not rigid:
        fields.refuse("T_world_camera", "a rotation and a translation")
    return T
