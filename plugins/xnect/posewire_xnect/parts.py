"""Parts of bodies that no link joins to a neck: who they belong to, or whether they are somebody. Numpy only.

A part belongs to whoever lacks it and stands where it would hang: the gap between the two joints that lie nearest to one another
along the skeleton is hardly longer than the bones between them. What fits nobody is somebody who hides the neck. Smaller parts
stay nobody's: single limbs that were given away so went to the wrong person too often (of rendered people kept apart 70.1 % were
found then, 70.6 without).

Shapes: P parts or people, J joints; cells.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from posewire_data.joints import JOINTS
from posewire_xnect.skeleton import BONES, NECK, J
from posewire_xnect.targets import BoolArray, FloatArray

HUMAN_M = {
    **dict.fromkeys(("right_hip", "left_hip"), 0.11),
    **dict.fromkeys(("right_knee", "left_knee", "right_ankle", "left_ankle"), 0.43),
    **dict.fromkeys(("chest", "neck"), 0.25),
    **dict.fromkeys(("nose", "head_top"), 0.13),
    **dict.fromkeys(("right_shoulder", "left_shoulder"), 0.17),
    **dict.fromkeys(("right_elbow", "left_elbow"), 0.30),
    **dict.fromkeys(("right_wrist", "left_wrist"), 0.25),
}
"""Bone to each joint from its parent, roughly: only their proportions count."""
BONES_M = np.array([HUMAN_M[JOINTS[joint]] for joint, _ in BONES])
WITHOUT_NECK = 5
"""Joints of a part; fewer are nobody's."""
FITS = 1.5
"""So many times as long, beside a human's and the median of the person's bones, may the gap be."""
BONES_TO_COMPARE = 3
_ENDS = np.array(BONES)


def _ways_m() -> FloatArray:
    """(J, J) length of the bones between two joints."""
    ways = np.where(np.eye(J, dtype=bool), 0.0, np.inf)
    ways[_ENDS[:, 0], _ENDS[:, 1]] = ways[_ENDS[:, 1], _ENDS[:, 0]] = BONES_M
    for between in range(J):
        ways = np.minimum(ways, ways[:, between, None] + ways[between])
    return ways


_WAYS_M = _ways_m()


def sizes(points: FloatArray) -> FloatArray:
    """(P,) median of each one's bones beside human ones, cells a metre; NaN where fewer than BONES_TO_COMPARE are seen."""
    length = np.linalg.norm(points[:, _ENDS[:, 0]] - points[:, _ENDS[:, 1]], axis=-1) / BONES_M
    enough = np.isfinite(length).sum(axis=1) >= BONES_TO_COMPARE
    return np.array([np.nanmedian(own) if known else np.nan for own, known in zip(length, enough, strict=True)])


def put_together(points: FloatArray, candidate: NDArray[np.int64]) -> NDArray[np.int64]:
    """(people, J) numbers of their peaks: parts are given to whom they fit, largest first, and what is too little is left out.

    Args:
        points: (P, J, 2) of the parts, NaN = unseen.
        candidate: (P, J) numbers of their peaks, -1 = unseen. Whoever has a neck is a person.
    """
    count, has_neck = (candidate >= 0).sum(axis=1), candidate[:, NECK] >= 0
    people = np.flatnonzero(has_neck).tolist()
    parts = np.flatnonzero(~has_neck & (count >= WITHOUT_NECK))
    points, candidate = points.copy(), candidate.copy()
    for part in parts[np.argsort(-count[parts], kind="stable")].tolist():
        owner = _owner(points[people], points[part])
        if owner is None:
            people.append(part)
            continue
        mine = candidate[part] >= 0
        candidate[people[owner], mine], points[people[owner], mine] = candidate[part, mine], points[part, mine]
    return candidate[people]


def _owner(people: FloatArray, part: FloatArray) -> int | None:
    """Number of the person (P, J, 2) whom a part (J, 2) fits best, or None."""
    has, mine = np.isfinite(people[..., 0]), np.isfinite(part[:, 0])
    far = _gaps(people, has, part, mine) / sizes(people)
    far[np.isnan(far) | (has & mine).any(axis=1)] = np.inf
    return int(far.argmin()) if len(far) and far.min() <= FITS else None


def _gaps(people: FloatArray, has: BoolArray, part: FloatArray, mine: BoolArray) -> FloatArray:
    """(P,) from the part to each person, beside the bones that lie between: cells a metre."""
    ways_m = np.where(mine[:, None] & has[:, None], _WAYS_M, np.inf).reshape(len(people), J * J)
    nearest = ways_m.argmin(axis=1)
    row, (here, there) = np.arange(len(people)), np.divmod(nearest, J)
    return np.linalg.norm(people[row, there] - part[here], axis=-1) / np.maximum(ways_m[row, nearest], 1e-6)
