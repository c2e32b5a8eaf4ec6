"""Levenberg-Marquardt on the structured normal equations. No Jacobian, no allocation.

(H + mu diag H) step = -g, with H and g summed over the tree (inertia.py) and factorised along it (ltdl.py).
mu falls after a step that lowers the energy and rises after one that does not (Marquardt 1963), by the gain (Nielsen 1999).
"""

from __future__ import annotations

from collections.abc import Callable

from posewire.fit import inertia, ltdl
from posewire.fit.body import Body, Workspace
from posewire.fit.compiled import SOURCES, entry, kernel
from posewire.fit.kinematics import forward, place_markers, retract
from posewire.fit.residuals import contact, damping, depth, limits, position, reprojection, rest, smoothness
from posewire.fit.targets import Targets

_MU_START, _MU_LEAST, _MU_MOST = 1e-4, 1e-7, 1e6
_MU_FALL, _MU_RISE, _MU_AFTER_FAILURE = 0.1, 8.0, 1e-3
"""The least mu after a step that did not lower the energy: smaller ones would only fail again."""


@kernel
def linearise(body: Body, targets: Targets, work: Workspace, side: int) -> float:
    """Energy, matrix and gradient of the pose on `side` of the workspace."""
    root, x, R, angles = work.root_m[side], work.joints_m[side], work.rotations[side], work.angles_rad[side]
    markers, H, g, E = work.markers_m[side], work.hessian[side], work.gradient[side], work.energies[side]
    forward(body, root, work.root_wxyz[side], angles, R, x, work.motions)
    place_markers(body, R, x, markers)
    inertia.clear(work)
    E[0] = position.add(body, targets, root, markers, work)
    E[1] = reprojection.add(body, targets, root, markers, work)
    E[2] = smoothness.add(body, targets, root, x, work)
    E[3] = depth.add(targets, root, work)
    E[7] = contact.add(targets, root, x, work)
    inertia.assemble(body, work, H, g)
    E[4] = limits.add(body, targets, angles, H, g)
    E[5] = rest.add(body, targets, angles, H, g)
    E[6] = damping.add(body, targets, angles, H, g)
    total = 0.0
    for term in E:
        total += term
    return total


@kernel
def _try_step(body: Body, work: Workspace, side: int, mu: float) -> bool:
    """Puts the damped Gauss-Newton step from `side` on the other side; False when the matrix cannot be factorised."""
    H, L, step = work.hessian[side], work.factor, work.step
    for k in range(len(step)):
        for e in range(body.depth[k] + 1):
            L[k, e] = H[k, e]
        L[k, body.depth[k]] *= 1.0 + mu
        step[k] = -work.gradient[side, k]
    if not ltdl.factorise(body.depth, body.chain, L):
        return False
    ltdl.solve_in_place(body.depth, body.chain, L, step)
    root_m, root_wxyz, angles_rad, to = work.root_m, work.root_wxyz, work.angles_rad, 1 - side
    retract(root_m[side], root_wxyz[side], angles_rad[side], step, root_m[to], root_wxyz[to], angles_rad[to])
    return True


@kernel
def _promised_fall(body: Body, work: Workspace, side: int, mu: float) -> float:
    """By how much the quadratic model falls along the step: s . (mu diag(H) s - g)."""
    fall = 0.0
    for k in range(len(work.step)):
        s = work.step[k]
        fall += s * (mu * work.hessian[side, k, body.depth[k]] * s - work.gradient[side, k])
    return fall


@kernel
def minimise(body: Body, targets: Targets, work: Workspace, iterations: int, tolerance: float) -> tuple[int, float, int]:
    """Starts from the pose on side 0; says the side of the best pose, its energy and the steps taken.

    Stops after `iterations` steps, or when a step lowers the energy by less than `tolerance` times it (0: never).
    """
    side, mu, steps = 0, _MU_START, 0
    energy = linearise(body, targets, work, side)
    while steps < iterations and mu < _MU_MOST:
        steps += 1
        fall, promised = -1.0, 1.0
        if _try_step(body, work, side, mu):
            promised = _promised_fall(body, work, side, mu)
            fall = energy - linearise(body, targets, work, 1 - side)
        if fall > 0.0:
            # Nielsen 1999: the worse the model kept its promise, the less mu falls; below a half it rises
            kept = 2.0 * min(fall / promised, 1.0) - 1.0
            side, energy, mu = 1 - side, energy - fall, max(mu * max(_MU_FALL, 1.0 - kept * kept * kept), _MU_LEAST)
            if fall < tolerance * energy:
                break
        else:
            mu = max(_MU_RISE * mu, _MU_AFTER_FAILURE)
    return side, energy, steps


def _make_solve(sources: str) -> Callable[[Body, Targets, Workspace, int, float], tuple[int, float, int]]:
    @entry
    def solve(body: Body, targets: Targets, work: Workspace, iterations: int, tolerance: float) -> tuple[int, float, int]:
        _ = sources
        return minimise(body, targets, work, iterations, tolerance)

    return solve


solve = _make_solve(SOURCES)
"""minimise(), callable from Python."""
