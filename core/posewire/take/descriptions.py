"""Header, camera and skeleton as records and back: what is said once, or again when it changes."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np

from posewire.data import Camera, CameraOrigin
from posewire.skeleton import Dof, Skeleton
from posewire.take import fields
from posewire.take.chunks import FORMAT_VERSION, MalformedError
from posewire.take.values import TakeHeader

_ORIGINS: dict[str, CameraOrigin] = {origin: origin for origin in get_args(CameraOrigin)}


def header_record(header: TakeHeader) -> dict[str, Any]:
    """The header's record."""
    return {
        "format": FORMAT_VERSION,
        "posewire": header.posewire_version,
        "created_unix_ns": header.created_unix_ns,
        "source": header.source,
        "method": header.method,
        "lifter": header.lifter,
        "keypoint_names": list(header.keypoint_names),
        "settings": dict(header.settings),
    }


def read_header(record: fields.Record) -> TakeHeader:
    """The header of a record.

    Raises:
        MalformedError: a field is missing or of another kind.
    """
    return TakeHeader(
        source=fields.text(record, "source"),
        method=fields.text(record, "method"),
        keypoint_names=fields.texts(record, "keypoint_names"),
        lifter=None if record.get("lifter") is None else fields.text(record, "lifter"),
        settings=fields.mapping(record, "settings"),
        created_unix_ns=fields.integer(record, "created_unix_ns"),
        posewire_version=fields.text(record, "posewire"),
    )


def camera_record(camera_id: int, camera: Camera) -> dict[str, Any]:
    """The record of a camera; frames name it by its id, which counts the cameras of the take."""
    return {
        "id": camera_id,
        "width_px": camera.width_px,
        "height_px": camera.height_px,
        "K": camera.K.astype("<f8").tobytes(),
        "distortion": camera.distortion.astype("<f8").tobytes(),
        "T_world_camera": camera.T_world_camera.astype("<f8").tobytes(),
        "origin": camera.origin,
    }


def read_camera(record: fields.Record) -> tuple[int, Camera]:
    """A camera and its id.

    Raises:
        MalformedError: a field is missing, of another kind or an impossible number.
    """
    width_px, height_px = fields.integer(record, "width_px"), fields.integer(record, "height_px")
    origin = _ORIGINS.get(fields.text(record, "origin"))
    K = fields.finite(record, "K", 3, 3)
    if min(width_px, height_px) < 1 or min(K[0, 0], K[1, 1]) <= 0 or origin is None:
        raise MalformedError("impossible camera")
    T_world_camera = fields.finite(record, "T_world_camera", 4, 4)
    camera = Camera(width_px, height_px, K, fields.finite(record, "distortion", 5), T_world_camera, origin)
    return fields.integer(record, "id"), camera


def skeleton_record(skeleton: Skeleton) -> dict[str, Any]:
    """The record of a skeleton; poses name it by its digest."""
    return {
        "digest": skeleton.digest,
        "names": list(skeleton.names),
        "parents": list(skeleton.parents),
        "offsets_m": skeleton.offsets_m.astype("<f8").tobytes(),
        "dof_names": list(skeleton.dof_names),
        "dofs": [[dof.joint, dof.name, list(dof.axis), dof.twist, dof.lower_deg, dof.upper_deg] for dof in skeleton.dofs],
    }


def read_skeleton(record: fields.Record) -> tuple[str, Skeleton]:
    """A skeleton and its digest.

    Raises:
        MalformedError: a field is missing or of another kind, or the joints are no tree.
    """
    names = fields.texts(record, "names")
    parents = tuple(fields.rows(record, "parents"))
    if (
        len(parents) != len(names)
        or parents[:1] != (-1,)
        or not all(_is_parent(p, child) for child, p in enumerate(parents[1:], 1))
    ):
        raise MalformedError("the joints are no tree with parents before children")
    offsets_m = fields.finite(record, "offsets_m", len(names), 3)
    dofs = tuple(_read_dof(row, names) for row in fields.rows(record, "dofs"))
    return fields.text(record, "digest"), Skeleton(names, parents, offsets_m, dofs)


def _is_parent(parent: object, child: int) -> bool:
    return type(parent) is int and 0 <= parent < child


def _read_dof(row: object, names: tuple[str, ...]) -> Dof:
    match row:
        case [str(joint), str(name), [x, y, z], bool(twist), lower, upper] if joint in names:
            numbers = _numbers(x, y, z, lower, upper)
            return Dof(joint, name, (numbers[0], numbers[1], numbers[2]), twist, numbers[3], numbers[4])
        case _:
            raise MalformedError("a degree of freedom is not [joint, name, axis, twist, lower_deg, upper_deg]")


def _numbers(*values: object) -> list[float]:
    """Finite floats, an integer in the file being one too."""
    numbers = [float(value) for value in values if isinstance(value, int | float) and abs(value) < np.finfo(np.float64).max]
    if len(numbers) != len(values):
        raise MalformedError("a degree of freedom holds something else than finite numbers")
    return numbers
