"""Residuals as loads on places, and the loads as the spatial inertia of each joint (Featherstone 2008, chapters 2 and 6).

A residual e of a place x with weight w and direction a (de = a . dx) loads the place with the weight w a a^T and the force w e a.
Absolute ones feel all motion of the place; root-relative ones (RELATIVE) do not feel the root's translation t.

A place at r from the root on a joint of motion y = (omega, v), about the root and without t, moves by v + omega x r (+ t). With
W, f the sums of its loads and W', f' those of the absolute ones alone, it adds to the joint's quadratic form in (y, t)

    [ r W r^T   r W   r W' | r f ]
    [   W r^T    W     W'  |  f  ]       r: the cross product matrix; the last column is the gradient.
    [    .       .     W'  |  f' ]

Nothing else of a residual is kept: no Jacobian is formed.
"""

from __future__ import annotations

from posewire.data import FloatArray
from posewire.fit.body import Body, Workspace
from posewire.fit.compiled import inlined, kernel
from posewire.fit.rows import add_scaled

ABSOLUTE, RELATIVE = 0, 1
FORM = 9
"""Rows of a form."""
Vector = tuple[float, float, float]


@kernel
def clear(work: Workspace, side: int) -> None:
    """No loads."""
    work.loads[side] = 0.0
    work.angle_loads[side] = 0.0


@inlined
def load_point(work: Workspace, side: int, place: int, kind: int, w: float, e: Vector) -> None:
    """A residual e (3,) of a place with one weight for all directions."""
    loads = work.loads
    loads[side, place, kind, 0, 0] += w
    loads[side, place, kind, 1, 1] += w
    loads[side, place, kind, 2, 2] += w
    loads[side, place, kind, 0, 3] += w * e[0]
    loads[side, place, kind, 1, 3] += w * e[1]
    loads[side, place, kind, 2, 3] += w * e[2]


@inlined
def load_direction(work: Workspace, side: int, place: int, kind: int, a: Vector, w: float, e: float) -> None:
    """A scalar residual e of a place that grows along a (3,)."""
    _load_row(work.loads, side, place, kind, 0, w * a[0], a, e)
    _load_row(work.loads, side, place, kind, 1, w * a[1], a, e)
    _load_row(work.loads, side, place, kind, 2, w * a[2], a, e)


@inlined
def _load_row(loads: FloatArray, side: int, place: int, kind: int, i: int, w: float, a: Vector, e: float) -> None:
    loads[side, place, kind, i, 0] += w * a[0]
    loads[side, place, kind, i, 1] += w * a[1]
    loads[side, place, kind, i, 2] += w * a[2]
    loads[side, place, kind, i, 3] += w * e


@inlined
def load_angle(work: Workspace, side: int, d: int, w: float, e: float) -> None:
    """A residual e of angle d."""
    work.angle_loads[side, 0, d] += w
    work.angle_loads[side, 1, d] += w * e


@inlined
def _lift_place(work: Workspace, side: int, place: int, to: int, x: float, y: float, z: float) -> None:
    """The form `to` becomes that of the loads of a place at (x, y, z) from the root."""
    Q, loads = work.forms, work.loads
    for c in range(4):  # the columns of W and f
        a0, a1, a2 = loads[side, place, 0, 0, c], loads[side, place, 0, 1, c], loads[side, place, 0, 2, c]
        w0, w1, w2 = a0 + loads[side, place, 1, 0, c], a1 + loads[side, place, 1, 1, c], a2 + loads[side, place, 1, 2, c]
        Q[to, 6, 6 + c], Q[to, 7, 6 + c], Q[to, 8, 6 + c] = a0, a1, a2
        if c < 3:
            Q[to, 0, 6 + c], Q[to, 1, 6 + c], Q[to, 2, 6 + c] = y * a2 - z * a1, z * a0 - x * a2, x * a1 - y * a0
            Q[to, 3, 6 + c], Q[to, 4, 6 + c], Q[to, 5, 6 + c] = a0, a1, a2
        at = 3 + c if c < 3 else 9
        Q[to, 0, at], Q[to, 1, at], Q[to, 2, at] = y * w2 - z * w1, z * w0 - x * w2, x * w1 - y * w0
        Q[to, 3, at], Q[to, 4, at], Q[to, 5, at] = w0, w1, w2
    for i in range(3):
        t0, t1, t2 = Q[to, i, 3], Q[to, i, 4], Q[to, i, 5]
        Q[to, i, 0], Q[to, i, 1], Q[to, i, 2] = y * t2 - z * t1, z * t0 - x * t2, x * t1 - y * t0
        Q[to, 3, i], Q[to, 4, i], Q[to, 5, i] = t0, t1, t2


@inlined
def add_form(forms: FloatArray, to: int, form: int) -> None:
    """Adds a form to another."""
    for i in range(FORM):
        add_scaled(forms, FORM * to + i, 1.0, forms, FORM * form + i)


@kernel
def lift(body: Body, work: Workspace, side: int) -> None:
    """The form of each joint by itself; the last of the forms is for markers beside their joint's centre."""
    N, d, x, p = len(body.parents), work.root_m, work.joints_m, work.markers_m
    for j in range(N):
        _lift_place(work, side, j, j, x[side, j, 0] - d[side, 0], x[side, j, 1] - d[side, 1], x[side, j, 2] - d[side, 2])
    for m in range(body.markers):
        if body.marker_place[m] == N + m:
            _lift_place(work, side, N + m, N, p[side, m, 0] - d[side, 0], p[side, m, 1] - d[side, 1], p[side, m, 2] - d[side, 2])
            add_form(work.forms, body.marker_joint[m], N)
