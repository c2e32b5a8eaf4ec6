"""Residuals as loads on places, and the loads as the spatial inertia of each joint (Featherstone 2008, chapters 2 and 6).

A residual e of a place x with weight w and direction a (de = a . dx) loads the place with the weight w a a^T and the force w e a.
Absolute ones feel all motion of the place; root-relative ones (RELATIVE) do not feel the root's translation t.

A place at r from the root on a joint of motion y = (omega, v), about the root and without t, moves by v + omega x r (+ t). With
W, f the sums of its loads and W', f' those of the absolute ones alone, it adds to the joint's quadratic form in (y, t)

    [ r W r^T   r W   r W' | r f ]
    [   W r^T    W     W'  |  f  ]       r: the cross product matrix; the last column is the gradient.
    [    .       .     W'  |  f' ]

Nothing else of a residual is kept: no Jacobian is formed. A row of a form has twelve numbers, so that each part begins a vector
register (rows.py): omega and 0, v and 0, t, gradient. What the dots stand for is not kept.
"""

from __future__ import annotations

from posewire.data import FloatArray
from posewire.fit.body import Body, Workspace
from posewire.fit.compiled import inlined, kernel
from posewire.fit.rows import add_four, add_scaled, add_scaled_last, clear, combine

ABSOLUTE, RELATIVE = 0, 1
FORM, FELT = 9, 6
"""Rows of a form; those of the joint's motion, before those of the translation."""
TRANSLATION, SLOPE = 8, 11
"""Columns of a row: the first of the translation's three, and the gradient."""
Vector = tuple[float, float, float]


@kernel
def clear_loads(body: Body, work: Workspace, side: int) -> None:
    """No loads on the joints, on the markers beside their joint's centre and on the angles; other places are not read."""
    N = len(body.parents)
    for j in range(N):
        _clear_place(work, side, j)
    for m in range(body.markers):
        if body.marker_place[m] == N + m:
            _clear_place(work, side, N + m)
    work.angle_loads[side] = 0.0


@inlined
def _clear_place(work: Workspace, side: int, place: int) -> None:
    at = 2 * (work.loads.shape[1] * side + place)  # 2 x 3 x 4 numbers are two rows of twelve
    clear(work.loads, at)
    clear(work.loads, at + 1)


@inlined
def _load_row(work: Workspace, side: int, place: int, kind: int) -> int:
    """The first of the three rows of four numbers, for rows.add_four."""
    return 3 * (2 * (work.loads.shape[1] * side + place) + kind)


@inlined
def load_point(work: Workspace, side: int, place: int, kind: int, w: float, e: Vector) -> None:
    """A residual e (3,) of a place with one weight for all directions."""
    row = _load_row(work, side, place, kind)
    add_four(work.loads, row, w, (1.0, 0.0, 0.0, e[0]))
    add_four(work.loads, row + 1, w, (0.0, 1.0, 0.0, e[1]))
    add_four(work.loads, row + 2, w, (0.0, 0.0, 1.0, e[2]))


@inlined
def load_direction(work: Workspace, side: int, place: int, kind: int, a: Vector, w: float, e: float) -> None:
    """A scalar residual e of a place that grows along a (3,)."""
    row = _load_row(work, side, place, kind)
    for i in range(3):
        add_four(work.loads, row + i, w * a[i], (a[0], a[1], a[2], e))


@inlined
def load_angle(work: Workspace, side: int, d: int, w: float, e: float) -> None:
    """A residual e of angle d."""
    work.angle_loads[side, 0, d] += w
    work.angle_loads[side, 1, d] += w * e


@inlined
def _lift_place(work: Workspace, side: int, place: int, to: int, x: float, y: float, z: float) -> None:
    """The form `to` becomes that of the loads of a place at (x, y, z) from the root."""
    Q, loads, row, t = work.forms, work.loads, FORM * to, TRANSLATION
    for i in range(3):
        a, b = _loads_of(loads, side, place, ABSOLUTE, i), _loads_of(loads, side, place, RELATIVE, i)
        w0, w1, w2 = a[0] + b[0], a[1] + b[1], a[2] + b[2]
        Q[to, 3 + i, 0], Q[to, 3 + i, 1], Q[to, 3 + i, 2] = y * w2 - z * w1, z * w0 - x * w2, x * w1 - y * w0
        Q[to, 3 + i, 4], Q[to, 3 + i, 5], Q[to, 3 + i, 6] = w0, w1, w2
        Q[to, 3 + i, 3] = Q[to, 3 + i, 7] = 0.0  # a step that failed leaves NaN here too
        Q[to, 3 + i, t], Q[to, 3 + i, t + 1], Q[to, 3 + i, t + 2], Q[to, 3 + i, SLOPE] = a[0], a[1], a[2], a[3] + b[3]
        Q[to, FELT + i, t], Q[to, FELT + i, t + 1], Q[to, FELT + i, t + 2], Q[to, FELT + i, SLOPE] = a
    combine(Q, row, (0.0, -z, y), Q, row + 3, 0.0)
    combine(Q, row + 1, (z, 0.0, -x), Q, row + 3, 0.0)
    combine(Q, row + 2, (-y, x, 0.0), Q, row + 3, 0.0)


@inlined
def _loads_of(loads: FloatArray, side: int, place: int, kind: int, i: int) -> tuple[float, float, float, float]:
    return (
        loads[side, place, kind, i, 0],
        loads[side, place, kind, i, 1],
        loads[side, place, kind, i, 2],
        loads[side, place, kind, i, 3],
    )


@inlined
def add_form(forms: FloatArray, to: int, form: int) -> None:
    """Adds a form to another."""
    for i in range(FELT):
        add_scaled(forms, FORM * to + i, 1.0, forms, FORM * form + i)
    for i in range(FELT, FORM):
        add_scaled_last(forms, FORM * to + i, 1.0, forms, FORM * form + i)


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
