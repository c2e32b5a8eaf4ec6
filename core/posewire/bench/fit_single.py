"""fit_single: one person, 600 frames, every solver following its own solution, against pyceres, scipy and pymomentum.

All solve the same energy from the same kind of start (fit_scene.py) and stop by the same rule; peers are given the residuals and
their Jacobian compiled (fit_dense.py), but for pymomentum, which has its own (fit_momentum.py).
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any, cast

import numpy as np

from posewire.bench.fit_dense import evaluate, residual_count
from posewire.bench.fit_momentum import momentum_gn
from posewire.bench.fit_scene import FRAMES, Problem, Step, follow, make_scene
from posewire.bench.row import BenchRow, Peers
from posewire.data import FloatArray

NAME = "fit_single"
WORKLOAD = f"{FRAMES} frames closed loop, 47 unknowns, 21 joints 3D + 2D, limits, smoothness"
ENOUGH_STEPS, ENOUGH = 20, 1e-6
"""Every solver stops when a step lowers the energy by less than this share of it."""


def ours(problem: Problem) -> None:
    """The structured solver."""
    problem.solve(ENOUGH_STEPS, ENOUGH)


class _Dense:
    """Residuals and Jacobian of a problem as functions of the step x (P,) from the pose on side 0."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self.unknowns, self.count = len(problem.work.values.step), residual_count(problem.body.values)
        self.r, self.J = np.empty(self.count), np.empty((self.count, self.unknowns))

    def at(self, x: FloatArray) -> None:
        """Evaluates both."""
        p = self._problem
        evaluate(p.body.record, p.targets.record, p.work.record, x, self.r, self.J)

    def take(self, x: FloatArray) -> None:
        """Makes the pose at x the result."""
        self.at(x)
        work = self._problem.work.values
        work.root_m[0], work.root_wxyz[0], work.angles_rad[0] = work.root_m[1], work.root_wxyz[1], work.angles_rad[1]


def scipy_lm(scipy_optimize: ModuleType) -> Step:
    """MINPACK's Levenberg-Marquardt with the compiled Jacobian."""

    def step(problem: Problem) -> None:
        dense = _Dense(problem)

        def residuals(x: FloatArray) -> FloatArray:
            dense.at(x)
            return dense.r.copy()

        def slopes(x: FloatArray) -> FloatArray:
            dense.at(x)
            return dense.J.copy()

        start = np.zeros(dense.unknowns)
        found = scipy_optimize.least_squares(residuals, start, jac=slopes, method="lm", ftol=ENOUGH, xtol=1e-8)
        dense.take(found.x)

    return step


def pyceres_lm(pyceres: ModuleType) -> Step:
    """Ceres, dense QR replaced by its faster dense normal equations, the cost in Python with the compiled Jacobian."""
    ceres = cast(Any, pyceres)

    def step(problem: Problem) -> None:
        dense = _Dense(problem)

        class Cost(ceres.CostFunction):  # type: ignore[misc]
            def __init__(self) -> None:
                super().__init__()
                self.set_num_residuals(dense.count)
                self.set_parameter_block_sizes([dense.unknowns])

            def Evaluate(self, parameters: Any, residuals: Any, jacobians: Any) -> bool:
                dense.at(np.asarray(parameters[0]))
                residuals[:] = dense.r
                if jacobians is not None:
                    jacobians[0][:] = dense.J.reshape(-1)
                return True

        x = np.zeros(dense.unknowns)
        problem_, options, summary = ceres.Problem(), ceres.SolverOptions(), ceres.SolverSummary()
        problem_.add_residual_block(Cost(), None, [x])
        options.linear_solver_type = ceres.LinearSolverType.DENSE_NORMAL_CHOLESKY
        options.function_tolerance, options.num_threads, options.max_num_iterations = ENOUGH, 1, 30
        options.minimizer_progress_to_stdout = False
        ceres.solve(options, problem_, summary)
        dense.take(x)

    return step


PEERS: dict[str, tuple[str, Callable[[ModuleType], Step]]] = {
    "pyceres": ("pyceres", pyceres_lm),
    "scipy lm, analytic": ("scipy.optimize", scipy_lm),
    "pymomentum": ("pymomentum.solver2", momentum_gn),
}


def run(peers: Peers) -> list[BenchRow]:
    """Ours against every peer, one after the other in the same process; a missing peer gets a row without a value."""
    scene = make_scene()
    rows: list[BenchRow] = []
    for peer, (module, make_step) in PEERS.items():
        loaded = peers.load(module)
        mine = follow(scene, ours)
        theirs = None if loaded is None else follow(scene, make_step(loaded))
        note = f"ours: {mine}; peer: {theirs or 'not installed'}"
        rows.append(BenchRow.against(NAME, WORKLOAD, peer, "ms/frame", mine.median_ms, theirs and theirs.median_ms, note))
    return rows
