"""pymomentum on the energy of fit_scene.py: its own character, error functions and Gauss-Newton; no Python while it solves.

Its joints turn by Euler angles, ours by exp(swing) exp(twist). So the character of a frame is expanded about angles c of swings s
and twists t: a joint turns by exp(s) Rz Ry Rx and hands exp(t) on to what it carries, its Euler angles linear in the step from c.
At c energy and gradient are ours. c is what the solver itself has found in solves that are not timed; the timed one starts from
the pose of the frame before, like everybody's.
The root is a joint of depth, one of place and one of rotation: a point seen from the second is root-relative, as the 3D data are;
seen from the first only its depth is, as smoothness asks along the line of sight (here z).
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from posewire import rotation
from posewire.bench.fit_scene import Problem, Staged
from posewire.data import FloatArray
from posewire.fit.body import ROOT_UNKNOWNS
from posewire.fit.targets import Targets
from posewire.skeleton import REFERENCE

_THRESHOLD, _MOST_STEPS = 10.0, 30
"""In float32's epsilon, 1.2e-7: the others' stop, a step that lowers the energy by less than a millionth of it.
100 ends a step or two earlier, in three quarters of the time, with the same median energy."""
_UNTIMED_SOLVES = 3
"""About the last pose, about the first result, about the second; the last one's character is solved again and timed."""
_DEPTH, _PLACE, _PELVIS = 0, 1, 2
"""The root's joints; joint j of ours is _PELVIS + j."""
_PARAMETER_UNIT, _LIMIT_UNIT = 0.1, 10.0
"""Factors of its own: a parameter's energy is 0.1 (w d)^2, a limit's 10 w d^2; a point's is w d^2."""
_NAMES = ["depth", "x", "y", "turn_x", "turn_y", "turn_z", *REFERENCE.dof_names]
_AXES, _OF, _IS_TWIST = REFERENCE.dof_axes, REFERENCE.dof_joints, REFERENCE.dof_is_twist


class _Solver:
    """Its Gauss-Newton solver without line search, on one frame's problem."""

    def __init__(self, solver2: ModuleType) -> None:
        self._solver2, self._geometry = cast(Any, solver2), cast(Any, importlib.import_module("pymomentum.geometry"))
        self._options = self._solver2.GaussNewtonSolverOptions()
        self._options.threshold, self._options.max_iterations = _THRESHOLD, _MOST_STEPS
        self._options.do_line_search = False
        self._centre_rad = self._start = self._found = np.zeros(0)
        self._solver: Any = None

    def prepare(self, problem: Problem) -> None:
        begin_rad = problem.work.values.angles_rad[0].copy()
        self._centre_rad, self._found = begin_rad, np.zeros(len(_NAMES))
        for _ in range(_UNTIMED_SOLVES):
            self._centre_rad = self._centre_rad + self._found[ROOT_UNKNOWNS:]
            character, twists = _character(self._geometry, problem, self._centre_rad)
            function = self._solver2.SkeletonSolverFunction(character)
            for term in _terms(self._solver2, character, twists, problem, self._centre_rad):
                function.add_error_function(term)
            self._solver = self._solver2.GaussNewtonSolver(function, self._options)
            self._start = np.zeros(len(_NAMES), dtype=np.float32)  # as it takes them
            self._start[ROOT_UNKNOWNS:] = begin_rad - self._centre_rad
            self.solve(problem)

    def solve(self, problem: Problem) -> None:
        self._found = self._solver.solve(self._start)

    def take(self, problem: Problem) -> None:
        work, x = problem.work.values, self._found.astype(np.float64)
        work.root_m[0] += x[[1, 2, 0]]
        for turn in rotation.exp(np.diag(x[3:ROOT_UNKNOWNS]))[::-1]:
            work.root_wxyz[0] = rotation.multiply(work.root_wxyz[0], turn)
        work.angles_rad[0] = self._centre_rad + x[ROOT_UNKNOWNS:]


def momentum_gn(solver2: ModuleType) -> Staged:
    """Only the solve is timed: neither the making of its character nor the reading of its result, which are Python."""
    solver = _Solver(solver2)
    return Staged(solver.prepare, solver.solve, solver.take)


def _character(geometry: Any, problem: Problem, centre_rad: FloatArray) -> tuple[Any, FloatArray]:
    """Expanded about angles (D,) and the root's pose; and (N, 4) the twists that its joints hand on."""
    body, work, N = problem.body.values, problem.work.values, len(REFERENCE.names)
    turns = np.zeros((2, N, 3))
    np.add.at(turns, (_IS_TWIST.astype(int), _OF), centre_rad[:, None] * _AXES)
    swings, twists = rotation.exp(turns)
    joints = [_joint(geometry, "depth", -1, rotation.identity(), work.root_m[0] * [0, 0, 1])]
    joints.append(_joint(geometry, "place", _DEPTH, rotation.identity(), work.root_m[0] * [1, 1, 0]))
    joints.append(_joint(geometry, "pelvis", _PLACE, work.root_wxyz[0], np.zeros(3)))
    for j, parent in enumerate(REFERENCE.parents[1:], start=1):
        offset_m = rotation.rotate(twists[parent], body.offsets_m[j])
        turned = rotation.multiply(twists[parent], swings[j])
        joints.append(_joint(geometry, REFERENCE.names[j], _PELVIS + parent, turned, offset_m))
    skeleton = geometry.Skeleton(joints)
    transform = geometry.ParameterTransform(_NAMES, skeleton, _rows(turns[0]))
    ranges = enumerate((REFERENCE.limits_rad - centre_rad[:, None]).tolist(), start=ROOT_UNKNOWNS)
    limits = [geometry.ParameterLimit.create_minmax(k, low, high) for k, (low, high) in ranges]
    return geometry.Character("person", skeleton, transform).with_parameter_limits(limits), twists


def euler_rates(swings: FloatArray) -> FloatArray:
    """(D, 3) of the Euler angles x, y, z, about swings (N, 3); right Jacobian of SO(3): Sola 2018, arXiv 1812.01537, eq. 143."""
    s, u = swings[_OF], _AXES
    t, across = np.maximum(np.linalg.norm(s, axis=1, keepdims=True), 1e-4), np.cross(s, u)
    swung = u - (1.0 - np.cos(t)) / t**2 * across + (t - np.sin(t)) / t**3 * np.cross(s, across)
    return np.where(_IS_TWIST[:, None], u, swung)


def _rows(swings: FloatArray) -> FloatArray:
    """(7 joints, P) what each parameter adds to each joint's translation, rotation and scale."""
    rows = np.zeros((_PELVIS + len(swings), 7, len(_NAMES)))
    rows[_DEPTH, 2, 0] = rows[_PLACE, 0, 1] = rows[_PLACE, 1, 2] = 1.0
    rows[_PELVIS, 3:6, 3:ROOT_UNKNOWNS] = np.eye(3)
    rows[_PELVIS + _OF, 3:6, ROOT_UNKNOWNS + np.arange(len(_OF))] = euler_rates(swings)
    return rows.reshape(-1, len(_NAMES))


def _terms(solver2: Any, character: Any, twists: FloatArray, problem: Problem, centre_rad: FloatArray) -> list[Any]:
    """3D data and smoothness; pixels; depth, rest and damping; limits."""
    body, targets, root_m = problem.body.values, problem.targets.values, problem.work.values.root_m[0]
    M, carriers = body.markers, body.marker_joint[: body.markers]
    markers_m = rotation.rotate(twists[carriers], body.marker_offset_m[:M])
    points = solver2.JointToJointPositionErrorFunction(character)
    _add_points(points, targets, carriers, markers_m)
    pixels, views = solver2.ProjectionErrorFunction(character, near_clip=0.01), targets.K @ targets.T_camera_world[:3]
    pixels.add_constraints([views] * M, targets.pixel_px[:M], _PELVIS + carriers, markers_m, targets.pixel_w[:M])
    w, wanted = np.zeros((2, len(_NAMES)))
    w[0], wanted[0] = targets.depth[1], -targets.depth[0] - root_m[2]
    w[ROOT_UNKNOWNS:] = angle_w = targets.rest_w + targets.damping_w  # two springs are one, but for a constant
    asked_rad = targets.rest_w * targets.rest_rad + targets.damping_w * targets.previous_rad
    wanted[ROOT_UNKNOWNS:] = asked_rad / angle_w - centre_rad
    parameters = solver2.ModelParametersErrorFunction(character, wanted, weights=np.sqrt(w / _PARAMETER_UNIT))
    return [points, pixels, parameters, solver2.LimitErrorFunction(character, weight=targets.limit_w[0] / _LIMIT_UNIT)]


def _add_points(points: Any, targets: Targets, carriers: NDArray[np.int64], markers_m: FloatArray) -> None:
    """The markers from the root's place, then the joints from its depth; smoothness weighs alike across and along here."""
    M, N = len(carriers), len(targets.predicted_m)
    source, reference = np.concatenate([carriers, np.arange(N)]), np.repeat([_PLACE, _DEPTH], [M, N])
    offsets_m, none_m = np.concatenate([markers_m, np.zeros((N, 3))]), np.zeros((M + N, 3))
    wanted_m = np.concatenate([targets.position_m[:M], targets.predicted_m - targets.predicted_m[0] * [0, 0, 1]])
    w = np.concatenate([targets.position_w[:M], targets.predicted_w[:, 0]])
    points.add_constraints(_PELVIS + source, offsets_m, reference, none_m, wanted_m, w)


def _joint(geometry: Any, name: str, parent: int, wxyz: FloatArray, offset_m: FloatArray) -> Any:
    return geometry.Joint(name, parent, np.roll(wxyz, -1), offset_m)
