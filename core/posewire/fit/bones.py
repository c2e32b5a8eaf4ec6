"""The method's 3D with the skeleton's bone lengths: directions kept, lengths imposed (Mehta 2020, section 8.2.1).

Only rigid bones are replaced (hip-knee, shoulder-elbow, ...). What hangs on the bending trunk (shoulders, face) keeps its
direction from the root and is scaled by the person's size as the method sees it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from posewire.data import FloatArray
from posewire.fit.body import MOST_MARKERS, Body
from posewire.fit.compiled import kernel
from posewire.skeleton import Marker, Skeleton

IntArray = NDArray[np.int64]
NO_BONE = -1

_HALF_TRUST = 0.5
"""Logarithm of how many times too long or too short a bone is whose end counts half."""

RIGID = ("elbow", "wrist", "hand", "knee", "ankle", "heel", "toe")
"""Joints whose bone from the parent joint is rigid and whose parent joint methods see."""


class Bones(NamedTuple):
    """Bones between markers."""

    order: IntArray
    """(M,) markers, a bone's start before its end."""
    start: IntArray
    """(M,) marker at the other end of the rigid bone that ends here; NO_BONE = none."""


def make_bones(skeleton: Skeleton, markers: Sequence[Marker]) -> Bones:
    """Finds the rigid bones whose two ends are both markers."""
    centres = {marker.joint: m for m, marker in enumerate(markers) if not any(marker.offset_m)}
    start, depth = np.full(MOST_MARKERS, NO_BONE, dtype=np.int64), np.full(MOST_MARKERS, np.inf)
    start[: len(markers)] = [_bone_start(skeleton, marker, centres, m) for m, marker in enumerate(markers)]
    depth[: len(markers)] = [skeleton.index(marker.joint) + (0.5 if any(marker.offset_m) else 0.0) for marker in markers]
    return Bones(np.argsort(depth, kind="stable").astype(np.int64), start)


def _bone_start(skeleton: Skeleton, marker: Marker, centres: dict[str, int], m: int) -> int:
    part = marker.joint.split("_")[-1]
    if any(marker.offset_m):
        return centres.get(marker.joint, NO_BONE) if part != "head" else NO_BONE
    if part not in RIGID or centres[marker.joint] != m:
        return NO_BONE
    return centres.get(skeleton.names[skeleton.parents[skeleton.index(marker.joint)]], NO_BONE)


@kernel
def _bone_length(body: Body, bones: Bones, m: int) -> float:
    joint, start = body.marker_joint[m], body.marker_joint[bones.start[m]]
    o = body.marker_offset_m[m] if joint == start else body.offsets_m[joint]
    return np.sqrt(o[0] * o[0] + o[1] * o[1] + o[2] * o[2])


@kernel
def impose_lengths(body: Body, bones: Bones, raw_m: FloatArray, scale: float, out_m: FloatArray, trust: FloatArray) -> None:
    """Root-relative raw (M, 3), NaN = unseen, to out (M, 3) with the skeleton's bone lengths; `trust` (M,) 0..1 by how much of
    its length a bone had before."""
    for m in bones.order:
        start = bones.start[m]
        length, trust[m] = 0.0, 1.0
        if start != NO_BONE:
            for i in range(3):
                length += (raw_m[m, i] - raw_m[start, i]) ** 2
        if length > 1e-12:  # False for NaN
            factor = _bone_length(body, bones, m) / np.sqrt(length)
            trust[m] = _trust(scale / factor)
            for i in range(3):
                out_m[m, i] = out_m[start, i] + factor * (raw_m[m, i] - raw_m[start, i])
        else:
            for i in range(3):
                out_m[m, i] = scale * raw_m[m, i]


@kernel
def distrust_pair(body: Body, pair: IntArray, raw_m: FloatArray, scale: float, trust: FloatArray) -> None:
    """Trusts hips or shoulders (2,) less that are nearer to each other than at rest: the method is between two opinions."""
    if min(pair[0], pair[1]) < 0:
        return
    left, right = pair[0], pair[1]
    seen2 = rest = 0.0
    for i in range(3):
        seen2 += (raw_m[left, i] - raw_m[right, i]) ** 2
    for joint in (body.marker_joint[left], body.marker_joint[right]):
        while joint > 0:
            rest += abs(body.offsets_m[joint, 0])
            joint = body.parents[joint]
    if seen2 > 0.0 and rest > 0.0:  # False for NaN
        trust[left] = trust[right] = _trust(min(scale * np.sqrt(seen2) / rest, 1.0))


@kernel
def _trust(ratio: float) -> float:
    """Of a bone seen `ratio` times as long as it is."""
    far = np.log(max(ratio, 1e-3)) / _HALF_TRUST
    return 1.0 / (1.0 + far * far)
