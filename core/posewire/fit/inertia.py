"""Sums of residual weights over the tree, as in the composite rigid body algorithm (Featherstone 2008, section 6.2).

A residual e of a point at r (from the root), with weight w and direction a (de = a . dx), adds w j j^T, j = (r x a, a), to the
6 x 6 "inertia" of the joint that carries it. A residual without direction (three axes of equal weight) adds only the 10
numbers of a rigid inertia: w, w r, w (|r|^2 1 - r r^T). With I(k) the sum over the subtree that unknown k moves, the
Gauss-Newton matrix is H[k, l] = m_l . I(k) m_k for l on the way from k to the root, and zero elsewhere: no Jacobian is formed.

Root-relative residuals (RELATIVE) do not move with the root's translation: its rows of the matrix are summed without them.
"""

from __future__ import annotations

from posewire.data import FloatArray
from posewire.fit.body import Body, IntArray, Workspace
from posewire.fit.compiled import inlined, kernel

ABSOLUTE, RELATIVE = 0, 1
SYMMETRIC, ROWS = 21, 15
"""Numbers of a symmetric 6 x 6 (angular 6, angular-linear 9, linear 6) and of its force rows (the last 15 of them)."""
Vector = tuple[float, float, float]


@kernel
def clear(work: Workspace) -> None:
    """Empties the sums."""
    work.inertia[:] = 0.0
    work.isotropic[:] = 0.0
    work.wrench[:] = 0.0


@inlined
def _push(work: Workspace, joint: int, kind: int, x: float, y: float, z: float, fx: float, fy: float, fz: float) -> None:
    work.wrench[joint, kind, 0] += y * fz - z * fy
    work.wrench[joint, kind, 1] += z * fx - x * fz
    work.wrench[joint, kind, 2] += x * fy - y * fx
    work.wrench[joint, kind, 3] += fx
    work.wrench[joint, kind, 4] += fy
    work.wrench[joint, kind, 5] += fz


@inlined
def add_point(work: Workspace, joint: int, kind: int, r: Vector, w: float, e: Vector) -> None:
    """A point at r (3,) from the root with residual e (3,) and one weight for all directions."""
    x, y, z = r
    B = work.isotropic
    B[joint, kind, 0] += w
    B[joint, kind, 1] += w * x
    B[joint, kind, 2] += w * y
    B[joint, kind, 3] += w * z
    B[joint, kind, 4] += w * (y * y + z * z)
    B[joint, kind, 5] -= w * x * y
    B[joint, kind, 6] -= w * x * z
    B[joint, kind, 7] += w * (x * x + z * z)
    B[joint, kind, 8] -= w * y * z
    B[joint, kind, 9] += w * (x * x + y * y)
    _push(work, joint, kind, x, y, z, w * e[0], w * e[1], w * e[2])


@inlined
def _add_force_rows(work: Workspace, joint: int, at: int, t: Vector, a: Vector, w: float) -> None:
    A = work.inertia
    wx, wy, wz = w * a[0], w * a[1], w * a[2]
    A[joint, at] += t[0] * wx
    A[joint, at + 1] += t[0] * wy
    A[joint, at + 2] += t[0] * wz
    A[joint, at + 3] += t[1] * wx
    A[joint, at + 4] += t[1] * wy
    A[joint, at + 5] += t[1] * wz
    A[joint, at + 6] += t[2] * wx
    A[joint, at + 7] += t[2] * wy
    A[joint, at + 8] += t[2] * wz
    A[joint, at + 9] += a[0] * wx
    A[joint, at + 10] += a[0] * wy
    A[joint, at + 11] += a[0] * wz
    A[joint, at + 12] += a[1] * wy
    A[joint, at + 13] += a[1] * wz
    A[joint, at + 14] += a[2] * wz


@inlined
def add_direction(work: Workspace, joint: int, kind: int, r: Vector, a: Vector, w: float, e: float) -> None:
    """A scalar residual e of a point at r (3,) from the root that grows along a (3,)."""
    x, y, z = r
    t = (y * a[2] - z * a[1], z * a[0] - x * a[2], x * a[1] - y * a[0])
    A = work.inertia
    wx, wy, wz = w * t[0], w * t[1], w * t[2]
    A[joint, 0] += t[0] * wx
    A[joint, 1] += t[0] * wy
    A[joint, 2] += t[0] * wz
    A[joint, 3] += t[1] * wy
    A[joint, 4] += t[1] * wz
    A[joint, 5] += t[2] * wz
    _add_force_rows(work, joint, 6, t, a, w)
    if kind == ABSOLUTE:
        _add_force_rows(work, joint, SYMMETRIC, t, a, w)
    _push(work, joint, kind, x, y, z, w * e * a[0], w * e * a[1], w * e * a[2])


@inlined
def _fold(A: FloatArray, B: FloatArray, joint: int) -> None:
    """Adds a joint's rigid inertias (w, w r, second moments) to its 6 x 6 and force rows, once the points are all in."""
    w, x, y, z = B[joint, 0, 0], B[joint, 0, 1], B[joint, 0, 2], B[joint, 0, 3]
    _fold_rows(A, joint, SYMMETRIC, w, x, y, z)
    w, x, y, z = w + B[joint, 1, 0], x + B[joint, 1, 1], y + B[joint, 1, 2], z + B[joint, 1, 3]
    _fold_rows(A, joint, 6, w, x, y, z)
    for i in range(6):
        A[joint, i] += B[joint, 0, 4 + i] + B[joint, 1, 4 + i]


@inlined
def _fold_rows(A: FloatArray, joint: int, at: int, w: float, x: float, y: float, z: float) -> None:
    """Torque h x v, force w v."""
    A[joint, at + 1] -= z
    A[joint, at + 2] += y
    A[joint, at + 3] += z
    A[joint, at + 5] -= x
    A[joint, at + 6] -= y
    A[joint, at + 7] += x
    A[joint, at + 9] += w
    A[joint, at + 12] += w
    A[joint, at + 14] += w


@kernel
def _add_up(parents: IntArray, inertia: FloatArray, isotropic: FloatArray, wrench: FloatArray) -> None:
    """Every joint's sums become those of its subtree."""
    for joint in range(len(parents) - 1, -1, -1):
        _fold(inertia, isotropic, joint)
        parent = parents[joint]
        if parent >= 0:
            for i in range(SYMMETRIC + ROWS):
                inertia[parent, i] += inertia[joint, i]
            for kind in range(2):
                for i in range(6):
                    wrench[parent, kind, i] += wrench[joint, kind, i]


@inlined
def _force(A: FloatArray, joint: int, at: int, w: Vector, v: Vector) -> Vector:
    """Force rows of a joint times a motion."""
    return (
        A[joint, at] * w[0] + A[joint, at + 3] * w[1] + A[joint, at + 6] * w[2]
        + A[joint, at + 9] * v[0] + A[joint, at + 10] * v[1] + A[joint, at + 11] * v[2],
        A[joint, at + 1] * w[0] + A[joint, at + 4] * w[1] + A[joint, at + 7] * w[2]
        + A[joint, at + 10] * v[0] + A[joint, at + 12] * v[1] + A[joint, at + 13] * v[2],
        A[joint, at + 2] * w[0] + A[joint, at + 5] * w[1] + A[joint, at + 8] * w[2]
        + A[joint, at + 11] * v[0] + A[joint, at + 13] * v[1] + A[joint, at + 14] * v[2],
    )  # fmt: skip


@inlined
def _torque(A: FloatArray, joint: int, w: Vector, v: Vector) -> Vector:
    return (
        A[joint, 0] * w[0]
        + A[joint, 1] * w[1]
        + A[joint, 2] * w[2]
        + A[joint, 6] * v[0]
        + A[joint, 7] * v[1]
        + A[joint, 8] * v[2],
        A[joint, 1] * w[0]
        + A[joint, 3] * w[1]
        + A[joint, 4] * w[2]
        + A[joint, 9] * v[0]
        + A[joint, 10] * v[1]
        + A[joint, 11] * v[2],
        A[joint, 2] * w[0]
        + A[joint, 4] * w[1]
        + A[joint, 5] * w[2]
        + A[joint, 12] * v[0]
        + A[joint, 13] * v[1]
        + A[joint, 14] * v[2],
    )


@inlined
def _fill_row(body: Body, work: Workspace, k: int, H: FloatArray) -> None:
    """Row k >= 3 of the Gauss-Newton matrix along its chain."""
    joint, A, M = body.joint_of[k], work.inertia, work.motions
    w, v = (M[k, 0], M[k, 1], M[k, 2]), (M[k, 3], M[k, 4], M[k, 5])
    H[k, 0], H[k, 1], H[k, 2] = _force(A, joint, SYMMETRIC, w, v)
    t, f = _torque(A, joint, w, v), _force(A, joint, 6, w, v)
    for e in range(3, body.depth[k] + 1):
        i = body.chain[k, e]
        H[k, e] = M[i, 0] * t[0] + M[i, 1] * t[1] + M[i, 2] * t[2] + M[i, 3] * f[0] + M[i, 4] * f[1] + M[i, 5] * f[2]


@kernel
def assemble(body: Body, work: Workspace, H: FloatArray, g: FloatArray) -> None:
    """The sums of all joints to the matrix H (P, C) along the chains and the gradient g (P,)."""
    _add_up(body.parents, work.inertia, work.isotropic, work.wrench)
    A, W, M = work.inertia, work.wrench, work.motions
    linear = SYMMETRIC + 9
    H[0, 0], H[1, 0], H[1, 1] = A[0, linear], A[0, linear + 1], A[0, linear + 3]
    H[2, 0], H[2, 1], H[2, 2] = A[0, linear + 2], A[0, linear + 4], A[0, linear + 5]
    for k in range(3):
        g[k] = W[0, ABSOLUTE, 3 + k]
    for k in range(3, len(body.joint_of)):
        _fill_row(body, work, k, H)
        joint, total = body.joint_of[k], 0.0
        for i in range(6):
            total += M[k, i] * (W[joint, ABSOLUTE, i] + W[joint, RELATIVE, i])
        g[k] = total
