"""What a WebSocket client hears: JSON with the names of docs/WIRE.md, or the very bytes of docs/WIRE.md."""

from __future__ import annotations

import json
import math
from typing import Any, Literal

from posewire.wire import PersonPose, SubjectMessage, encode
from posewire_gateway.mailbox import Payload
from posewire_gateway.moment import Moment

Format = Literal["json", "binary"]
FORMATS: tuple[Format, ...] = ("json", "binary")


def subject_payload(subject: SubjectMessage, wanted: Format) -> Payload:
    """The subject message."""
    return encode(subject) if wanted == "binary" else _text(_subject(subject))


def pose_payload(moment: Moment, wanted: Format) -> Payload:
    """The pose message."""
    return encode(moment.message) if wanted == "binary" else _text(_pose(moment))


def _text(fields: dict[str, Any]) -> str:
    return json.dumps(fields, separators=(",", ":"), allow_nan=False)


def _subject(subject: SubjectMessage) -> dict[str, Any]:
    return {
        "kind": "subject",
        "version": 1,
        "session": subject.session,
        "rig": subject.rig,
        "engine": subject.engine,
        "method": subject.method,
        "names": subject.names,
        "parents": subject.parents,
        "skeletons": {digest: skeleton.offsets_m.round(6).tolist() for digest, skeleton in subject.skeletons.items()},
        "people": [{"id": p.person_id, "name": p.name, "skeleton": p.skeleton} for p in subject.people],
        "T_world_camera": subject.T_world_camera.tolist(),
        "camera_origin": subject.camera_origin,
    }


def _pose(moment: Moment) -> dict[str, Any]:
    message = moment.message
    return {
        "kind": "pose",
        "session": message.session,
        "rig": message.rig,
        "sequence": message.sequence,
        "media_time_s": message.media_time_s,
        "latency_s": moment.latency_s,
        "moved_m": moment.moved_m.tolist(),
        "people": [_person(person) for person in message.people],
    }


def _person(person: PersonPose) -> dict[str, Any]:
    return {
        "id": person.person_id,
        "skeleton": person.skeleton,
        "root_m": person.root_m.round(6).tolist(),
        "rotations_wxyz": person.rotations_wxyz.round(7).tolist(),
        "confidence": person.confidence.round(4).tolist(),
        "contacts": [None if math.isnan(value) else value for value in person.contacts.round(4).tolist()],
    }
