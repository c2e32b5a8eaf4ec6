"""The damped Gauss-Newton step over the tree of joints, in time linear in their number: the articulated body algorithm
(Featherstone 2008, section 7.3), with residual weights in place of masses.

From the leaves to the root, each unknown s with spatial axis m is eliminated from its subtree's form (inertia.py) Q, gradient p:

    U = Q m,  d = m . U + h + mu D,  u = m . p + g;   Q -= U U^T / d,  p -= U u / d

(h, g: weight and slope of the angle's own residuals), and what is left goes to the parent joint. From the root to the leaves,
s = -(u + U . y) / d with y the motion of the parent side and the root's translation. It is the same as H + mu diag D factorised
as L^T D L along the branches (section 6.5), without H. Within a joint, Q stays: what an unknown takes out of it is taken out of
the U of the next ones (U -= U' (m . U') / d'), and out of the parent's form at the end.
"""

from __future__ import annotations

import math

from posewire.data import FloatArray
from posewire.fit.body import ROOT_UNKNOWNS, Body, Workspace
from posewire.fit.compiled import inlined, kernel
from posewire.fit.inertia import FELT, FORM, SLOPE, TRANSLATION, add_form
from posewire.fit.rows import add_scaled, add_scaled_last, combine, dot


@kernel
def measure_scale(body: Body, work: Workspace, side: int) -> None:
    """D: the diagonal of the Gauss-Newton matrix, from the lifted forms."""
    S, Q, M, U, D = work.subtrees, work.forms, work.motions, work.response, work.scale
    for row in range(FELT * len(body.parents)):
        combine(S, row, (1.0,), Q, FORM * (row // FELT) + row % FELT, 0.0)
    for i in range(3):
        D[i] = 0.0
    for joint in range(len(body.parents) - 1, -1, -1):
        for d in range(body.first_dof[joint], body.first_dof[joint + 1]):
            k = ROOT_UNKNOWNS + d
            combine(U, k, _axis(M, k), S, FELT * joint, 0.0)
            D[k] = work.angle_loads[side, 0, d] + dot(M, k, U, k)
        for i in range(3):
            D[i] += Q[joint, FELT + i, TRANSLATION + i]
        for i in range(FELT if joint > 0 else 0):
            add_scaled(S, FELT * body.parents[joint] + i, 1.0, S, FELT * joint + i)
    for i in range(3):
        D[3 + i] = S[0, i, i]


@inlined
def _axis(M: FloatArray, k: int) -> tuple[float, float, float, float, float, float]:
    return M[k, 0], M[k, 1], M[k, 2], M[k, 4], M[k, 5], M[k, 6]


@inlined
def _respond(work: Workspace, joint: int, k: int, end: int, weight: float, slope: float) -> float:
    """Eliminates unknown k of a joint, after k + 1 .. end - 1; by how much the model falls, NaN if not positive definite."""
    M, U, pivot = work.motions, work.response, work.pivot
    combine(U, k, _axis(M, k), work.forms, FORM * joint, slope)
    d = weight + dot(M, k, U, k)
    for before in range(k + 1, end):
        shared = dot(M, k, U, before)
        d -= shared * shared * pivot[before]  # not from the U below: this does not wait for it
        add_scaled(U, k, -shared * pivot[before], U, before)
    pivot[k] = 1.0 / d if d > 0.0 else math.nan
    return U[k, SLOPE] * U[k, SLOPE] * pivot[k]


@inlined
def _take_out(work: Workspace, form: int, first: int, end: int) -> None:
    """Q -= U U^T / d of the eliminated unknowns first .. end - 1."""
    Q, U, row = work.forms, work.response, FORM * form
    for k in range(first, end):
        share = -work.pivot[k]
        for i in range(3):
            add_scaled(Q, row + i, share * U[k, i], U, k)
            add_scaled(Q, row + 3 + i, share * U[k, 4 + i], U, k)
            add_scaled_last(Q, row + FELT + i, share * U[k, TRANSLATION + i], U, k)


@inlined
def _eliminate_translation(work: Workspace, mu: float) -> float:
    """Solves for the root's translation, the last three rows of the root's form; by how much the model falls."""
    Q, t, fall = work.forms, work.step, 0.0
    for i in range(2, -1, -1):
        d = Q[0, FELT + i, TRANSLATION + i] + mu * work.scale[i]
        work.pivot[i] = 1.0 / d if d > 0.0 else math.nan
        fall += Q[0, FELT + i, SLOPE] * Q[0, FELT + i, SLOPE] * work.pivot[i]
        for row in range(i):
            add_scaled_last(Q, FELT + row, -work.pivot[i] * Q[0, FELT + row, TRANSLATION + i], Q, FELT + i)
    for i in range(3):
        total = Q[0, FELT + i, SLOPE]
        for c in range(i):
            total += Q[0, FELT + i, TRANSLATION + c] * t[c]
        t[i] = -total * work.pivot[i]
    return fall


@inlined
def _substitute(body: Body, work: Workspace) -> None:
    """The steps of rotations and angles, once the translation's is known; the first row of a joint's form becomes its y."""
    Y = work.forms
    for c in range(TRANSLATION):
        Y[0, 0, c] = 0.0
    for i in range(3):
        Y[0, 0, TRANSLATION + i] = work.step[i]
    Y[0, 0, SLOPE] = 1.0
    _take_steps(work, 0, 3, ROOT_UNKNOWNS)
    for joint in range(1, len(body.parents)):
        combine(Y, FORM * joint, (1.0,), Y, FORM * body.parents[joint], 0.0)
        _take_steps(work, joint, ROOT_UNKNOWNS + body.first_dof[joint], ROOT_UNKNOWNS + body.first_dof[joint + 1])


@inlined
def _take_steps(work: Workspace, joint: int, first: int, end: int) -> None:
    for k in range(first, end):
        work.step[k] = -dot(work.response, k, work.forms, FORM * joint) * work.pivot[k]
        add_scaled(work.forms, FORM * joint, work.step[k], work.motions, k)


@kernel
def find_step(body: Body, work: Workspace, side: int, mu: float) -> float:
    """The step from the pose on `side`, whose lifted forms it uses up; by how much the quadratic model falls along it.

    NaN when the matrix is not positive definite.
    """
    fall, D = 0.0, work.scale
    for joint in range(len(body.parents) - 1, 0, -1):
        first, end = ROOT_UNKNOWNS + body.first_dof[joint], ROOT_UNKNOWNS + body.first_dof[joint + 1]
        for k in range(end - 1, first - 1, -1):
            d = k - ROOT_UNKNOWNS
            fall += _respond(work, joint, k, end, work.angle_loads[side, 0, d] + mu * D[k], work.angle_loads[side, 1, d])
        add_form(work.forms, body.parents[joint], joint)
        _take_out(work, body.parents[joint], first, end)
    for k in range(5, 2, -1):
        fall += _respond(work, 0, k, ROOT_UNKNOWNS, mu * D[k], 0.0)
    _take_out(work, 0, 3, ROOT_UNKNOWNS)
    fall += _eliminate_translation(work, mu)
    _substitute(body, work)
    for k in range(len(work.step)):
        fall += mu * D[k] * work.step[k] * work.step[k]
    return fall
