"""fit_crowd: 64 people at once, 6 steps each, one thread, against the same solver as batched tensors in torch, float32.

Both lower the same energies from the same poses: each person is another draw of fit_scene.py, starts a frame from the true pose
of the frame before and expects the joints where the true motion carries them. The tensors are made before the clock starts.
"""

from __future__ import annotations

from time import perf_counter
from types import ModuleType
from typing import Any, cast

import numpy as np

from posewire.bench.fit_scene import Problem, Scene, make_problem, make_scene
from posewire.bench.row import BenchRow, Peers
from posewire.data import FloatArray
from posewire.solve.batched import BatchedSolver, Poses

NAME = "fit_crowd"
PEOPLE, STEPS, FRAMES = 64, 6, 20
_FIRST = 2
_PEER = "torch batched, float32"


def run(peers: Peers) -> list[BenchRow]:
    """Ours beside torch on one thread; without torch the row has no value."""
    scenes = [make_scene(seed, FRAMES + _FIRST) for seed in range(PEOPLE)]
    problems = [make_problem() for _ in scenes]
    torch = peers.load("torch")
    if torch is not None:
        cast(Any, torch).set_num_threads(1)
    return [measure(scenes, problems, torch)]


def measure(scenes: list[Scene], problems: list[Problem], torch: ModuleType | None) -> BenchRow:
    """Times a frame of everybody, solver by solver."""
    solver = None if torch is None else BatchedSolver([problem.body.values for problem in problems], precision="float32")
    times_s: dict[str, list[float]] = {"ours": [], "peer": []}
    excess: dict[str, list[float]] = {"ours": [], "peer": []}
    for frame in range(_FIRST, len(scenes[0].angles_rad)):
        least = np.array(_solved(scenes, problems, frame, 100, 1e-13)[1])
        seconds, energies = _solved(scenes, problems, frame, STEPS, 0.0)
        times_s["ours"].append(seconds)
        excess["ours"] += (np.array(energies) / least - 1.0).tolist()
        if solver is not None:
            seconds, energies = _solved_by_torch(scenes, problems, frame, solver)
            times_s["peer"].append(seconds)
            excess["peer"] += (energies / least - 1.0).tolist()
    ours_ms = 1e3 * float(np.median(times_s["ours"]))
    theirs_ms = 1e3 * float(np.median(times_s["peer"])) if solver is not None else None
    note = f"ours: {_said(excess['ours'])}; peer: {_said(excess['peer']) if solver is not None else 'torch is not installed'}"
    workload = f"{len(scenes)} people, {STEPS} steps, one thread"
    return BenchRow.against(NAME, workload, _PEER, "ms/frame", ours_ms, theirs_ms, note)


def _place(scenes: list[Scene], problems: list[Problem], frame: int) -> None:
    for scene, problem in zip(scenes, problems, strict=True):
        problem.start_at(scene, frame - 1)
        problem.look(scene, frame)
        problem.expect(2 * scene.joints_m[frame - 1] - scene.joints_m[frame - 2])


def _solved(scenes: list[Scene], problems: list[Problem], frame: int, steps: int, tolerance: float) -> tuple[float, list[float]]:
    """Seconds for everybody, and the energies."""
    _place(scenes, problems, frame)
    begin = perf_counter()
    energies = [problem.solve(steps, tolerance) for problem in problems]
    return perf_counter() - begin, energies


def _solved_by_torch(scenes: list[Scene], problems: list[Problem], frame: int, solver: BatchedSolver) -> tuple[float, FloatArray]:
    """The same; the energies are ours at the poses that torch found, in double precision."""
    _place(scenes, problems, frame)
    works = [problem.work.values for problem in problems]
    start = Poses(*(np.stack([getattr(w, name)[0] for w in works]) for name in ("root_m", "root_wxyz", "angles_rad")))
    asked = solver.load([problem.targets.values for problem in problems])
    begin = perf_counter()
    found, _ = solver.solve(asked, start, STEPS)
    seconds = perf_counter() - begin
    for row, work in enumerate(works):
        work.root_m[0], work.root_wxyz[0], work.angles_rad[0] = found.root_m[row], found.root_wxyz[row], found.angles_rad[row]
    return seconds, np.array([problem.solve(0, 0.0) for problem in problems])


def _said(excess: list[float]) -> str:
    return f"excess energy median {np.median(excess):.1e}, p95 {np.percentile(excess, 95):.1e}"
