"""fit_realtime: one person, a fixed number of steps a frame, against one step of mink (stock tasks, daqp) on the same data.

mink solves inverse kinematics, another energy: it pulls each joint to its noisy 3D place and knows neither pixels nor motion. It
is given the true root place to add to the root-relative data, a converged first pose, the same joint ranges and axes. So speed
is compared together with what each makes of the data, `error`: ours must be less than half of mink's.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any, cast
from xml.etree import ElementTree

import numpy as np

from posewire.bench.fit_scene import FRAMES, SEEN, Joints, Problem, Scene, Step, follow, make_scene
from posewire.bench.row import BenchRow, Peers
from posewire.data import FloatArray
from posewire.skeleton import REFERENCE, Skeleton

NAME = "fit_realtime"
STEPS = 3
"""Levenberg-Marquardt steps a frame: the fewest whose p95 excess energy is below a thousandth."""
WORKLOAD = f"{FRAMES} frames closed loop, {STEPS} steps a frame, 47 unknowns"
_PEER = "mink, 1 step"
_STEP_S = 1.0
_SETTLING_STEPS = 100
_POSTURE_COST = 0.1
"""Of 0.001, 0.01, 0.03 and 0.1 the one with which a single step of mink is the most accurate."""


def ours(problem: Problem) -> None:
    """The structured solver, always the same cost."""
    problem.solve(STEPS, 0.0)


def run(peers: Peers) -> list[BenchRow]:
    """Ours beside mink; without it, or without mujoco, the row has no value."""
    scene = make_scene()
    follow(scene, ours)  # once for the caches of the machine
    mine = follow(scene, ours)
    mink, mujoco = peers.load("mink"), peers.load("mujoco")
    if mink is None or mujoco is None:
        return [BenchRow.against(NAME, WORKLOAD, _PEER, "ms/frame", mine.median_ms, None, f"not installed; ours: {mine}")]
    theirs = follow(scene, *mink_step(mink, mujoco, scene))
    note = f"ours: {mine}; peer: error {theirs.error_mm:.1f} mm (another energy)"
    return [BenchRow.against(NAME, WORKLOAD, _PEER, "ms/frame", mine.median_ms, theirs.median_ms, note)]


def mink_step(mink: ModuleType, mujoco: ModuleType, scene: Scene) -> tuple[Step, Joints]:
    """One differential IK step from mink's own last configuration, and where its joints are."""
    ik, muj = cast(Any, mink), cast(Any, mujoco)
    model = muj.MjModel.from_xml_string(mjcf(REFERENCE))
    configuration = ik.Configuration(model)
    tasks = [ik.FrameTask(name, "body", position_cost=1.0, orientation_cost=0.0) for name in SEEN]
    posture, limits = ik.PostureTask(model, cost=_POSTURE_COST), [ik.ConfigurationLimit(model)]
    posture.set_target_from_configuration(configuration)
    bodies = [model.body(name).id for name in REFERENCE.names]
    frame = -1

    def one_step(targets_m: FloatArray) -> None:
        for task, target_m in zip(tasks, targets_m, strict=True):
            task.set_target(ik.SE3.from_translation(target_m))
        velocity = ik.solve_ik(configuration, [*tasks, posture], _STEP_S, solver="daqp", damping=1e-6, limits=limits)
        configuration.integrate_inplace(velocity, _STEP_S)

    def step(problem: Problem) -> None:
        nonlocal frame
        targets_m = problem.targets.values.position_m[: len(SEEN)] + scene.root_m[max(frame, 0)]
        for _ in range(1 if frame >= 0 else _SETTLING_STEPS):  # the first call is not timed
            one_step(targets_m)
        frame += 1

    def joints() -> FloatArray:
        return configuration.data.xpos[bodies].copy()

    return step, joints


def mjcf(skeleton: Skeleton) -> str:
    """The skeleton for MuJoCo: a free root, and a hinge for each angle, swings before the twist."""
    root = ElementTree.Element("mujoco")
    ElementTree.SubElement(root, "compiler", angle="radian", autolimits="true")
    bodies = [ElementTree.SubElement(root, "worldbody")]
    for joint, name in enumerate(skeleton.names):
        parent, offset_m = skeleton.parents[joint], skeleton.offsets_m[joint]
        body = ElementTree.SubElement(bodies[parent + 1], "body", name=name, pos=_numbers(offset_m))
        bodies.append(body)
        if parent < 0:
            ElementTree.SubElement(body, "freejoint")
        for dof in np.flatnonzero(skeleton.dof_joints == joint).tolist():
            axis, limits = _numbers(skeleton.dof_axes[dof]), _numbers(skeleton.limits_rad[dof])
            ElementTree.SubElement(body, "joint", type="hinge", axis=axis, range=limits)
        ElementTree.SubElement(body, "geom", type="sphere", size="0.02", contype="0", conaffinity="0")
    return ElementTree.tostring(root, encoding="unicode")


def _numbers(values: FloatArray) -> str:
    return " ".join(f"{value:.9g}" for value in values)
