"""Messages <-> bytes, and addresses. docs/WIRE.md is the specification; tests/wire/golden holds its conformance files.

`encode(message)` gives the bytes of one ZeroMQ frame, `decode(data)` a message or a WireError, whatever the bytes are.
"""

from __future__ import annotations

from posewire.wire.address import DEFAULT_ADDRESS, Address, parse_address
from posewire.wire.decode import decode
from posewire.wire.encode import encode
from posewire.wire.instant import Instant, RigInstant, poses_of, subject_mark, subjects_of
from posewire.wire.messages import RIG_NAME, VERSION, Person, PersonPose, PoseMessage, SubjectMessage, Timecode, topic
from posewire.wire.view import VIEW_TOPIC, Sighting, View, ViewMessage, decode_view, encode_view

__all__ = [
    "DEFAULT_ADDRESS",
    "RIG_NAME",
    "VERSION",
    "VIEW_TOPIC",
    "Address",
    "Instant",
    "Person",
    "PersonPose",
    "PoseMessage",
    "RigInstant",
    "Sighting",
    "SubjectMessage",
    "Timecode",
    "View",
    "ViewMessage",
    "decode",
    "decode_view",
    "encode",
    "encode_view",
    "parse_address",
    "poses_of",
    "subject_mark",
    "subjects_of",
    "topic",
]
