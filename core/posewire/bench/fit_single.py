"""fit_single: one person, 600 frames, every solver following its own solution, against pyceres, scipy and pymomentum.

Synthetic: the native skeleton moves smoothly inside its limits; 21 joints are seen in 3D (20 mm noise) and 2D (3 px). Each frame
starts from the solver's own last pose and expects the joints where its own last two poses carry them. `excess` is the energy
above the minimum that a long run of ours reaches from the solver's result, relative to that minimum.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, cast

import numpy as np

from posewire import camera as cameras
from posewire import rotation
from posewire.bench.fit_dense import evaluate, residual_count
from posewire.bench.row import BenchRow, Peers
from posewire.data import FloatArray
from posewire.fit.body import Body, Workspace, make_body, make_workspace
from posewire.fit.residuals import TERMS
from posewire.fit.solver import solve
from posewire.fit.targets import Targets, make_targets
from posewire.skeleton import MARKERS, REFERENCE

NAME = "fit_single"
FRAMES, STEP_S = 600, 1 / 30
UNSEEN = ("spine", "chest", "left_clavicle", "right_clavicle")
WORKLOAD = f"{FRAMES} frames closed loop, 47 unknowns, 21 joints 3D + 2D, limits, smoothness"
ENOUGH_STEPS, ENOUGH = 20, 1e-6
"""Every solver stops when a step lowers the energy by less than this share of it."""


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What is asked, for all frames."""

    body: Body
    truth_angles_rad: FloatArray
    """(F, D)"""
    position_m: FloatArray
    """(F, M, 3) noisy, root-relative."""
    pixel_px: FloatArray
    """(F, M, 2) noisy."""
    first_root_m: FloatArray
    first_wxyz: FloatArray


@dataclass(frozen=True, slots=True)
class Result:
    """One solver over all frames."""

    median_ms: float
    excess_median: float
    excess_p95: float

    def __str__(self) -> str:
        return f"excess energy median {self.excess_median:.1e}, p95 {self.excess_p95:.1e}"


Step = Callable[[Body, Targets, Workspace], None]
"""Solves the frame in the workspace: the pose on side 0 is the start and then the result."""


def make_scene(seed: int = 0) -> Scene:
    """A person who moves every joint, 3 m in front of the camera."""
    rng = np.random.default_rng(seed)
    names = [name for name in REFERENCE.names if name not in UNSEEN]
    low, high = REFERENCE.limits_rad.T
    t = np.arange(FRAMES)[:, None] * STEP_S
    swing = np.sin(2 * np.pi * rng.uniform(0.05, 0.4, len(low)) * t + rng.uniform(0, 6, len(low)))
    angles = (low + high) / 2 * 0.6 + 0.3 * (high - low) * swing
    root_m = np.array([0.0, 0.0, -3.2]) + 0.3 * np.sin(0.8 * t + [0.0, 1.0, 2.0])
    root_wxyz = rotation.exp(np.sin(0.5 * t + [1.0, 0.0, 2.0]) * [0.2, 1.0, 0.2])
    joints = REFERENCE.positions_m(root_m, REFERENCE.joint_rotations(angles, root_wxyz))
    points = joints[:, [REFERENCE.index(name) for name in names]]
    view = cameras.assumed(1280, 720)
    pixels = cameras.project(cameras.to_camera(points, view), view) + rng.normal(0, 3, (FRAMES, len(names), 2))
    relative = points - root_m[:, None] + rng.normal(0, 0.02, points.shape)
    return Scene(make_body(REFERENCE, [MARKERS[name] for name in names]), angles, relative, pixels, root_m[0], root_wxyz[0])


def make_frame_targets(scene: Scene) -> Targets:
    """The weights, and what does not change from frame to frame."""
    targets, view = make_targets(scene.body), cameras.assumed(1280, 720)
    targets.K[:], targets.T_camera_world[:] = view.K, np.linalg.inv(view.T_world_camera)
    targets.position_w[:], targets.pixel_w[:] = 0.03**-2, 4.0**-2
    targets.predicted_w[:], targets.depth[1] = 0.05**-2, 0.2**-2
    targets.limit_w[:], targets.rest_w[:], targets.damping_w[:] = 0.05**-2, 3.0**-2, 10.0
    targets.sight[:] = [0.0, 0.0, -1.0]
    return targets


def follow(scene: Scene, step: Step) -> Result:
    """Runs a solver over the scene; only the solver is timed."""
    work, judge = (make_workspace(scene.body, len(TERMS)) for _ in range(2))
    targets = make_frame_targets(scene)
    targets.position_m[:], targets.pixel_px[:] = scene.position_m[0], scene.pixel_px[0]
    for warm in (step, _stand):
        work.root_m[0], work.root_wxyz[0], work.angles_rad[0] = scene.first_root_m, scene.first_wxyz, scene.truth_angles_rad[0]
        warm(scene.body, targets, work)  # the solver's first call may compile
    before = last = work.joints_m[0].copy()
    seconds, excess = np.empty(FRAMES), np.empty(FRAMES)
    for f in range(FRAMES):
        targets.position_m[:], targets.pixel_px[:] = scene.position_m[f], scene.pixel_px[f]
        targets.predicted_m[:], targets.previous_rad[:] = 2 * last - before, work.angles_rad[0]
        targets.depth[0] = -work.root_m[0, 2]
        begin = time.perf_counter()
        step(scene.body, targets, work)
        seconds[f] = time.perf_counter() - begin
        excess[f] = _excess(scene.body, targets, work, judge)
        before, last = last, judge.joints_m[0].copy()
    return Result(float(np.median(seconds) * 1e3), float(np.median(excess)), float(np.percentile(excess, 95)))


def _stand(body: Body, targets: Targets, work: Workspace) -> None:
    """Places the joints of the pose as it is."""
    solve(body, targets, work, 0, 0.0)


def _excess(body: Body, targets: Targets, work: Workspace, judge: Workspace) -> float:
    """Energy above the minimum, relative to it; leaves the solver's joints in the judge's workspace."""
    judge.root_m[0], judge.root_wxyz[0], judge.angles_rad[0] = work.root_m[0], work.root_wxyz[0], work.angles_rad[0]
    _, least, _ = solve(body, targets, judge, 100, 1e-13)
    judge.root_m[0], judge.root_wxyz[0], judge.angles_rad[0] = work.root_m[0], work.root_wxyz[0], work.angles_rad[0]
    _, energy, _ = solve(body, targets, judge, 0, 0.0)
    return max(energy / least - 1.0, 0.0)


def ours(body: Body, targets: Targets, work: Workspace) -> None:
    """The structured solver."""
    side, _, _ = solve(body, targets, work, ENOUGH_STEPS, ENOUGH)
    _take(work, side)


def _take(work: Workspace, side: int) -> None:
    if side == 1:
        work.root_m[0], work.root_wxyz[0], work.angles_rad[0] = work.root_m[1], work.root_wxyz[1], work.angles_rad[1]


def scipy_lm(scipy_optimize: ModuleType) -> Step:
    """MINPACK's Levenberg-Marquardt with the compiled Jacobian."""

    def step(body: Body, targets: Targets, work: Workspace) -> None:
        r, J = np.empty(residual_count(body)), np.empty((residual_count(body), len(body.depth)))

        def residuals(x: FloatArray) -> FloatArray:
            evaluate(body, targets, work, x, r, J)
            return r.copy()

        def slopes(x: FloatArray) -> FloatArray:
            evaluate(body, targets, work, x, r, J)
            return J.copy()

        found = scipy_optimize.least_squares(
            residuals, np.zeros(len(body.depth)), jac=slopes, method="lm", ftol=ENOUGH, xtol=1e-8
        )
        evaluate(body, targets, work, found.x, r, J)
        _take(work, 1)

    return step


def pyceres_lm(pyceres: ModuleType) -> Step:
    """Ceres, dense QR replaced by its faster dense normal equations, the cost in Python with the compiled Jacobian."""
    ceres = cast(Any, pyceres)

    def step(body: Body, targets: Targets, work: Workspace) -> None:
        R, P = residual_count(body), len(body.depth)
        r, J = np.empty(R), np.empty((R, P))

        class Cost(ceres.CostFunction):  # type: ignore[misc]
            def __init__(self) -> None:
                super().__init__()
                self.set_num_residuals(R)
                self.set_parameter_block_sizes([P])

            def Evaluate(self, parameters: Any, residuals: Any, jacobians: Any) -> bool:
                evaluate(body, targets, work, np.asarray(parameters[0]), r, J)
                residuals[:] = r
                if jacobians is not None:
                    jacobians[0][:] = J.reshape(-1)
                return True

        x = np.zeros(P)
        problem, options, summary = ceres.Problem(), ceres.SolverOptions(), ceres.SolverSummary()
        problem.add_residual_block(Cost(), None, [x])
        options.linear_solver_type = ceres.LinearSolverType.DENSE_NORMAL_CHOLESKY
        options.function_tolerance, options.num_threads, options.max_num_iterations = ENOUGH, 1, 30
        options.minimizer_progress_to_stdout = False
        ceres.solve(options, problem, summary)
        evaluate(body, targets, work, x, r, J)
        _take(work, 1)

    return step


PEERS: dict[str, tuple[str, Callable[[ModuleType], Step]]] = {
    "pyceres": ("pyceres", pyceres_lm),
    "scipy lm, analytic": ("scipy.optimize", scipy_lm),
}


def run(peers: Peers) -> list[BenchRow]:
    """Ours against every peer, one after the other in the same process; a missing peer gets a row without a value."""
    scene = make_scene()
    rows: list[BenchRow] = []
    for peer, (module, make_step) in PEERS.items():
        loaded = peers.load(module)
        mine = follow(scene, ours)
        if loaded is None:
            rows.append(BenchRow.against(NAME, WORKLOAD, peer, "ms/frame", mine.median_ms, None, f"not installed; ours: {mine}"))
            continue
        theirs = follow(scene, make_step(loaded))
        rows.append(
            BenchRow.against(NAME, WORKLOAD, peer, "ms/frame", mine.median_ms, theirs.median_ms, f"ours: {mine}; peer: {theirs}")
        )
    return rows
