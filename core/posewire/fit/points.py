"""What a method's keypoints mean to the fit: which are markers, what each is worth, and which are each other's mirror image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from posewire.data import FloatArray
from posewire.fit.body import MOST_MARKERS
from posewire.skeleton import MARKERS, REFERENCE, Marker

IntArray = NDArray[np.int64]
NONE = -1
ARMS, LEGS, FACE = 0, 1, 2
GROUPS = 3

_PARTS = {
    ARMS: ("clavicle", "shoulder", "elbow", "wrist", "hand", "thumb", "index", "pinky"),
    LEGS: ("hip", "knee", "ankle", "heel", "toe", "foot"),
    FACE: ("eye", "ear", "mouth"),
}
# Share of a limb joint's weight. Faces and hands have many points for few angles, and are seen small.
_SHARES = {
    **dict.fromkeys(("nose", "eye", "ear", "mouth", "top"), 0.15),
    **dict.fromkeys(("heel", "toe", "foot"), 0.4),
    **dict.fromkeys(("hand", "thumb", "index", "pinky"), 0.1),
}
_UNSEEN_JOINT_SHARE = 0.3
_SIDES, _FEET = ("left", "right"), [(tip, base) for base in ("heel", "ankle") for tip in ("toe", "foot_index")]
_FRONT = (
    [("nose", "left_shoulder", "right_shoulder")],
    *([(f"{side}_knee", f"{side}_hip", f"{side}_ankle")] for side in _SIDES),
    *([(f"{side}_{tip}", f"{side}_{base}", f"{side}_{base}") for tip, base in _FEET] for side in _SIDES),
)
"""What shows where the front is; of each the first that a method has."""


class Points(NamedTuple):
    """The markers among a method's J keypoints; the rest of the M have no column and no share."""

    column: IntArray
    """(M,) keypoint of each marker, NONE = there is no such marker."""
    share: FloatArray
    """(M,) weight relative to a limb joint."""
    joint_share: FloatArray
    """(N,) the same for each joint of the skeleton."""
    showing: FloatArray
    """(N, M) rows sum to 1: the markers that show each joint."""
    partner: IntArray
    """(M,) the marker on the other side, itself in the middle."""
    group: IntArray
    """(M,) ARMS, LEGS, FACE or NONE: what a method confuses left and right of together."""
    hips: IntArray
    """(2,) left and right hip, NONE where the method has none."""
    shoulders: IntArray
    """(2,) left and right shoulder."""
    front: IntArray
    """(5, 3) markers: nose, knees, toes, and two each whose middle lies behind. NONE where the method lacks one."""


def marker_names(keypoint_names: Sequence[str]) -> list[str]:
    """The keypoints that lie on the native skeleton, in the method's order."""
    return [name for name in keypoint_names if name in MARKERS]


def make_points(keypoint_names: Sequence[str]) -> Points:
    """Reads the meaning of each keypoint from its name."""
    names = marker_names(keypoint_names)
    count, place = len(names), {name: m for m, name in enumerate(names)}
    column, group = np.full(MOST_MARKERS, NONE, dtype=np.int64), np.full(MOST_MARKERS, NONE, dtype=np.int64)
    share, partner, showing = (
        np.zeros(MOST_MARKERS),
        np.arange(MOST_MARKERS, dtype=np.int64),
        np.zeros((len(REFERENCE.names), MOST_MARKERS)),
    )
    column[:count] = [k for k, name in enumerate(keypoint_names) if name in MARKERS]
    share[:count] = [_share(name) for name in names]
    partner[:count] = [place.get(_mirrored(name), m) for m, name in enumerate(names)]
    group[:count] = [_group(name) if partner[m] != m else NONE for m, name in enumerate(names)]
    markers = [MARKERS[name] for name in names]
    showing[:, :count] = _showing(markers)
    hips, shoulders = (np.array([place.get(f"{side}_{part}", NONE) for side in _SIDES]) for part in ("hip", "shoulder"))
    front = np.array([_first_known(triplets, place) for triplets in _FRONT])
    return Points(column, share, _joint_share(markers, share[:count]), showing, partner, group, hips, shoulders, front)


def _first_known(triplets: Sequence[tuple[str, ...]], place: Mapping[str, int]) -> list[int]:
    return next(([place[name] for name in names] for names in triplets if all(name in place for name in names)), [NONE] * 3)


def _words(name: str) -> list[str]:
    return name.split("_")


def _mirrored(name: str) -> str:
    other = {"left": "right", "right": "left"}
    return "_".join(other.get(word, word) for word in _words(name))


def _share(name: str) -> float:
    return min((_SHARES[word] for word in _words(name) if word in _SHARES), default=1.0)


def _group(name: str) -> int:
    return next((group for group, parts in _PARTS.items() if any(word in parts for word in _words(name))), NONE)


def _joint_share(markers: Sequence[Marker], share: FloatArray) -> FloatArray:
    """The joint's best marker; a joint without one follows its neighbours."""
    best = np.zeros(len(REFERENCE.names))
    for marker, worth in zip(markers, share, strict=True):
        joint = REFERENCE.index(marker.joint)
        best[joint] = max(best[joint], worth)
    return np.where(best > 0, best, _UNSEEN_JOINT_SHARE)


def _showing(markers: Sequence[Marker]) -> FloatArray:
    """A joint is shown by the marker at its centre, else by those it carries, else by those nearest in the tree."""
    if not markers:  # a method that speaks of other points: nobody is fitted
        return np.zeros((len(REFERENCE.names), 0))
    hops = _hops()
    distance = np.array([hops[:, REFERENCE.index(m.joint)] + (0.5 if any(m.offset_m) else 0.0) for m in markers]).T
    nearest = distance == distance.min(axis=1, keepdims=True)
    return nearest / nearest.sum(axis=1, keepdims=True)


def _hops() -> IntArray:
    """(N, N) bones between two joints."""
    N = len(REFERENCE.names)
    hops = np.full((N, N), N, dtype=np.int64)
    np.fill_diagonal(hops, 0)
    for child, parent in enumerate(REFERENCE.parents[1:], start=1):
        hops[child, :child] = hops[parent, :child] + 1
        hops[:child, child] = hops[child, :child]
    return hops
