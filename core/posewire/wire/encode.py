"""Messages to bytes: topic, then one msgpack map; arrays as little-endian blobs."""

from __future__ import annotations

import math
from typing import Any

import msgpack
import numpy as np
from numpy.typing import ArrayLike

from posewire.skeleton import Dof, Skeleton
from posewire.wire.messages import UNITS, VERSION, PersonPose, PoseMessage, SubjectMessage, topic


def encode(message: SubjectMessage | PoseMessage) -> bytes:
    """The one ZeroMQ frame that carries `message`."""
    if isinstance(message, PoseMessage):
        return topic("p", message.rig) + _pack(_pose_fields(message))
    return topic("s", message.rig) + _pack(_subject_fields(message))


def _pack(fields: dict[str, Any]) -> bytes:
    packed = msgpack.packb(fields, use_bin_type=True)
    assert packed is not None
    return packed


def _float32(values: ArrayLike) -> bytes:
    return np.asarray(values, dtype="<f4").tobytes()


def _float64(values: ArrayLike) -> bytes:
    return np.asarray(values, dtype="<f8").tobytes()


def _pose_fields(message: PoseMessage) -> dict[str, Any]:
    return {
        "version": VERSION,
        "session": message.session,
        "sequence": message.sequence,
        "media_time_s": message.media_time_s,
        "capture_unix_ns": message.capture_unix_ns,
        "send_unix_ns": message.send_unix_ns,
        "timecode": message.timecode,
        "people": [_person_pose_fields(person) for person in message.people],
    }


def _person_pose_fields(person: PersonPose) -> dict[str, Any]:
    return {
        "id": person.person_id,
        "skeleton": person.skeleton,
        "root_m": _float32(person.root_m),
        "rotations_wxyz": _float32(person.rotations_wxyz),
        "confidence": _float32(person.confidence),
        "contacts": _float32(person.contacts),
    }


def _subject_fields(message: SubjectMessage) -> dict[str, Any]:
    return {
        "version": VERSION,
        "session": message.session,
        "rig": message.rig,
        "engine": message.engine,
        "method": message.method,
        "units": UNITS,
        "names": message.names,
        "parents": message.parents,
        "dofs": [_dof_fields(dof, message.names) for dof in message.dofs],
        "skeletons": [_skeleton_fields(digest, skeleton) for digest, skeleton in message.skeletons.items()],
        "people": [{"id": p.person_id, "name": p.name, "skeleton": p.skeleton} for p in message.people],
        "T_world_camera": _float64(message.T_world_camera),
        "camera_origin": message.camera_origin,
    }


def _skeleton_fields(digest: str, skeleton: Skeleton) -> dict[str, Any]:
    # float64, although it is only for drawing: a receiver's Skeleton then has the sender's digest, bit for bit.
    return {"digest": digest, "offsets_m": _float64(skeleton.offsets_m)}


def _dof_fields(dof: Dof, names: tuple[str, ...]) -> dict[str, Any]:
    return {
        "joint": names.index(dof.joint),
        "name": dof.name,
        "axis": dof.axis,
        "twist": dof.twist,
        "lower_rad": math.radians(dof.lower_deg),
        "upper_rad": math.radians(dof.upper_deg),
    }
