"""BVH: one person's skeleton and motion, in centimetres and degrees, Y up, for animation programs.

The rest pose is the native T-pose, facing +Z. The root has offset zero and moves by its position channels, so that programs
that add the two and programs that do not agree. Angles are z x y in this order, R = Rz Rx Ry.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from posewire.skeleton import Skeleton
from posewire.take.export.euler import to_zxy
from posewire.take.export.plain import one_word
from posewire.take.export.resample import constant_rate
from posewire.take.recording import Take

_CM = 100.0
_ROTATION_CHANNELS = "Zrotation Xrotation Yrotation"


def bvh_lines(take: Take, person: int) -> Iterator[str]:
    """The lines of a person's BVH file."""
    motion = constant_rate(take, person)
    order = [joint for joint, _ in _depth_first(motion.skeleton)]
    degrees = np.degrees(to_zxy(motion.rotations_wxyz))[:, order].reshape(len(motion.root_m), -1)
    yield "HIERARCHY"
    yield from _hierarchy(motion.skeleton)
    yield "MOTION"
    yield f"Frames: {len(motion.root_m)}"
    yield f"Frame Time: {motion.interval_s:.10f}"
    for root_cm, angles_deg in zip(motion.root_m * _CM, degrees, strict=True):
        yield " ".join(f"{value:.4f}" for value in (*root_cm, *angles_deg))


def _depth_first(skeleton: Skeleton, joint: int = 0, depth: int = 0) -> Iterator[tuple[int, int]]:
    """Joints and their depths in the order of a BVH file."""
    yield joint, depth
    for child, parent in enumerate(skeleton.parents):
        if parent == joint:
            yield from _depth_first(skeleton, child, depth + 1)


def _hierarchy(skeleton: Skeleton) -> Iterator[str]:
    open_braces = 0
    for joint, depth in _depth_first(skeleton):
        yield from _close(open_braces, depth)
        open_braces = depth + 1
        indent = "\t" * depth
        yield f"{indent}{'JOINT' if depth else 'ROOT'} {one_word(skeleton.names[joint])}"
        yield f"{indent}{{"
        yield f"{indent}\tOFFSET {_offset(skeleton, joint) if depth else '0 0 0'}"
        yield f"{indent}\tCHANNELS " + (
            f"3 {_ROTATION_CHANNELS}" if depth else f"6 Xposition Yposition Zposition {_ROTATION_CHANNELS}"
        )
        if joint not in skeleton.parents:
            yield from _end_site(skeleton, joint, indent + "\t")
    yield from _close(open_braces, 0)


def _close(open_braces: int, depth: int) -> Iterator[str]:
    for level in range(open_braces - 1, depth - 1, -1):
        yield "\t" * level + "}"


def _end_site(skeleton: Skeleton, joint: int, indent: str) -> Iterator[str]:
    """A leaf ends as far from its joint as the joint is from its parent, in the same direction."""
    yield f"{indent}End Site"
    yield f"{indent}{{"
    yield f"{indent}\tOFFSET {_offset(skeleton, joint)}"
    yield f"{indent}}}"


def _offset(skeleton: Skeleton, joint: int) -> str:
    return " ".join(f"{value:.4f}" for value in skeleton.offsets_m[joint] * _CM)
