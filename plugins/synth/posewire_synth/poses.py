"""Poses as local rotations of Posewire's native skeleton: from CMU motion, mixed, and random inside the joints' limits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree
from scipy.spatial.transform import Rotation

from posewire.skeleton import REFERENCE
from posewire_data import cmu
from posewire_data.bvh import Bvh, parse_bvh

FloatArray = NDArray[np.floating[Any]]

DRIVEN: tuple[str, ...] = tuple(name for name in REFERENCE.names if not name.endswith(("hand", "heel", "toe")))
"""The joints whose local rotations make a pose, parents first; the first is the pelvis, whose rotation is in the world."""

_PARENT = {name: REFERENCE.names[REFERENCE.parents[REFERENCE.index(name)]] for name in DRIVEN[1:]}
PARENTS: tuple[int, ...] = (-1, *(DRIVEN.index(_PARENT[name]) for name in DRIVEN[1:]))

_SOURCES = {"pelvis": "hip", "spine": "abdomen", "chest": "chest", "neck": "neck", "head": "head"}
_SIDED_SOURCES = {
    "clavicle": "Collar",
    "shoulder": "Shldr",
    "elbow": "ForeArm",
    "wrist": "Hand",
    "hip": "Thigh",
    "knee": "Shin",
    "ankle": "Foot",
}
_GLITCH_DEG_S = 1500.0
"""A limb of these subjects turns at most about 1,100 degrees a second; the conversion's jumps are far beyond."""
_SETTLING_FRAMES = 30
"""The conversion begins with a T-pose and blends out of it."""


def read_cmu(folder: Path, step: int) -> Iterator[tuple[str, FloatArray]]:
    """Subject ("05") and local rotations (F, D, 4) wxyz of every BVH file below a folder or in its archives, every `step`-th
    frame, glitches left out."""
    for name, text in cmu.texts(folder):
        if (subject := cmu.subject_of(name)) is None:
            continue
        bvh = parse_bvh(text, name)
        world = _world_matrices(bvh)
        keep = np.zeros(len(world), dtype=np.bool_)
        keep[_SETTLING_FRAMES::step] = True
        keep &= ~_glitches(world, bvh.frame_time_s)
        if keep.any():
            yield subject, to_local(world[keep])


def _world_matrices(bvh: Bvh) -> FloatArray:
    """(F, D, 3, 3) turn of each driven joint from the T-pose: the file's own rest has slightly bent arms and legs."""
    _, rotations = bvh.transforms()
    world = np.empty((len(rotations), len(DRIVEN), 3, 3))
    for d, name in enumerate(DRIVEN):
        side, _, joint = name.rpartition("_")
        source = f"{side[0]}{_SIDED_SOURCES[joint]}" if side else _SOURCES[name]
        turn = _rest_turn(bvh, source, joint, side)
        world[:, d] = rotations[:, bvh.names.index(source)] @ turn
    return world


_ENDS = {"shoulder": "ForeArm", "elbow": "Hand", "wrist": "Mid1", "hip": "Shin", "knee": "Foot"}


def _rest_turn(bvh: Bvh, source: str, joint: str, side: str) -> FloatArray:
    """The least turn from the bone's T-pose direction to its direction in the file's rest pose."""
    if joint not in _ENDS:
        return np.eye(3)
    end = bvh.offsets[bvh.names.index(source[0] + _ENDS[joint])]
    sign = 1.0 if side == "left" else -1.0
    rest = np.array([sign, 0.0, 0.0]) if joint in ("shoulder", "elbow", "wrist") else np.array([0.0, -1.0, 0.0])
    return least_turn(rest, end / np.linalg.norm(end))


def least_turn(a: FloatArray, b: FloatArray) -> FloatArray:
    """The rotation matrix (3, 3) by the smallest angle that takes unit vector a to b."""
    v, c = np.cross(a, b), float(a @ b)
    K = np.array([[0, -v[2], v[1]], [v[2], 0, -v[0]], [-v[1], v[0], 0]])
    return np.eye(3) + K + K @ K / (1 + c)


def _glitches(world: FloatArray, frame_time_s: float) -> NDArray[np.bool_]:
    """(F,) True near a jump."""
    relative = np.swapaxes(world[:-1], -1, -2) @ world[1:]
    cosine = (np.trace(relative, axis1=-2, axis2=-1) - 1) / 2
    speed_deg_s = np.degrees(np.arccos(np.clip(cosine, -1, 1))).max(axis=1) / frame_time_s
    jumps = np.concatenate([[False], speed_deg_s > _GLITCH_DEG_S])
    margin = np.ones(2 * round(0.1 / frame_time_s) + 1)
    return np.convolve(jumps, margin, mode="same") > 0


def to_local(world: FloatArray) -> FloatArray:
    """World turns (F, D, 3, 3) to local rotations (F, D, 4) wxyz."""
    local = world.copy()
    for d, parent in enumerate(PARENTS):
        if parent >= 0:
            local[:, d] = np.swapaxes(world[:, parent], -1, -2) @ world[:, d]
    xyzw = Rotation.from_matrix(local.reshape(-1, 3, 3)).as_quat().reshape(*local.shape[:2], 4)
    return xyzw[..., [3, 0, 1, 2]]


def joint_positions_m(local_wxyz: FloatArray) -> FloatArray:
    """(F, N, 3) of the reference skeleton in these poses, pelvis at the origin."""
    full = np.zeros((len(local_wxyz), len(REFERENCE.names), 4))
    full[..., 0] = 1.0
    full[:, [REFERENCE.index(name) for name in DRIVEN]] = local_wxyz
    return REFERENCE.positions_m(np.zeros(3), full)


def rarity(local_wxyz: FloatArray) -> FloatArray:
    """(F,) weights that even out the density of poses: far from one's 8th neighbour counts more (heading ignored)."""
    upright = local_wxyz.copy()
    upright[:, 0] = _without_heading(upright[:, 0])
    joints = joint_positions_m(upright).reshape(len(upright), -1)
    distance = KDTree(joints).query(joints, k=min(9, len(joints)))[0][:, -1]
    weight = np.minimum(distance, np.quantile(distance, 0.98)) ** 1.5
    return weight / weight.sum()


def _without_heading(root_wxyz: FloatArray) -> FloatArray:
    """The pelvis turned about the vertical so that it faces +Z."""
    root = Rotation.from_quat(root_wxyz[:, [1, 2, 3, 0]])
    forward = root.apply([0.0, 0.0, 1.0])
    heading = np.arctan2(forward[:, 0], forward[:, 2])
    turned = Rotation.from_euler("y", -heading[:, None]) * root
    return turned.as_quat()[:, [3, 0, 1, 2]]


_LEGS = tuple(i for i, name in enumerate(DRIVEN) if name.endswith(("hip", "knee", "ankle")))


def mixed(local_wxyz: FloatArray, count: int, rng: np.random.Generator) -> FloatArray:
    """Upper bodies of some frames on the legs of others, without collisions."""
    poses = local_wxyz[rng.integers(len(local_wxyz), size=count * 2)].copy()
    others = rng.integers(len(local_wxyz), size=count * 2)
    for d in (0, *_LEGS):
        poses[:, d] = local_wxyz[others, d]
    return poses[~collides(joint_positions_m(poses))][:count]


_FAMILIES: dict[str, tuple[float, dict[str, tuple[float, float]]]] = {
    "standing": (0.40, {"hip_flexion": (-40, 12), "knee_flexion": (0, 35)}),
    "striding": (0.20, {"hip_flexion": (-110, 35), "knee_flexion": (0, 120)}),
    "sitting": (0.22, {"hip_flexion": (-115, -60), "knee_flexion": (20, 115)}),
    "squatting": (0.18, {"hip_flexion": (-135, -70), "knee_flexion": (70, 150)}),
}
"""Share and ranges in degrees of the leg angles; both legs draw on their own except that sitting and squatting legs are alike."""
_TAME = {
    "clavicle": 0.5,
    "spine": 0.7,
    "chest": 0.7,
    "neck": 0.6,
    "head": 0.6,
    "hip": 0.6,
    "ankle": 0.5,
    "wrist": 0.6,
    "shoulder": 0.9,
}
"""The part of a joint's range that people use without effort."""


def random(count: int, rng: np.random.Generator) -> FloatArray:
    """Random poses (count, D, 4) inside the limits, without collisions; some bend over, lean or lie."""
    found: list[FloatArray] = []
    while sum(len(rows) for rows in found) < count:
        poses = _random(count, rng)
        found.append(poses[~collides(joint_positions_m(poses))])
    return np.concatenate(found)[:count]


def _random(count: int, rng: np.random.Generator) -> FloatArray:
    limits = np.degrees(REFERENCE.limits_rad)  # (D, 2)
    names = REFERENCE.dof_names
    shape = rng.beta(2.0, 2.0, (count, len(names)))
    angles = limits[:, 0] + shape * (limits[:, 1] - limits[:, 0])
    for d, dof in enumerate(REFERENCE.dofs):
        tame = _TAME.get(dof.joint.rpartition("_")[2], 1.0)
        angles[:, d] *= tame
    share = np.array([row[0] for row in _FAMILIES.values()])
    family = rng.choice(len(share), size=count, p=share / share.sum())
    for f, (name, (_, ranges)) in enumerate(_FAMILIES.items()):
        rows = family == f
        for movement, (low, high) in ranges.items():
            left = rng.uniform(low, high, rows.sum())
            right = (
                left + rng.normal(0, 8, rows.sum()) if name in ("sitting", "squatting") else rng.uniform(low, high, rows.sum())
            )
            angles[rows, names.index(f"left_{movement}")] = left
            angles[rows, names.index(f"right_{movement}")] = right
    angles = np.clip(angles, limits[:, 0], limits[:, 1])
    root = np.stack([rng.normal(8, 14, count), rng.uniform(-180, 180, count), rng.normal(0, 8, count)], axis=1)
    free = rng.random(count) < 0.15
    root[free] = rng.uniform(-180, 180, (int(free.sum()), 3))
    turn = Rotation.from_euler("YXZ", root[:, [1, 0, 2]], degrees=True).as_quat()[:, [3, 0, 1, 2]]
    full = REFERENCE.joint_rotations(np.radians(angles), turn)
    return full[:, [REFERENCE.index(name) for name in DRIVEN]]


_CAPSULES: tuple[tuple[str, str, float], ...] = (
    ("pelvis", "neck", 0.13),
    ("head", "head", 0.11),
    *((f"{s}_elbow", f"{s}_hand", 0.045) for s in ("left", "right")),
    *((f"{s}_hip", f"{s}_knee", 0.075) for s in ("left", "right")),
    *((f"{s}_knee", f"{s}_ankle", 0.055) for s in ("left", "right")),
    *((f"{s}_shoulder", f"{s}_elbow", 0.05) for s in ("left", "right")),
)
"""Joint, joint, radius in metres of the reference stature."""


def collides(joints_m: FloatArray) -> NDArray[np.bool_]:
    """(F,) True where two body parts that are no neighbours share space; (F, N, 3) positions of the reference skeleton."""
    t = np.linspace(0.05, 0.95, 7)[:, None]
    samples: list[FloatArray] = []
    for a, b, _ in _CAPSULES:
        start, end = joints_m[:, None, REFERENCE.index(a)], joints_m[:, None, REFERENCE.index(b)]
        samples.append(start + t * (end - start))
    hit = np.zeros(len(joints_m), dtype=np.bool_)
    for i, (a, b, radius_i) in enumerate(_CAPSULES):
        for j in range(i):
            c, d, radius_j = _CAPSULES[j]
            if _neighbours({a, b}, {c, d}):
                continue
            gap = np.linalg.norm(samples[i][:, :, None] - samples[j][:, None], axis=-1).min(axis=(1, 2))
            hit |= gap < radius_i + radius_j
    return hit


def _neighbours(first: set[str], second: set[str]) -> bool:
    """True where two capsules meet at a joint, or hang on the trunk."""
    if first & second:
        return True
    trunk, other = ({"pelvis", "neck"}, first) if second == {"pelvis", "neck"} else ({"pelvis", "neck"}, second)
    if trunk in (first, second):
        return any(name.endswith(("shoulder", "hip")) for name in other) or other == {"head"}
    return all(name.endswith(("hip", "knee")) for name in first | second)
