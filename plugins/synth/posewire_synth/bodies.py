"""Builds the body model of a pack: one dressed mesh, a linear space of shapes, and the people sampled in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posewire_synth import makehuman
from posewire_synth.anatomy import Landmarks, hair_field, landmarks, limb_coordinates
from posewire_synth.makehuman import BaseMesh, Rig
from posewire_synth.phenotype import TargetBank, random_phenotype
from posewire_synth.simplify import simplify

FloatArray = NDArray[np.floating[Any]]
IntArray = NDArray[np.int64]

PARTS = ("skin", "eyes", "scalp", "hair", "top", "bottom", "skirt", "shoes")
"""What a face belongs to. Scalp is the head's skin once more, lifted to hair or hat; clothes are MakeHuman's helper geometry."""

SKIN_VERTICES = 5200
"""Of 13,380: the face and the hands keep most of theirs."""
_COMPONENTS, _NOISE_FIELDS = 40, 10
_HIDDEN = ("helper-genital", "helper-tongue", "helper-upper-teeth", "helper-lower-teeth")


@dataclass(frozen=True, slots=True, eq=False)
class BodyArrays:
    """Everything about bodies that goes into a pack. V mesh vertices over U shape points, J labels, N bones, K components."""

    source: IntArray
    """(V,) shape point of each mesh vertex; points V_shape.. are labels and bone heads."""
    part: IntArray
    """(V,) index into PARTS."""
    faces: IntArray
    """(F, 3)."""
    mean_m: FloatArray
    """(U, 3): surface points, then J labels, then N bone heads. Soles at y = 0."""
    basis_m: FloatArray
    """(K, U, 3): one standard deviation each."""
    people: FloatArray
    """(people, K) coefficients of the sampled bodies."""
    male: FloatArray
    """(people,) 0..1."""
    years: FloatArray
    """(people,)."""
    weights: FloatArray
    """(V, N) skinning weights."""
    label_bone: IntArray
    """(J,)."""
    parents: IntArray
    """(N,)."""
    bones: tuple[str, ...]
    fields: FloatArray
    """(V, C) static fields, see FIELDS."""


FIELDS = ("arm", "leg", "hair", *(f"noise{i}" for i in range(_NOISE_FIELDS)))


def build(people: int, seed: int, report: Callable[[str], None] = print, skin_vertices: int = SKIN_VERTICES) -> BodyArrays:
    """Reads MakeHuman's data, samples `people` bodies and reduces them to a linear model."""
    folder = makehuman.data_folder()
    mesh = makehuman.read_mesh(folder)
    rig = makehuman.read_rig(folder, mesh)
    report("reading 348 shape targets")
    bank = TargetBank(folder, len(mesh.vertices_m))
    rng = np.random.default_rng(seed)
    persons = [random_phenotype(rng) for _ in range(people)]
    shapes = np.stack([(mesh.vertices_m + bank.shift_m(person)).astype(np.float32) for person in persons])
    mean_m = shapes.mean(axis=0).astype(np.float64)
    marks = landmarks(mesh, rig, mean_m)
    report("simplifying the mesh")
    pieces = _pieces(mesh, rig, mean_m, skin_vertices)
    report("reducing the shapes")
    return _assembled(mesh, rig, marks, pieces, shapes, mean_m, persons)


def _triangles(quads: IntArray) -> IntArray:
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    return triangles[(triangles[:, 0] != triangles[:, 2]) & (triangles[:, 1] != triangles[:, 2])]


def _pieces(mesh: BaseMesh, rig: Rig, mean_m: FloatArray, skin_vertices: int) -> dict[str, IntArray]:
    """Triangles (F, 3) over base vertices of each part."""
    skin = _triangles(mesh.groups["body"])
    skin = skin[_reachable(skin, mean_m)]
    skin = simplify(mean_m.astype(np.float64), skin, _importance(rig, mean_m), skin_vertices)
    arm, leg = limb_coordinates(rig, mean_m)
    tights = _triangles(mesh.groups["helper-tights"])
    y = mean_m[:, 1]
    hips_y = float((rig.heads[rig.names.index("LeftUpLeg")] @ mean_m)[1])
    top = tights[(leg[tights] < 0.6).all(axis=1)]
    bottom = tights[((y[tights] < hips_y + 0.22) & (arm[tights] <= 0)).all(axis=1)]
    shoes = tights[(leg[tights] > 1.55).all(axis=1)]
    eyes = np.concatenate([_triangles(mesh.groups[f"helper-{side}-eye"]) for side in "lr"])
    head = rig.weights[:, rig.names.index("Head")] > 0.5
    growth = _hair(mesh, rig, mean_m)
    scalp = skin[(head[skin] & (growth[skin] > -0.05)).all(axis=1)]
    return {
        "skin": skin,
        "eyes": eyes,
        "scalp": scalp,
        "hair": _triangles(mesh.groups["helper-hair"]),
        "top": top,
        "bottom": bottom,
        "skirt": _triangles(mesh.groups["helper-skirt"]),
        "shoes": shoes,
    }


def _hair(mesh: BaseMesh, rig: Rig, mean_m: FloatArray) -> FloatArray:
    eyes = np.array([makehuman.joint_cube(mesh, f"{side}-eye") @ mean_m for side in "lr"])
    crown = mean_m[np.argmax(np.where(rig.weights[:, rig.names.index("Head")] > 0.5, mean_m[:, 1], -np.inf))]
    return hair_field(mean_m, eyes, crown)


def _importance(rig: Rig, mean_m: FloatArray) -> FloatArray:
    """(V,) the face and the hands keep more triangles than the trunk."""
    head = rig.weights[:, [rig.names.index(name) for name in ("Head",)]].sum(axis=1)
    hands = rig.weights[:, [i for i, name in enumerate(rig.names) if "Hand" in name or "Finger" in name or "Thumb" in name]]
    face = head * (mean_m[:, 2] > (rig.heads[rig.names.index("Head")] @ mean_m)[2])
    return 1.0 + 40.0 * face + 6.0 * head + 4.0 * hands.sum(axis=1)


def _reachable(triangles: IntArray, mean_m: FloatArray) -> NDArray[np.bool_]:
    """(F,) False inside the mouth and behind the eyes: connected by walking outwards is too loose, so by sight from 40 sides."""
    import torch

    from posewire_synth.raster import rasterise

    seen = np.zeros(len(triangles), dtype=np.bool_)
    size = 900
    scale = size / (1.1 * float(np.ptp(mean_m[:, 1])))
    middle = (mean_m.max(axis=0) + mean_m.min(axis=0)) / 2
    for i in range(40):  # Fibonacci sphere
        z = 1 - (2 * i + 1) / 40
        forward = np.array([np.sqrt(1 - z * z) * np.cos(2.39996 * i), z, np.sqrt(1 - z * z) * np.sin(2.39996 * i)])
        right = np.cross(forward, [0.0, 1.0, 0.0])
        right /= np.linalg.norm(right)
        down = np.cross(forward, right)
        x = mean_m - middle
        pixels = np.stack([x @ right, x @ down], axis=1) * scale + size / 2
        depth = x @ forward + 5.0
        found = rasterise(
            torch.tensor(pixels, dtype=torch.float32)[None],
            torch.tensor(depth, dtype=torch.float32)[None],
            torch.tensor(triangles),
            torch.ones(1, len(mean_m)),
            (size, size),
        )
        seen[np.unique(found.face.numpy())] = True
    near = np.zeros(len(mean_m), dtype=np.bool_)
    near[triangles[seen]] = True  # a face all of whose corners are on seen faces closes small holes
    return np.asarray(near[triangles].all(axis=1), dtype=np.bool_)


def _assembled(
    mesh: BaseMesh,
    rig: Rig,
    marks: Landmarks,
    pieces: dict[str, IntArray],
    shapes: FloatArray,
    mean_m: FloatArray,
    persons: list[Any],
) -> BodyArrays:
    base, part, faces = _concatenated(pieces)
    used, source = np.unique(base, return_inverse=True)
    points = np.concatenate([shapes[:, used], _averaged(marks.average, shapes), _averaged(rig.heads, shapes)], axis=1)
    points[..., 1] -= _soles(points, len(used))[:, None]
    mean, basis, coefficients = _components(points)
    arm, leg = limb_coordinates(rig, mean_m)
    static = [arm[base], leg[base], _hair(mesh, rig, mean_m)[base], *_noise(mean_m[base])]
    return BodyArrays(
        source=source.astype(np.int64),
        part=part,
        faces=faces,
        mean_m=mean,
        basis_m=basis,
        people=coefficients,
        male=np.array([person.male for person in persons]),
        years=np.array([person.years for person in persons]),
        weights=rig.weights[base],
        label_bone=marks.bone,
        parents=np.array(rig.parents),
        bones=rig.names,
        fields=np.stack(static, axis=1),
    )


def _averaged(average: FloatArray, shapes: FloatArray) -> FloatArray:
    """Averages (A, V) of every shape (people, V, 3) as (people, A, 3)."""
    return np.moveaxis(np.tensordot(average.astype(np.float32), shapes, axes=(1, 1)), 0, 1)


def _soles(points: FloatArray, surface: int) -> FloatArray:
    """(people,) the lowest surface point of each."""
    return points[:, :surface, 1].min(axis=1)


def _concatenated(pieces: dict[str, IntArray]) -> tuple[IntArray, IntArray, IntArray]:
    """Base vertex and part of each mesh vertex, and faces over mesh vertices: parts share no vertex."""
    base: list[IntArray] = []
    part: list[IntArray] = []
    faces: list[IntArray] = []
    count = 0
    for p, name in enumerate(PARTS):
        used, local = np.unique(pieces[name], return_inverse=True)
        base.append(used)
        part.append(np.full(len(used), p))
        faces.append(local.reshape(-1, 3) + count)
        count += len(used)
    return np.concatenate(base), np.concatenate(part), np.concatenate(faces)


def _components(points: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Mean (U, 3), basis (K, U, 3) scaled to one standard deviation, coefficients (people, K)."""
    count = len(points)
    mean = points.mean(axis=0)
    flat = (points - mean).reshape(count, -1)
    gram = flat @ flat.T
    values, vectors = np.linalg.eigh(gram.astype(np.float64))
    order = np.argsort(values)[::-1][: min(_COMPONENTS, count - 1)]
    basis = (vectors[:, order].T @ flat) / np.sqrt(count)
    coefficients = vectors[:, order] * np.sqrt(count)
    return mean, basis.reshape(len(order), -1, 3), coefficients


def _noise(x: FloatArray) -> list[FloatArray]:
    """Smooth random fields (V,) of unit size over the body: how loose cloth is uneven."""
    rng = np.random.default_rng(7)
    waves = rng.normal(0.0, 1.0, (_NOISE_FIELDS, 3)) * np.linspace(12.0, 55.0, _NOISE_FIELDS)[:, None]
    return [np.sin(x @ wave + phase) for wave, phase in zip(waves, rng.uniform(0, 6.28, _NOISE_FIELDS), strict=True)]
