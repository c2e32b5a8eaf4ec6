"""glTF 2.0: everybody's skeleton, skin and motion in one file, metres, Y up; GLB (one binary file) or glTF (JSON, data within).

A person is a node `personID` with the joints below it, each turned from the rest pose (T-pose facing +Z), and a body of one
spindle a bone, rigidly skinned: what every viewer shows and every importer takes for an armature. One animation moves all.
Written by hand, after the Khronos glTF 2.0 specification (chunks: section 4; skins: 3.7.3; animations: 3.11).
"""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Sequence
from typing import Any, BinaryIO

import numpy as np

from posewire.data import FloatArray
from posewire.skeleton import Skeleton
from posewire.take.export.gltf_buffer import TRIANGLES, VERTICES, GltfBuffer
from posewire.take.export.people import continuous, motions, rest_positions_m
from posewire.take.export.resample import Motion
from posewire.take.recording import Take

_GLB, _JSON_CHUNK, _BINARY_CHUNK = 0x46546C67, 0x4E4F534A, 0x004E4942
_THICKNESS = 0.08
"""Half the width of a bone's spindle over its length."""
_WAIST = 0.2
"""Where along the bone it is widest."""
_SPINDLE = np.array([[0, 2, 1], [0, 3, 2], [0, 4, 3], [0, 1, 4], [5, 1, 2], [5, 2, 3], [5, 3, 4], [5, 4, 1]])
"""Triangles over a spindle's points: start, four around the waist, end; counter-clockwise from outside."""


def write_glb(file: BinaryIO, take: Take, person: int | None) -> None:
    """One person, or everybody, as a binary file."""
    root, data = _scene(take, person)
    text = json.dumps(root, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    file.write(struct.pack("<III", _GLB, 2, 12 + 8 + len(text) + 8 + len(data)))
    file.write(struct.pack("<II", len(text), _JSON_CHUNK) + text)
    file.write(struct.pack("<II", len(data), _BINARY_CHUNK))
    file.write(data)


def write_gltf(file: BinaryIO, take: Take, person: int | None) -> None:
    """The same as one JSON text."""
    root, data = _scene(take, person)
    root["buffers"][0]["uri"] = "data:application/octet-stream;base64," + base64.b64encode(data).decode("ascii")
    file.write(json.dumps(root, indent=1).encode())


def _scene(take: Take, person: int | None) -> tuple[dict[str, Any], bytes]:
    """The JSON and the binary data."""
    scene = _Scene()
    for person_id, motion in motions(take, person).items():
        scene.add(f"person{person_id}", motion)
    return scene.root(take.path.stem), scene.buffer.data()


class _Scene:
    """The lists of a glTF file, filled person by person."""

    def __init__(self) -> None:
        self.buffer = GltfBuffer()
        self._nodes: list[dict[str, Any]] = []
        self._meshes: list[dict[str, Any]] = []
        self._skins: list[dict[str, Any]] = []
        self._channels: list[dict[str, Any]] = []
        self._samplers: list[dict[str, Any]] = []
        self._people: list[int] = []

    def add(self, name: str, motion: Motion) -> None:
        """Somebody's nodes, body and motion."""
        first = len(self._nodes) + 2
        self._people.append(first - 2)
        self._nodes.append({"name": name, "children": [first - 1, first]})
        self._nodes.append({"name": f"{name}_body", "mesh": len(self._meshes), "skin": len(self._skins)})
        self._nodes += _joint_nodes(motion.skeleton, first)
        rest_m = rest_positions_m(motion)
        self._meshes.append({"name": f"{name}_body", "primitives": [self._body(motion.skeleton, rest_m)]})
        self._skins.append(self._skin(name, motion.skeleton, rest_m, first))
        self._animate(motion, first)

    def root(self, name: str) -> dict[str, Any]:
        """The file's JSON."""
        return {
            "asset": {"version": "2.0", "generator": "Posewire"},
            "scene": 0,
            "scenes": [{"name": name, "nodes": self._people}],
            "nodes": self._nodes,
            "meshes": self._meshes,
            "skins": self._skins,
            "animations": [{"name": name, "channels": self._channels, "samplers": self._samplers}],
            "accessors": self.buffer.accessors,
            "bufferViews": self.buffer.views,
            "buffers": [{"byteLength": len(self.buffer.data())}],
        }

    def _body(self, skeleton: Skeleton, rest_m: FloatArray) -> dict[str, Any]:
        points_m, joints, triangles = _spindles(skeleton, rest_m)
        weights = np.zeros((len(joints), 4), dtype="<f4")
        weights[:, 0] = 1.0
        carriers = np.zeros((len(joints), 4), dtype="<u2")
        carriers[:, 0] = joints
        return {
            "attributes": {
                "POSITION": self.buffer.add(points_m.astype("<f4"), target=VERTICES, bounds=True),
                "JOINTS_0": self.buffer.add(carriers, target=VERTICES),
                "WEIGHTS_0": self.buffer.add(weights, target=VERTICES),
            },
            "indices": self.buffer.add(triangles.reshape(-1).astype("<u2"), target=TRIANGLES),
        }

    def _skin(self, name: str, skeleton: Skeleton, rest_m: FloatArray, first: int) -> dict[str, Any]:
        unbind = np.tile(np.eye(4, dtype="<f4"), (len(rest_m), 1, 1))
        unbind[:, 3, :3] = -rest_m  # column by column, as glTF has its matrices
        joints = list(range(first, first + len(skeleton.names)))
        matrices = self.buffer.add(unbind.reshape(-1, 16))
        return {"name": f"{name}_skeleton", "skeleton": first, "joints": joints, "inverseBindMatrices": matrices}

    def _animate(self, motion: Motion, first: int) -> None:
        times = self.buffer.add(motion.time_s.astype("<f4"), bounds=True)
        self._channel(first, "translation", times, motion.root_m)
        rotations_xyzw = np.roll(continuous(motion.rotations_wxyz), -1, axis=-1)
        for joint in range(len(motion.skeleton.names)):
            self._channel(first + joint, "rotation", times, rotations_xyzw[:, joint])

    def _channel(self, node: int, path: str, times: int, values: FloatArray) -> None:
        self._channels.append({"sampler": len(self._samplers), "target": {"node": node, "path": path}})
        self._samplers.append({"input": times, "output": self.buffer.add(values.astype("<f4")), "interpolation": "LINEAR"})


def _joint_nodes(skeleton: Skeleton, first: int) -> list[dict[str, Any]]:
    """The joints as nodes numbered from `first`."""
    nodes: list[dict[str, Any]] = []
    for joint, name in enumerate(skeleton.names):
        children = [first + child for child, parent in enumerate(skeleton.parents) if parent == joint]
        node: dict[str, Any] = {"name": name, "translation": skeleton.offsets_m[joint].tolist()}
        nodes.append(node | ({"children": children} if children else {}))
    return nodes


def _spindles(skeleton: Skeleton, rest_m: FloatArray) -> tuple[FloatArray, Sequence[int], FloatArray]:
    """Points (V, 3) at rest, the joint that carries each (V,), and triangles (T, 3): one from every joint's parent to it."""
    points: list[FloatArray] = []
    carriers: list[int] = []
    triangles: list[FloatArray] = []
    for joint, parent in enumerate(skeleton.parents):
        if parent >= 0:
            triangles.append(_SPINDLE + len(carriers))
            points.append(_spindle(rest_m[parent], rest_m[joint]))
            carriers += [parent] * len(points[-1])
    return np.concatenate(points), carriers, np.concatenate(triangles)


def _spindle(start_m: FloatArray, end_m: FloatArray) -> FloatArray:
    """(6, 3)"""
    bone_m = end_m - start_m
    aside = np.eye(3)[np.argmin(np.abs(bone_m))]
    across = np.cross(bone_m, aside)  # both as long as the bone, or a little shorter
    sides_m = _THICKNESS * np.stack([across, np.cross(bone_m, across) / max(float(np.linalg.norm(bone_m)), 1e-9)])
    around_m = start_m + _WAIST * bone_m + np.concatenate([sides_m, -sides_m])
    return np.asarray(np.concatenate([start_m[None], around_m, end_m[None]]), dtype=np.float64)
