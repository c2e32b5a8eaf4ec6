"""The skeleton as flat arrays for the kernels, and the arrays that the kernels work in.

Unknowns, P = 6 + D: root translation 3, root rotation 3 (tangent space, world axes), joint angles D. Forces of the residuals act
on places, N + M: the joints first, then the markers. All bodies have room for MOST_MARKERS, M, so that every method's arrays are
of one type to numba; the rest of each array is not read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from posewire.data import FloatArray
from posewire.fit.rows import WIDTH
from posewire.skeleton import MARKERS, REFERENCE, Marker, Skeleton

IntArray = NDArray[np.int64]
ROOT_UNKNOWNS = 6
MOST_MARKERS = len(MARKERS)


class Body(NamedTuple):
    """What the kernels know about one person's skeleton and the points that a method sees on it."""

    parents: IntArray
    """(N,) parent joint, -1 for the root."""
    offsets_m: FloatArray
    """(N, 3) rest offset from the parent; the root's is not used."""
    first_dof: IntArray
    """(N + 1,) the angles of joint j are first_dof[j] .. first_dof[j + 1] - 1, its twist last."""
    twist: IntArray
    """(N,) 1 where the joint's last angle is a twist."""
    axes: FloatArray
    """(D, 3) unit axes."""
    limits_rad: FloatArray
    """(D, 2) lower, upper."""
    twist_from: FloatArray
    """(N, 3) where the axis of a joint's twist points, in the parent's axes, in the pose from which its range is carried."""
    markers: int
    """How many markers there are."""
    marker_joint: IntArray
    """(M,) joint that carries the marker."""
    marker_place: IntArray
    """(M,) the joint where the marker lies at its centre, else N + m."""
    marker_offset_m: FloatArray
    """(M, 3) in the joint's rest axes."""


class Workspace(NamedTuple):
    """Scratch arrays; `[2, ...]` arrays hold the best pose so far and the trial."""

    root_m: FloatArray
    """(2, 3)"""
    root_wxyz: FloatArray
    """(2, 4)"""
    angles_rad: FloatArray
    """(2, D)"""
    joints_m: FloatArray
    """(2, N, 3)"""
    rotations: FloatArray
    """(2, N, 3, 3) joint axes to world axes."""
    markers_m: FloatArray
    """(2, M, 3)"""
    swings: FloatArray
    """(2, N, 5) of each joint's swing: its vector, and the two shares of its left Jacobian."""
    motions: FloatArray
    """(P, 12) spatial axis of each unknown about the root, at the pose last linearised: angular, 0, linear, 0s."""
    energies: FloatArray
    """(2, T) energy of each term."""
    loads: FloatArray
    """(2, N + M, 2, 3, 4) at each place, of absolute and of root-relative residuals: weight (3, 3) and force (3)."""
    angle_loads: FloatArray
    """(2, 2, D) the same of the residuals of an angle: weight, slope."""
    forms: FloatArray
    """(N + 1, 9, 12) quadratic form of each subtree in its motion and the root's translation, and its gradient (inertia.py)."""
    subtrees: FloatArray
    """(N, 6, 12) the same of whole subtrees with no unknown eliminated."""
    response: FloatArray
    """(P, 12) an unknown's row of that form when it was eliminated."""
    pivot: FloatArray
    """(P,) the inverse of its own entry."""
    scale: FloatArray
    """(P,) diagonal of the matrix where the solve began."""
    step: FloatArray
    """(P,)"""


def make_body(skeleton: Skeleton, markers: Sequence[Marker]) -> Body:
    """Flattens a skeleton and its markers; marker offsets scale with the size of the part that carries them."""
    joints, N, count = skeleton.dof_joints, len(skeleton.names), len(markers)
    if np.any(np.diff(joints) < 0):
        raise ValueError("the angles of a skeleton must be in the order of its joints")
    first_dof = np.searchsorted(joints, np.arange(N + 1)).astype(np.int64)
    twist = np.zeros(N, dtype=np.int64)
    twist[joints[skeleton.dof_is_twist]] = 1
    marker_joint, marker_place = np.zeros(MOST_MARKERS, dtype=np.int64), N + np.arange(MOST_MARKERS)
    offsets_m = np.zeros((MOST_MARKERS, 3))
    marker_joint[:count] = [skeleton.index(marker.joint) for marker in markers]
    offsets_m[:count] = np.array([marker.offset_m for marker in markers], dtype=np.float64).reshape(-1, 3)
    offsets_m *= part_scale(skeleton)[marker_joint, None]
    marker_place = np.where(offsets_m.any(axis=1), marker_place, marker_joint)
    parents = np.array(skeleton.parents, dtype=np.int64)
    angles = (first_dof, twist, skeleton.dof_axes.copy(), skeleton.limits_rad.copy(), skeleton.twist_from.copy())
    return Body(parents, skeleton.offsets_m.copy(), *angles, count, marker_joint, marker_place, offsets_m)


def part_scale(skeleton: Skeleton) -> FloatArray:
    """(N,) size of a joint's part relative to the reference skeleton: of the bone that ends at it."""
    reference = np.maximum(REFERENCE.bone_lengths_m, 1e-9)
    if len(skeleton.names) != len(reference):
        return np.ones(len(skeleton.names))
    return skeleton.bone_lengths_m / reference


def make_workspace(body: Body, terms: int) -> Workspace:
    """Everything that a solve needs, allocated once."""
    N, M, D = len(body.parents), len(body.marker_joint), len(body.axes)
    P, z = ROOT_UNKNOWNS + D, np.zeros
    pose = (z((2, 3)), np.tile([1.0, 0.0, 0.0, 0.0], (2, 1)), z((2, D)))
    motions = z((P, WIDTH))
    motions[3:6, :3] = np.eye(3)  # the root's rotations do not change; its translation is no motion of a joint (inertia.py)
    geometry = (z((2, N, 3)), z((2, N, 3, 3)), z((2, M, 3)), z((2, N, 5)), motions, z((2, terms)))
    sums = (z((2, N + M, 2, 3, 4)), z((2, 2, D)), z((N + 1, 9, WIDTH)), z((N, 6, WIDTH)), z((P, WIDTH)))
    return Workspace(*pose, *geometry, *sums, z(P), z(P), z(P))
