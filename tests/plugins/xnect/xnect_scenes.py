"""People who stand in a row and wave their arms across one another, in cells of the maps."""

from __future__ import annotations

import numpy as np

from posewire_data.joints import JOINTS
from posewire_xnect.encodings import bones, joints
from posewire_xnect.skeleton import LINKS, NECK, J
from posewire_xnect.targets import BoolArray, FloatArray

SHAPE = (40, 64)
"""Maps of a 512 x 320 picture."""
_X = (0.0, -0.1, -0.12, -0.13, 0.1, 0.12, 0.13, 0.0, 0.0, 0.0, 0.0, 0.17, 0.22, 0.24, -0.17, -0.22, -0.24)
_Y = (0.0, 0.0, 0.42, 0.84, 0.0, 0.42, 0.84, -0.25, -0.5, -0.62, -0.72, -0.48, -0.2, 0.05, -0.48, -0.2, 0.05)
STANDING_M = np.stack([_X, _Y, np.zeros(J)], axis=1)
_ARMS = [JOINTS.index(f"{side}_{part}") for side in ("left", "right") for part in ("elbow", "wrist")]
_LEGS = [JOINTS.index(f"{side}_{part}") for side in ("left", "right") for part in ("knee", "ankle")]


def posed(rng: np.random.Generator) -> FloatArray:
    """(J, 3) metres from the pelvis: arms anywhere, legs and trunk swaying, every bone at some depth."""
    turn = rng.normal(0.0, 0.15, J)
    turn[_LEGS], turn[_ARMS] = rng.normal(0.0, 0.5, 4), rng.uniform(-np.pi, np.pi, 4)
    x, y = bones(STANDING_M)[:, :2].T
    cos, sin = np.cos(turn), np.sin(turn)
    depth = rng.normal(0.0, 0.1, J) * (np.arange(J) > 0)
    return joints(np.stack([cos * x - sin * y, sin * x + cos * y, depth], axis=1))


def row(seed: int, people: int) -> tuple[FloatArray, FloatArray]:
    """Points (P, J, 2) in cells and joints (P, J, 3) in metres, camera axes."""
    rng = np.random.default_rng(seed)
    joints_m = np.stack([posed(rng) for _ in range(people)])
    x = SHAPE[1] * (np.arange(people) + 1) / (people + 1) + rng.uniform(-2, 2, people)
    centre = np.stack([x, rng.uniform(15, 22, people)], axis=1)
    scale = rng.uniform(12, 20, (people, 1, 1)) * min(1.0, 4 / people)  # cells a metre
    points = joints_m[..., :2] * scale + centre[:, None]
    away = np.stack([np.zeros(people), np.zeros(people), rng.uniform(3, 6, people)], axis=1)
    return points, joints_m + away[:, None]


def ranks(seed: int, rows: int, columns: int) -> tuple[FloatArray, FloatArray]:
    """The same of people who stand in ranks, so small that hardly any touch."""
    rng = np.random.default_rng(seed)
    joints_m = np.stack([posed(rng) for _ in range(rows * columns)])
    y, x = np.divmod(np.arange(rows * columns), columns)
    centre = np.stack([(x + 0.5) * SHAPE[1] / columns, (y + 0.45) * SHAPE[0] / rows], axis=1)
    points = joints_m[..., :2] * 0.5 * SHAPE[0] / rows + centre[:, None]
    return points, joints_m + np.array([0.0, 0.0, 5.0])


def inside(points: FloatArray) -> BoolArray:
    """(P, J) of points in the picture."""
    return ((points >= 0) & (points <= np.array(SHAPE)[::-1] - 1)).all(axis=-1)


def reachable(visible: BoolArray) -> BoolArray:
    """(P, J): what a chain of visible joints connects to the neck."""
    found = visible & (np.arange(J) == NECK)
    for _ in range(J):
        for a, b in LINKS:
            both = visible[:, a] & visible[:, b] & (found[:, a] | found[:, b])
            found[both, a] = found[both, b] = True
    return found


def apart(points: FloatArray, visible: BoolArray, cells: float) -> bool:
    """True where no two people's same joints are nearer than so many cells: their peaks stay two."""
    for one in range(len(points)):
        for other in range(one):
            both = visible[one] & visible[other]
            if (np.linalg.norm(points[one] - points[other], axis=-1)[both] < cells).any():
                return False
    return True
