"""Reads the subject message's map: the tree, its degrees of freedom, the skeletons and the people on them."""

from __future__ import annotations

import math
from typing import get_args

import numpy as np

from posewire.data import CameraOrigin, FloatArray
from posewire.skeleton import Dof, Skeleton
from posewire.wire import limits
from posewire.wire.fields import Fields
from posewire.wire.messages import UNITS, Person, SubjectMessage


def read_subject(fields: Fields, rig: str) -> SubjectMessage:
    """The subject message of a map whose topic named `rig`; WireError where anything does not fit."""
    if fields.text("rig", empty=True) != rig:
        fields.refuse("rig", f"{rig!r}, as the topic says")
    if fields.text("units") != UNITS:
        fields.refuse("units", repr(UNITS))
    names, parents = _tree(fields)
    dofs = tuple(_dof(dof, names) for dof in fields.maps("dofs", limits.MAX_DOFS)) if "dofs" in fields.values else ()
    skeletons = _skeletons(fields, names, parents, dofs)
    return SubjectMessage(
        session=fields.text("session"),
        rig=rig,
        engine=fields.text("engine", empty=True),
        method=fields.text("method", empty=True),
        names=names,
        parents=parents,
        dofs=dofs,
        skeletons=skeletons,
        people=_people(fields, skeletons),
        T_world_camera=_rigid(fields, "T_world_camera"),
        camera_origin=_origin(fields),
    )


def _tree(fields: Fields) -> tuple[tuple[str, ...], tuple[int, ...]]:
    names = fields.texts("names", longest=limits.MAX_BONES)
    parents = fields.integers("parents", -1, limits.MAX_BONES, longest=limits.MAX_BONES)
    ordered = parents[:1] == (-1,) and all(0 <= parent < child for child, parent in enumerate(parents[1:], start=1))
    if not ordered or len(parents) != len(names):
        fields.refuse("parents", "one index for each name: -1 first, then only indices of earlier bones")
    return names, parents


def _dof(fields: Fields, names: tuple[str, ...]) -> Dof:
    axis = fields.array("axis", 3)
    if len(axis) != 3 or not all(type(value) in (int, float) and abs(value) <= 1.0 for value in axis):
        fields.refuse("axis", "three numbers from -1 to 1")
    joint = names[fields.integer("joint", 0, len(names) - 1)]
    x, y, z = map(float, axis)
    lower_deg, upper_deg = _angle_deg(fields, "lower_rad"), _angle_deg(fields, "upper_rad")
    return Dof(joint, fields.text("name"), (x, y, z), fields.flag("twist"), lower_deg, upper_deg)


def _angle_deg(fields: Fields, key: str) -> float:
    angle_rad = fields.number(key)
    if abs(angle_rad) > limits.MAX_ANGLE_RAD:
        fields.refuse(key, f"an angle from -{limits.MAX_ANGLE_RAD} to {limits.MAX_ANGLE_RAD} rad")
    return math.degrees(angle_rad)


def _skeletons(fields: Fields, names: tuple[str, ...], parents: tuple[int, ...], dofs: tuple[Dof, ...]) -> dict[str, Skeleton]:
    skeletons: dict[str, Skeleton] = {}
    for entry in fields.maps("skeletons", limits.MAX_PEOPLE):
        offsets_m = entry.blob("offsets_m", "<f8", len(names), 3, low=-limits.MAX_OFFSET_M, high=limits.MAX_OFFSET_M)
        digest = entry.text("digest")
        if digest in skeletons:
            entry.refuse("digest", "digests that differ from each other")
        skeletons[digest] = Skeleton(names, parents, offsets_m, dofs)
    return skeletons


def _people(fields: Fields, skeletons: dict[str, Skeleton]) -> tuple[Person, ...]:
    people: list[Person] = []
    for entry in fields.maps("people", limits.MAX_PEOPLE):
        person = Person(entry.integer("id", 0, limits.MAX_ID), entry.text("name"), entry.text("skeleton"))
        if person.skeleton not in skeletons:
            entry.refuse("skeleton", "a digest from the list of skeletons")
        people.append(person)
    if len({person.person_id for person in people}) != len(people):
        fields.refuse("people", "people with different ids")
    return tuple(people)


def _rigid(fields: Fields, key: str) -> FloatArray:
    T = fields.blob(key, "<f8", 4, 4, low=-limits.MAX_ROOT_M, high=limits.MAX_ROOT_M)
    R = T[:3, :3]
    rigid = np.abs(R @ R.T - np.eye(3)).max() < 1e-3 and np.linalg.det(R) > 0 and T[3].tolist() == [0, 0, 0, 1]
    if not rigid:
        fields.refuse(key, "a rotation and a translation, 16 doubles, row by row")
    return T


def _origin(fields: Fields) -> CameraOrigin:
    origins: tuple[CameraOrigin, ...] = get_args(CameraOrigin)
    value = fields.text("camera_origin")
    if value not in origins:
        fields.refuse("camera_origin", ", ".join(origins))
    return origins[origins.index(value)]
