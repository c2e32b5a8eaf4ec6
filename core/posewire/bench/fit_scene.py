"""What the benchmarks of the fit are solved on: a made-up person in motion, noisy, and the energy that each frame asks to lower.

Synthetic: the native skeleton moves smoothly inside its limits; 21 joints are seen in 3D (20 mm noise) and 2D (3 px). Each frame
starts from the solver's own last pose and expects the joints where its own last two poses carry them. `excess` is the energy
above the minimum that a long run of ours reaches from the solver's result, relative to that minimum.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from posewire import camera as cameras
from posewire import rotation
from posewire.data import FloatArray
from posewire.fit.body import Body, Workspace, make_body, make_workspace
from posewire.fit.packing import Packed, pack
from posewire.fit.residuals import TERMS
from posewire.fit.solver import solve
from posewire.fit.targets import Targets, make_targets
from posewire.skeleton import MARKERS, REFERENCE

FRAMES, STEP_S = 600, 1 / 30
SEEN = tuple(name for name in REFERENCE.names if name not in ("spine", "chest", "left_clavicle", "right_clavicle"))
"""The joints that are seen."""
M = len(SEEN)
VIEW = cameras.assumed(1280, 720)


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What is seen, for all frames."""

    angles_rad: FloatArray
    """(F, D) the truth."""
    joints_m: FloatArray
    """(F, N, 3) the truth."""
    position_m: FloatArray
    """(F, M, 3) noisy, root-relative."""
    pixel_px: FloatArray
    """(F, M, 2) noisy."""
    root_m: FloatArray
    """(F, 3) the truth."""
    root_wxyz: FloatArray
    """(F, 4) the truth."""


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """One person's energy and pose; the pose on side 0 of the workspace is a solver's start and then its result."""

    body: Packed[Body]
    targets: Packed[Targets]
    work: Packed[Workspace]

    def solve(self, iterations: int, tolerance: float) -> float:
        """Our solver; the energy."""
        return solve(self.body.record, self.targets.record, self.work.record, iterations, tolerance)[0]

    def start_at(self, scene: Scene, frame: int) -> None:
        """Puts the true pose of a frame."""
        work = self.work.values
        work.root_m[0], work.root_wxyz[0] = scene.root_m[frame], scene.root_wxyz[frame]
        work.angles_rad[0] = scene.angles_rad[frame]

    def look(self, scene: Scene, frame: int) -> None:
        """Takes a frame's data in."""
        self.targets.values.position_m[:M], self.targets.values.pixel_px[:M] = scene.position_m[frame], scene.pixel_px[frame]

    def expect(self, predicted_m: FloatArray) -> None:
        """Expects the joints at (N, 3), and the pose where it is."""
        targets, work = self.targets.values, self.work.values
        targets.predicted_m[:], targets.previous_rad[:] = predicted_m, work.angles_rad[0]
        targets.depth[0] = -work.root_m[0, 2]


@dataclass(frozen=True, slots=True)
class Result:
    """One solver over all frames."""

    median_ms: float
    excess_median: float
    excess_p95: float
    error_mm: float
    """Mean distance of the seen joints from the truth, both from the root."""

    def __str__(self) -> str:
        return f"excess energy median {self.excess_median:.1e}, p95 {self.excess_p95:.1e}; error {self.error_mm:.1f} mm"


Step = Callable[[Problem], None]
"""Solves a frame from the pose on side 0; leaves its result there."""


@dataclass(frozen=True, slots=True)
class Staged:
    """A Step of which only the middle is timed: a solver that wants a model of its own made and read."""

    prepare: Step
    solve: Step
    take: Step

    def __call__(self, problem: Problem) -> None:
        """All three."""
        self.prepare(problem)
        self.solve(problem)
        self.take(problem)


Joints = Callable[[], FloatArray]
"""Joints (N, 3) of a solver with a skeleton of its own, which leaves no pose of ours."""


def make_scene(seed: int = 0, frames: int = FRAMES) -> Scene:
    """A person who moves every joint, 3 m in front of the camera."""
    rng = np.random.default_rng(seed)
    low, high = REFERENCE.limits_rad.T
    t = np.arange(frames)[:, None] * STEP_S
    swing = np.sin(2 * np.pi * rng.uniform(0.05, 0.4, len(low)) * t + rng.uniform(0, 6, len(low)))
    angles = (low + high) / 2 * 0.6 + 0.3 * (high - low) * swing
    root_m = np.array([0.0, 0.0, -3.2]) + 0.3 * np.sin(0.8 * t + [0.0, 1.0, 2.0])
    root_wxyz = rotation.exp(np.sin(0.5 * t + [1.0, 0.0, 2.0]) * [0.2, 1.0, 0.2])
    joints = REFERENCE.positions_m(root_m, REFERENCE.joint_rotations(angles, root_wxyz))
    points = joints[:, [REFERENCE.index(name) for name in SEEN]]
    pixels = cameras.project(cameras.to_camera(points, VIEW), VIEW) + rng.normal(0, 3, (frames, M, 2))
    relative = points - root_m[:, None] + rng.normal(0, 0.02, points.shape)
    return Scene(angles, joints, relative, pixels, root_m, root_wxyz)


def make_problem() -> Problem:
    """The weights, and what does not change from frame to frame."""
    body = make_body(REFERENCE, [MARKERS[name] for name in SEEN])
    targets = make_targets(body)
    targets.K[:], targets.T_camera_world[:] = VIEW.K, np.linalg.inv(VIEW.T_world_camera)
    targets.position_w[:M], targets.pixel_w[:M] = 0.03**-2, 4.0**-2
    targets.predicted_w[:], targets.depth[1] = 0.05**-2, 0.2**-2
    targets.limit_w[:], targets.rest_w[:], targets.damping_w[:] = 0.05**-2, 3.0**-2, 10.0
    targets.sight[:] = [0.0, 0.0, -1.0]
    return Problem(pack(body), pack(targets), pack(make_workspace(body, len(TERMS))))


def follow(scene: Scene, step: Step, joints: Joints | None = None) -> Result:
    """Runs a solver over the scene; only the solver is timed. With `joints` its excess energy means nothing."""
    problem, stages = make_problem(), step if isinstance(step, Staged) else Staged(_nothing, step, _nothing)
    judge = Problem(problem.body, problem.targets, pack(make_workspace(problem.body.values, len(TERMS))))
    problem.look(scene, 0)
    for warm in (step, _stand):  # the solver's first call may compile
        problem.start_at(scene, 0)
        warm(problem)
    before = last = problem.work.values.joints_m[0].copy()
    frames = len(scene.angles_rad)
    seconds, excess, error_m = np.empty(frames), np.empty(frames), np.empty(frames)
    for frame in range(frames):
        problem.look(scene, frame)
        problem.expect(2 * last - before)
        stages.prepare(problem)
        begin = time.perf_counter()
        stages.solve(problem)
        seconds[frame] = time.perf_counter() - begin
        stages.take(problem)
        excess[frame] = _excess(problem, judge)
        before, last = last, joints() if joints is not None else judge.work.values.joints_m[0].copy()
        error_m[frame] = _error_m(last, scene.joints_m[frame])
    return Result(
        1e3 * float(np.median(seconds)),
        float(np.median(excess)),
        float(np.percentile(excess, 95)),
        1e3 * float(error_m.mean()),
    )


def _nothing(problem: Problem) -> None:
    """A stage that a solver does not have."""


def _stand(problem: Problem) -> None:
    """Places the joints of the pose as it is."""
    problem.solve(0, 0.0)


def _excess(problem: Problem, judge: Problem) -> float:
    """Energy above the minimum, relative to it; leaves the solver's joints in the judge's workspace."""
    mine, other = problem.work.values, judge.work.values
    energies: list[float] = []
    for steps in (100, 0):
        other.root_m[0], other.root_wxyz[0], other.angles_rad[0] = mine.root_m[0], mine.root_wxyz[0], mine.angles_rad[0]
        energies.append(judge.solve(steps, 1e-13))
    return max(energies[1] / energies[0] - 1.0, 0.0)


def _error_m(joints_m: FloatArray, truth_m: FloatArray) -> float:
    at = [REFERENCE.index(name) for name in SEEN]
    return float(np.linalg.norm((joints_m - joints_m[0])[at] - (truth_m - truth_m[0])[at], axis=1).mean())
