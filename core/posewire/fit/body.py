"""The skeleton as flat arrays for the kernels, and the arrays that the kernels work in.

Unknowns, P = 6 + D: root translation 3, root rotation 3 (tangent space, world axes), joint angles D. Each unknown knows the
chain of unknowns between it and the root; everything that the solver stores per unknown is indexed by the place in that chain.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from posewire.data import FloatArray
from posewire.skeleton import REFERENCE, Marker, Skeleton

IntArray = NDArray[np.int64]
ROOT_UNKNOWNS = 6


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
    joint_of: IntArray
    """(P,) joint that an unknown moves."""
    depth: IntArray
    """(P,) number of unknowns between this one and the root."""
    chain: IntArray
    """(P, C) chain[k, e] is the unknown at depth e on the way from the root to k, k itself last."""
    marker_joint: IntArray
    """(M,) joint that carries the marker."""
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
    energies: FloatArray
    """(2, T) energy of each term."""
    hessian: FloatArray
    """(2, P, C) rows along the chains."""
    gradient: FloatArray
    """(2, P)"""
    motions: FloatArray
    """(P, 6) spatial axis of each unknown about the root: angular, linear."""
    inertia: FloatArray
    """(N, 36) of a joint, then of its subtree: the symmetric 6 x 6 weight of the residuals with a direction (21), then the force
    rows of the absolute ones (15)."""
    isotropic: FloatArray
    """(N, 2, 10) the residuals without direction as rigid inertias: absolute, root-relative; folded into `inertia`."""
    wrench: FloatArray
    """(N, 2, 6) gradient: absolute, root-relative."""
    factor: FloatArray
    """(P, C)"""
    step: FloatArray
    """(P,)"""


def make_body(skeleton: Skeleton, markers: Sequence[Marker]) -> Body:
    """Flattens a skeleton and its markers; marker offsets scale with the size of the part that carries them."""
    joints = skeleton.dof_joints
    if np.any(np.diff(joints) < 0):
        raise ValueError("the angles of a skeleton must be in the order of its joints")
    first_dof = np.searchsorted(joints, np.arange(len(skeleton.names) + 1)).astype(np.int64)
    twist = np.zeros(len(skeleton.names), dtype=np.int64)
    twist[joints[skeleton.dof_is_twist]] = 1
    joint_of = np.concatenate([np.zeros(ROOT_UNKNOWNS, dtype=np.int64), joints])
    depth, chain = _chains(skeleton, first_dof)
    marker_joint = np.array([skeleton.index(marker.joint) for marker in markers], dtype=np.int64)
    scale = part_scale(skeleton)[marker_joint]
    offsets = np.array([marker.offset_m for marker in markers], dtype=np.float64).reshape(-1, 3) * scale[:, None]
    parents = np.array(skeleton.parents, dtype=np.int64)
    arrays = (skeleton.offsets_m.copy(), first_dof, twist, skeleton.dof_axes.copy(), skeleton.limits_rad.copy())
    return Body(parents, *arrays, joint_of, depth, chain, marker_joint, offsets)


def part_scale(skeleton: Skeleton) -> FloatArray:
    """(N,) size of a joint's part relative to the reference skeleton: of the bone that ends at it."""
    reference = np.maximum(REFERENCE.bone_lengths_m, 1e-9)
    if len(skeleton.names) != len(reference):
        return np.ones(len(skeleton.names))
    return skeleton.bone_lengths_m / reference


def _chains(skeleton: Skeleton, first_dof: IntArray) -> tuple[IntArray, IntArray]:
    joints = skeleton.dof_joints
    chains = [list(range(k + 1)) for k in range(ROOT_UNKNOWNS)]
    for dof, joint in enumerate(joints):
        chains.append([*chains[_before(skeleton, first_dof, dof, int(joint))], ROOT_UNKNOWNS + dof])
    depth = np.array([len(chain) - 1 for chain in chains], dtype=np.int64)
    table = np.zeros((len(chains), int(depth.max()) + 1), dtype=np.int64)
    for k, chain in enumerate(chains):
        table[k, : len(chain)] = chain
    return depth, table


def _before(skeleton: Skeleton, first_dof: IntArray, dof: int, joint: int) -> int:
    """The unknown next to this one towards the root."""
    if dof > first_dof[joint]:
        return ROOT_UNKNOWNS + dof - 1
    parent = skeleton.parents[joint]
    while parent > 0 and first_dof[parent] == first_dof[parent + 1]:
        parent = skeleton.parents[parent]
    return ROOT_UNKNOWNS - 1 if parent <= 0 else int(ROOT_UNKNOWNS + first_dof[parent + 1] - 1)


def make_workspace(body: Body, terms: int) -> Workspace:
    """Everything that a solve needs, allocated once."""
    N, M, D = len(body.parents), len(body.marker_joint), len(body.axes)
    P, C = body.chain.shape
    z = np.zeros
    pose = (z((2, 3)), np.tile([1.0, 0.0, 0.0, 0.0], (2, 1)), z((2, D)))
    geometry = (z((2, N, 3)), z((2, N, 3, 3)), z((2, M, 3)), z((2, terms)))
    sums = (z((P, 6)), z((N, 36)), z((N, 2, 10)), z((N, 2, 6)))
    return Workspace(*pose, *geometry, z((2, P, C)), z((2, P)), *sums, z((P, C)), z(P))
