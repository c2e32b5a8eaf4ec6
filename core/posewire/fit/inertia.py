"""Sums of residual weights over the tree, as in the composite rigid body algorithm (Featherstone 2008, section 6.2).

A residual e of a point at r (from the root), with weight w and direction a (de = a . dx), adds w j j^T, j = (r x a, a), to the
6 x 6 "inertia" of the joint that carries it. A residual without direction (three axes of equal weight) adds only the 10
numbers of a rigid inertia: w, w r, w (|r|^2 1 - r r^T). With I(k) the sum over the subtree that unknown k moves, the
Gauss-Newton matrix is H[k, l] = m_l . I(k) m_k for l on the way from k to the root, and zero elsewhere: no Jacobian is formed.

Root-relative residuals (RELATIVE) do not move with the root's translation: its rows of the matrix are summed without them.
"""

from __future__ import annotations

from posewire.data import FloatArray
from posewire.fit.body import Body, Workspace
from posewire.fit.compiled import kernel

ABSOLUTE, RELATIVE = 0, 1
Vector = tuple[float, float, float]


@kernel
def clear(work: Workspace) -> None:
    """Empties the sums."""
    work.inertia[:] = 0.0
    work.isotropic[:] = 0.0
    work.wrench[:] = 0.0


@kernel
def _push(wrench: FloatArray, rx: float, ry: float, rz: float, fx: float, fy: float, fz: float) -> None:
    wrench[0] += ry * fz - rz * fy
    wrench[1] += rz * fx - rx * fz
    wrench[2] += rx * fy - ry * fx
    wrench[3] += fx
    wrench[4] += fy
    wrench[5] += fz


@kernel
def add_point(
    work: Workspace, joint: int, kind: int, r: tuple[float, float, float], w: float, e: tuple[float, float, float]
) -> None:
    """A point at r (3,) from the root with residual e (3,) and one weight for all directions."""
    x, y, z = r
    B = work.isotropic[joint, kind]
    B[0] += w
    B[1] += w * x
    B[2] += w * y
    B[3] += w * z
    B[4] += w * (y * y + z * z)
    B[5] -= w * x * y
    B[6] -= w * x * z
    B[7] += w * (x * x + z * z)
    B[8] -= w * y * z
    B[9] += w * (x * x + y * y)
    _push(work.wrench[joint, kind], x, y, z, w * e[0], w * e[1], w * e[2])


@kernel
def add_direction(work: Workspace, joint: int, kind: int, r: Vector, a: Vector, w: float, e: float) -> None:
    """A scalar residual e of a point at r (3,) from the root that grows along a (3,)."""
    x, y, z = r
    ax, ay, az = a
    j = (y * az - z * ay, z * ax - x * az, x * ay - y * ax, ax, ay, az)
    A = work.inertia[joint]
    for row in range(6):
        wj = w * j[row]
        for column in range(6):
            A[6 * row + column] += wj * j[column]
    if kind == ABSOLUTE:
        for row in range(3):
            wj = w * a[row]
            for column in range(6):
                A[36 + 6 * row + column] += wj * j[column]
    _push(work.wrench[joint, kind], x, y, z, w * e * ax, w * e * ay, w * e * az)


@kernel
def _add_up(body: Body, work: Workspace) -> None:
    """Every joint's sums become those of its subtree."""
    for joint in range(len(body.parents) - 1, 0, -1):
        parent = body.parents[joint]
        for i in range(54):
            work.inertia[parent, i] += work.inertia[joint, i]
        for kind in range(2):
            for i in range(10):
                work.isotropic[parent, kind, i] += work.isotropic[joint, kind, i]
            for i in range(6):
                work.wrench[parent, kind, i] += work.wrench[joint, kind, i]


@kernel
def _isotropic_times(B: FloatArray, m: FloatArray) -> tuple[float, float, float, float, float, float]:
    """Rigid inertia (10,) times a motion (6,): torque, force."""
    wx, wy, wz, vx, vy, vz = m[0], m[1], m[2], m[3], m[4], m[5]
    h, x, y, z = B[0], B[1], B[2], B[3]
    return (
        B[4] * wx + B[5] * wy + B[6] * wz + y * vz - z * vy,
        B[5] * wx + B[7] * wy + B[8] * wz + z * vx - x * vz,
        B[6] * wx + B[8] * wy + B[9] * wz + x * vy - y * vx,
        h * vx + wy * z - wz * y,
        h * vy + wz * x - wx * z,
        h * vz + wx * y - wy * x,
    )


@kernel
def _row(A: FloatArray, row: int, m: FloatArray) -> float:
    i = 6 * row
    return A[i] * m[0] + A[i + 1] * m[1] + A[i + 2] * m[2] + A[i + 3] * m[3] + A[i + 4] * m[4] + A[i + 5] * m[5]


@kernel
def _fill_row(body: Body, work: Workspace, k: int, H: FloatArray) -> None:
    """Row k >= 3 of the Gauss-Newton matrix along its chain."""
    joint, m = body.joint_of[k], work.motions[k]
    A, B = work.inertia[joint], work.isotropic[joint]
    b = _isotropic_times(B[ABSOLUTE], m)
    c = _isotropic_times(B[RELATIVE], m)
    H[0], H[1], H[2] = _row(A, 6, m) + b[3], _row(A, 7, m) + b[4], _row(A, 8, m) + b[5]
    f0, f1, f2 = _row(A, 0, m) + b[0] + c[0], _row(A, 1, m) + b[1] + c[1], _row(A, 2, m) + b[2] + c[2]
    f3, f4, f5 = _row(A, 3, m) + b[3] + c[3], _row(A, 4, m) + b[4] + c[4], _row(A, 5, m) + b[5] + c[5]
    for e in range(3, body.depth[k] + 1):
        s = work.motions[body.chain[k, e]]
        H[e] = s[0] * f0 + s[1] * f1 + s[2] * f2 + s[3] * f3 + s[4] * f4 + s[5] * f5


@kernel
def assemble(body: Body, work: Workspace, H: FloatArray, g: FloatArray) -> None:
    """The sums of all joints to the matrix H (P, C) along the chains and the gradient g (P,)."""
    _add_up(body, work)
    for k in range(3):
        g[k] = work.wrench[0, ABSOLUTE, 3 + k]
        for e in range(k + 1):
            H[k, e] = work.inertia[0, 36 + 6 * k + 3 + e]
        H[k, k] += work.isotropic[0, ABSOLUTE, 0]
    for k in range(3, len(body.joint_of)):
        _fill_row(body, work, k, H[k])
        absolute, relative, m = work.wrench[body.joint_of[k], ABSOLUTE], work.wrench[body.joint_of[k], RELATIVE], work.motions[k]
        total = 0.0
        for i in range(6):
            total += m[i] * (absolute[i] + relative[i])
        g[k] = total
