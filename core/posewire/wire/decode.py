"""Bytes to messages. Total: any bytes give a message or a WireError, never another exception."""

from __future__ import annotations

import re
from typing import Any

import msgpack
import numpy as np

from posewire.data import FloatArray
from posewire.errors import WireError
from posewire.wire import limits
from posewire.wire.fields import Fields
from posewire.wire.messages import RIG_NAME, VERSION, PersonPose, PoseMessage, SubjectMessage, Timecode
from posewire.wire.subject import read_subject

_TOPIC = re.compile(rb"([sp])/(%s)/" % RIG_NAME.pattern.encode())


def decode(data: bytes) -> SubjectMessage | PoseMessage:
    """The message that one ZeroMQ frame carries.

    Raises:
        WireError: the bytes are not a message of this version; nothing else is ever raised.
    """
    if len(data) > limits.MAX_MESSAGE_BYTES:
        raise WireError("A message is too long.", got=f"{len(data)} bytes", allowed=f"{limits.MAX_MESSAGE_BYTES} bytes")
    match = _TOPIC.match(data)
    if match is None:
        raise WireError("A message has no topic.", got=repr(data[:16]), allowed="s/RIG/ or p/RIG/")
    rig = match[2].decode("ascii")
    fields = unpack(data[match.end() :], "subject" if match[1] == b"s" else "pose")
    check_version(fields)
    with np.errstate(invalid="ignore"):  # a signalling NaN would warn where it is converted
        return read_subject(fields, rig) if match[1] == b"s" else _pose(fields, rig)


def unpack(packed: bytes, kind: str) -> Fields:
    """The one msgpack map that a message consists of; `kind` stands in error texts."""
    try:
        values: Any = msgpack.unpackb(packed, raw=False, strict_map_key=True, use_list=True)
    except (ValueError, TypeError, OverflowError, RecursionError, msgpack.UnpackException) as error:
        raise WireError("A message is not msgpack.", got=f"{type(error).__name__}: {error}"[:200]) from error
    if not isinstance(values, dict):
        raise WireError("A message is not a map.", got=type(values).__name__)
    return Fields(values, kind)


def check_version(fields: Fields) -> None:
    """Refuses another version of the format, naming both."""
    version = fields.integer("version", 0, limits.MAX_COUNT)
    if version != VERSION:
        raise WireError(
            "The stream speaks another version of the Posewire wire format.",
            got=version,
            allowed=VERSION,
            hint="update the engine or this client so that both have the same version",
        )


def _pose(fields: Fields, rig: str) -> PoseMessage:
    people = tuple(_person_pose(person) for person in fields.maps("people", limits.MAX_PEOPLE))
    if len({person.person_id for person in people}) != len(people):
        fields.refuse("people", "people with different ids")
    return PoseMessage(
        session=fields.text("session"),
        rig=rig,
        sequence=fields.integer("sequence", 0, limits.MAX_COUNT),
        media_time_s=fields.number("media_time_s"),
        capture_unix_ns=fields.integer("capture_unix_ns", 0, limits.MAX_COUNT),
        send_unix_ns=fields.integer("send_unix_ns", 0, limits.MAX_COUNT),
        timecode=_timecode(fields),
        people=people,
    )


def _timecode(fields: Fields) -> Timecode | None:
    if fields.values.get("timecode") is None:
        return None
    values = fields.integers("timecode", 0, limits.MAX_ID, longest=3)
    if len(values) != 3 or 0 in values[1:]:
        fields.refuse("timecode", "nil, or frame, rate numerator > 0, rate denominator > 0")
    return Timecode(*values)


def _person_pose(fields: Fields) -> PersonPose:
    rotations_wxyz = _unit(fields, fields.blob("rotations_wxyz", "<f4", -1, 4))
    bones = len(rotations_wxyz)
    if bones > limits.MAX_BONES:
        fields.refuse("rotations_wxyz", f"at most {limits.MAX_BONES} bones")
    return PersonPose(
        person_id=fields.integer("id", 0, limits.MAX_ID),
        skeleton=fields.text("skeleton"),
        root_m=fields.blob("root_m", "<f4", 3, low=-limits.MAX_ROOT_M, high=limits.MAX_ROOT_M),
        rotations_wxyz=rotations_wxyz,
        confidence=fields.blob("confidence", "<f4", bones, low=0.0, high=1.0),
        contacts=_contacts(fields),
    )


def _unit(fields: Fields, q: FloatArray) -> FloatArray:
    """Quaternions (N, 4) of about unit length to exactly unit length; NaN fails the comparison, as it should."""
    length = np.sqrt(np.einsum("ij,ij->i", q, q))
    if not (np.abs(length - 1.0) <= limits.UNIT_TOLERANCE).all():
        fields.refuse("rotations_wxyz", f"quaternions of length 1 (within {limits.UNIT_TOLERANCE})")
    q /= length[:, None]
    return q


def _contacts(fields: Fields) -> FloatArray:
    """(4,) 0..1; NaN = not estimated, the one NaN that the wire carries."""
    contacts = fields.blob("contacts", "<f4", 4)
    if ((contacts < 0.0) | (contacts > 1.0)).any():
        fields.refuse("contacts", "numbers from 0 to 1, or NaN")
    return contacts
