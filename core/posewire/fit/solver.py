"""Levenberg-Marquardt on the structured normal equations. No Jacobian, no matrix of all unknowns, no allocation.

(H + mu D) step = -g, with the residuals' weights as spatial inertia (inertia.py) and the step by one pass over the tree and back
(articulated.py). D is the diagonal of H where the solve began, or where a step last failed: it need not follow every step.
mu falls after a step that lowers the energy and rises after one that does not (Marquardt 1963), by the gain (Nielsen 1999).
"""

from __future__ import annotations

from collections.abc import Callable

from posewire.fit import inertia
from posewire.fit.articulated import find_step, measure_scale
from posewire.fit.body import Body, Workspace
from posewire.fit.compiled import SOURCES, entry, kernel
from posewire.fit.kinematics import forward, retract, set_motions
from posewire.fit.packing import Record
from posewire.fit.residuals import contact, damping, depth, limits, position, reprojection, rest, smoothness
from posewire.fit.targets import Targets

_MU_START, _MU_LEAST, _MU_MOST = 1e-4, 1e-7, 1e6
_MU_FALL, _MU_RISE, _MU_AFTER_FAILURE = 0.1, 8.0, 1e-3
"""The least mu after a step that did not lower the energy: smaller ones would only fail again."""


@kernel
def measure(body: Body, targets: Targets, work: Workspace, side: int) -> float:
    """Places the pose on `side` of the workspace and loads it with the residuals; its energy."""
    forward(body, work, side)
    inertia.clear_loads(body, work, side)
    E = work.energies
    E[side, 0] = position.add(body, targets, work, side)
    E[side, 1] = reprojection.add(body, targets, work, side)
    E[side, 2] = smoothness.add(body, targets, work, side)
    E[side, 3] = depth.add(targets, work, side)
    E[side, 4] = limits.add(body, targets, work, side)
    E[side, 5] = rest.add(targets, work, side)
    E[side, 6] = damping.add(targets, work, side)
    E[side, 7] = contact.add(targets, work, side)
    total = 0.0
    for term in range(E.shape[1]):
        total += E[side, term]
    return total


@kernel
def minimise(body: Body, targets: Targets, work: Workspace, iterations: int, tolerance: float) -> tuple[int, float, int]:
    """Starts from the pose on side 0; says the side of the best pose, its energy and the steps taken.

    Stops after `iterations` steps, or with a step that lowers the energy by less than `tolerance` times it (0: never).
    """
    side, mu, steps, scaled = 0, _MU_START, 0, False
    energy = measure(body, targets, work, side)
    while steps < iterations and mu < _MU_MOST:
        steps += 1
        set_motions(body, work, side)
        inertia.lift(body, work, side)
        if not scaled:
            measure_scale(body, work, side)
            scaled = True
        promised = find_step(body, work, side, mu)
        fall = -1.0
        if promised > 0.0:
            retract(work, side)
            fall = energy - measure(body, targets, work, 1 - side)
        if fall > 0.0:
            # Nielsen 1999: the worse the model kept its promise, the less mu falls; below a half it rises
            kept = 2.0 * min(fall / promised, 1.0) - 1.0
            side, energy, mu = 1 - side, energy - fall, max(mu * max(_MU_FALL, 1.0 - kept * kept * kept), _MU_LEAST)
            if fall < tolerance * energy:
                break
        else:
            mu, scaled = max(_MU_RISE * mu, _MU_AFTER_FAILURE), False
    return side, energy, steps


@kernel
def settle(work: Workspace, side: int) -> None:
    """The best pose comes to side 0. (Loops: numba compiles seconds of error text for every slice assignment.)"""
    if side == 0:
        return
    for i in range(4):
        work.root_wxyz[0, i] = work.root_wxyz[1, i]
    for d in range(work.angles_rad.shape[1]):
        work.angles_rad[0, d] = work.angles_rad[1, d]
    for term in range(work.energies.shape[1]):
        work.energies[0, term] = work.energies[1, term]
    for i in range(3):
        work.root_m[0, i] = work.root_m[1, i]
        for j in range(work.joints_m.shape[1]):
            work.joints_m[0, j, i] = work.joints_m[1, j, i]
        for m in range(work.markers_m.shape[1]):
            work.markers_m[0, m, i] = work.markers_m[1, m, i]


def _make_solve(sources: str) -> Callable[[Record, Record, Record, int, float], tuple[float, int]]:
    @entry
    def solve(body: Record, targets: Record, work: Record, iterations: int, tolerance: float) -> tuple[float, int]:
        _ = sources
        side, energy, steps = minimise(body[0], targets[0], work[0], iterations, tolerance)
        settle(work[0], side)
        return energy, steps

    return solve


solve = _make_solve(SOURCES)
"""minimise(), callable from Python: the pose on side 0 is the start and then the result; its energy and the steps taken."""
