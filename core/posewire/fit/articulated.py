"""The damped Gauss-Newton step over the tree of joints, in time linear in their number: the articulated body algorithm
(Featherstone 2008, section 7.3), with residual weights in place of masses.

From the leaves to the root, each unknown s with spatial axis m is eliminated from its subtree's form (inertia.py) Q, gradient p:

    U = Q m,  d = m . U + h + mu D,  u = m . p + g;   Q -= U U^T / d,  p -= U u / d

(h, g: weight and slope of the angle's own residuals), and what is left goes to the parent joint. From the root to the leaves,
s = -(u + U . y) / d with y the motion of the parent side and the root's translation. It is the same as H + mu diag D factorised
as L^T D L along the branches (section 6.5), without H.
"""

from __future__ import annotations

import math

from posewire.fit.body import ROOT_UNKNOWNS, Body, Workspace
from posewire.fit.compiled import inlined, kernel
from posewire.fit.inertia import FORM, add_form
from posewire.fit.rows import add_scaled, combine

SLOPE = 9
"""The gradient's column of a form."""


@kernel
def measure_scale(body: Body, work: Workspace, side: int) -> None:
    """D: the diagonal of the Gauss-Newton matrix, from the lifted forms."""
    Q, M = work.subtrees, work.motions
    for joint in range(len(body.parents)):
        for i in range(FORM):
            for c in range(FORM + 1):
                Q[joint, i, c] = work.forms[joint, i, c]
    for joint in range(len(body.parents) - 1, -1, -1):
        for d in range(body.first_dof[joint], body.first_dof[joint + 1]):
            k, total = ROOT_UNKNOWNS + d, work.angle_loads[side, 0, d]
            for i in range(6):
                for c in range(6):
                    total += M[side, k, i] * Q[joint, i, c] * M[side, k, c]
            work.scale[k] = total
        if joint > 0:
            add_form(Q, body.parents[joint], joint)
    for k in range(3):
        work.scale[k], work.scale[3 + k] = Q[0, 6 + k, 6 + k], Q[0, k, k]


@inlined
def _eliminate(work: Workspace, side: int, joint: int, k: int, weight: float, slope: float) -> float:
    """Takes unknown k out of a joint's form; by how much the model falls with it, NaN when it is not positive definite."""
    Q, M, U, first = work.forms, work.motions, work.response, FORM * joint
    m = (M[side, k, 0], M[side, k, 1], M[side, k, 2], M[side, k, 3], M[side, k, 4], M[side, k, 5])
    combine(U, k, m, Q, first)
    U[k, SLOPE] += slope
    d = weight + (m[0] * U[k, 0] + m[1] * U[k, 1] + m[2] * U[k, 2]) + (m[3] * U[k, 3] + m[4] * U[k, 4] + m[5] * U[k, 5])
    inverse = 1.0 / d if d > 0.0 else math.nan
    work.pivot[k] = inverse
    for i in range(FORM):
        add_scaled(Q, first + i, -inverse * U[k, i], U, k)
    return U[k, SLOPE] * U[k, SLOPE] * inverse


@inlined
def _eliminate_translation(work: Workspace, mu: float) -> float:
    """Solves for the root's translation, the last three rows of the root's form; by how much the model falls."""
    Q, t, fall = work.forms, work.step, 0.0
    for i in range(8, 5, -1):
        d = Q[0, i, i] + mu * work.scale[i - 6]
        inverse = 1.0 / d if d > 0.0 else math.nan
        fall += Q[0, i, SLOPE] * Q[0, i, SLOPE] * inverse
        work.pivot[i - 6] = inverse
        for row in range(6, i):
            share = Q[0, row, i] * inverse
            for c in range(6, 10):
                Q[0, row, c] -= share * Q[0, i, c]
    for i in range(6, 9):
        total = Q[0, i, SLOPE]
        for c in range(6, i):
            total += Q[0, i, c] * t[c - 6]
        t[i - 6] = -total * work.pivot[i - 6]
    return fall


@inlined
def _substitute(body: Body, work: Workspace, side: int) -> None:
    """The steps of rotations and angles, once the translation's is known; `forms`'s first row of a joint becomes its motion."""
    Y = work.forms
    for i in range(6):
        Y[0, 0, i] = 0.0
    for k in range(3, 6):
        _take_step(work, side, 0, k)
    for joint in range(1, len(body.parents)):
        for i in range(6):
            Y[joint, 0, i] = Y[body.parents[joint], 0, i]
        for d in range(body.first_dof[joint], body.first_dof[joint + 1]):
            _take_step(work, side, joint, ROOT_UNKNOWNS + d)


@inlined
def _take_step(work: Workspace, side: int, joint: int, k: int) -> None:
    U, Y, M, step = work.response, work.forms, work.motions, work.step
    total = U[k, SLOPE]
    for i in range(6):
        total += U[k, i] * Y[joint, 0, i]
    for i in range(3):
        total += U[k, 6 + i] * step[i]
    step[k] = -total * work.pivot[k]
    for i in range(6):
        Y[joint, 0, i] += step[k] * M[side, k, i]


@kernel
def find_step(body: Body, work: Workspace, side: int, mu: float) -> float:
    """The step from the pose on `side`, whose lifted forms it uses up; by how much the quadratic model falls along it.

    NaN when the matrix is not positive definite.
    """
    fall = 0.0
    for joint in range(len(body.parents) - 1, 0, -1):
        for d in range(body.first_dof[joint + 1] - 1, body.first_dof[joint] - 1, -1):
            k = ROOT_UNKNOWNS + d
            weight = work.angle_loads[side, 0, d] + mu * work.scale[k]
            fall += _eliminate(work, side, joint, k, weight, work.angle_loads[side, 1, d])
        add_form(work.forms, body.parents[joint], joint)
    for k in range(5, 2, -1):
        fall += _eliminate(work, side, 0, k, mu * work.scale[k], 0.0)
    fall += _eliminate_translation(work, mu)
    _substitute(body, work, side)
    for k in range(len(work.step)):
        fall += mu * work.scale[k] * work.step[k] * work.step[k]
    return fall
