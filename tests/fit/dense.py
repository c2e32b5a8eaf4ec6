"""The fit's energy and solver again, in plain numpy with a full Jacobian: slow, short, and written apart from the kernels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from posewire import rotation, skeleton
from posewire.data import FloatArray
from posewire.fit.body import Body, Workspace, make_body, make_workspace
from posewire.fit.inertia import RELATIVE
from posewire.fit.packing import Packed, pack
from posewire.fit.residuals import TERMS
from posewire.fit.solver import solve
from posewire.fit.targets import Targets, make_targets

MARKER_NAMES = ("nose", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist")
MARKER_NAMES += ("right_wrist", "left_index", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle")
MARKER_NAMES += ("left_heel", "right_foot_index")
MARKERS = [skeleton.MARKERS[name] for name in MARKER_NAMES]
SKELETON = skeleton.REFERENCE


@dataclass(frozen=True, slots=True, eq=False)
class Pose:
    """The unknowns."""

    root_m: FloatArray
    root_wxyz: FloatArray
    angles_rad: FloatArray

    def moved(self, step: FloatArray) -> Pose:
        """The pose `step` (P,) away."""
        q = rotation.multiply(rotation.exp(step[3:6]), self.root_wxyz)
        return Pose(self.root_m + step[:3], q, self.angles_rad + step[6:])


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """A body, what is asked of it, and the workspace of the kernels."""

    packed: tuple[Packed[Body], Packed[Targets], Packed[Workspace]]

    @property
    def targets(self) -> Targets:
        """What is asked, for the markers that there are: views."""
        t = self.packed[1].values
        rows = {name: getattr(t, name)[: len(MARKERS)] for name in ("position_m", "position_w", "pixel_px", "pixel_w")}
        return t._replace(**rows)

    @property
    def work(self) -> Workspace:
        """The workspace of the kernels."""
        return self.packed[2].values

    def load(self, pose: Pose) -> None:
        """Puts a pose where the kernels start from."""
        self.work.root_m[0], self.work.root_wxyz[0], self.work.angles_rad[0] = pose.root_m, pose.root_wxyz, pose.angles_rad

    def linearised(self, pose: Pose) -> tuple[FloatArray, FloatArray, FloatArray]:
        """The kernels' energies (T,), gradient (P,) and full matrix (P, P) at a pose."""
        self.load(pose)
        self._solve(0, 0.0)
        J = np.zeros((2, len(SKELETON.names) + len(MARKERS), 3, len(self.work.step)))  # of the places, absolute and relative
        J[:] = jacobian(lambda p: np.concatenate([joints_m(p), markers_m(p)]).ravel(), pose).reshape(J.shape[1:])
        J[RELATIVE, ..., :3] = 0.0
        loads, angles = self.work.loads[0, : J.shape[1]], self.work.angle_loads[0]
        H = np.einsum("kpia,pkij,kpjb->ab", J, loads[..., :3], J, optimize=True)
        H += np.diag(np.append(np.zeros(6), angles[0]))
        gradient = np.einsum("kpia,pki->a", J, loads[..., 3]) + np.append(np.zeros(6), angles[1])
        return self.work.energies[0].copy(), gradient, H

    def _solve(self, iterations: int, tolerance: float) -> float:
        body, targets, work = self.packed
        return solve(body.record, targets.record, work.record, iterations, tolerance)[0]

    def solved(self, pose: Pose, iterations: int, tolerance: float = 0.0) -> tuple[Pose, float]:
        """The kernels' solution from a pose, and its energy."""
        self.load(pose)
        energy = self._solve(iterations, tolerance)
        work = self.work
        return Pose(work.root_m[0].copy(), work.root_wxyz[0].copy(), work.angles_rad[0].copy()), energy


def make_problem() -> Problem:
    """A body of which nothing is asked."""
    body = make_body(SKELETON, MARKERS)
    return Problem((pack(body), pack(make_targets(body)), pack(make_workspace(body, len(TERMS)))))


def random_pose(rng: np.random.Generator, size: float = 0.4) -> Pose:
    """Inside the limits, 3 m in front of a camera at the origin that looks along -z."""
    low, high = SKELETON.limits_rad.T
    angles = rng.uniform(low, high) * size
    return Pose(np.array([0.1, 0.2, -3.0]), rotation.exp(rng.normal(0.0, 0.5, 3)), angles)


def markers_m(pose: Pose) -> FloatArray:
    """(M, 3) by the skeleton's own forward kinematics."""
    local = SKELETON.joint_rotations(pose.angles_rad, pose.root_wxyz)
    world, joints = SKELETON.world_rotations(local), SKELETON.positions_m(pose.root_m, local)
    at = [SKELETON.index(marker.joint) for marker in MARKERS]
    return joints[at] + rotation.rotate(world[at], np.array([marker.offset_m for marker in MARKERS]))


def joints_m(pose: Pose) -> FloatArray:
    """(N, 3)"""
    return SKELETON.positions_m(pose.root_m, SKELETON.joint_rotations(pose.angles_rad, pose.root_wxyz))


def fill(problem: Problem, truth: Pose, rng: np.random.Generator) -> None:
    """Asks for `truth` with noise in every term; some points unseen (NaN, weight 0)."""
    t, D = problem.targets, len(truth.angles_rad)
    t.K[:] = [[900.0, 1.5, 320.0], [0.0, 880.0, 240.0], [0.0, 0.0, 1.0]]
    t.T_camera_world[:] = np.diag([1.0, -1.0, -1.0, 1.0])
    t.T_camera_world[:3, :3] = rotation.to_matrix(rotation.exp([0.05, -0.1, 0.02])) @ t.T_camera_world[:3, :3]
    points, joints = markers_m(truth), joints_m(truth)
    t.position_m[:] = points - truth.root_m + rng.normal(0.0, 0.03, points.shape)
    t.position_w[:] = rng.uniform(100.0, 400.0, len(points))
    t.pixel_px[:] = project(points, t) + rng.normal(0.0, 3.0, (len(points), 2))
    t.pixel_w[:] = rng.uniform(0.005, 0.02, len(points))
    t.predicted_m[:] = joints + rng.normal(0.0, 0.02, joints.shape)
    t.predicted_w[:] = rng.uniform(50.0, 200.0, (len(joints), 2))
    t.sight[:] = truth.root_m / np.linalg.norm(truth.root_m)
    t.depth[:] = [3.1, 40.0]
    t.limit_w[:], t.rest_w[:], t.damping_w[:] = 300.0, 0.2, 0.5
    t.limit_shift_rad[:] = SKELETON.limit_shift_rad(truth.angles_rad)
    t.rest_rad[:], t.previous_rad[:] = rng.normal(0.0, 0.1, D), truth.angles_rad + rng.normal(0.0, 0.1, D)
    t.contact_m[:], t.contact_w[7:11] = joints + rng.spawn(1)[0].normal(0.0, 0.02, joints.shape), 700.0
    t.position_m[3], t.position_w[3] = np.nan, 0.0
    t.pixel_px[5], t.pixel_w[5] = np.nan, 0.0
    t.predicted_m[7], t.predicted_w[7] = np.nan, 0.0
    t.contact_m[6] = np.nan


def project(points: FloatArray, t: Targets) -> FloatArray:
    """World points (M, 3) to pixels (M, 2)."""
    camera = points @ t.T_camera_world[:3, :3].T + t.T_camera_world[:3, 3]
    image = camera @ t.K.T
    return image[:, :2] / image[:, 2:]


def residuals(term: str, pose: Pose, t: Targets) -> FloatArray:
    """(R,) weighted residuals of a term, whose squares sum to its energy."""
    return _RESIDUALS[term](pose, t)


def all_residuals(pose: Pose, t: Targets) -> FloatArray:
    """Those of every term."""
    return np.concatenate([residuals(term, pose, t) for term in TERMS])


def _position(pose: Pose, t: Targets) -> FloatArray:
    use = t.position_w > 0
    return (np.sqrt(t.position_w[use])[:, None] * (markers_m(pose) - pose.root_m - t.position_m)[use]).ravel()


def _reprojection(pose: Pose, t: Targets) -> FloatArray:
    use = t.pixel_w > 0
    return (np.sqrt(t.pixel_w[use])[:, None] * (project(markers_m(pose), t) - t.pixel_px)[use]).ravel()


def _smoothness(pose: Pose, t: Targets) -> FloatArray:
    use, n = t.predicted_w[:, 0] > 0, t.sight
    e = (joints_m(pose) - t.predicted_m)[use]
    along = e @ n
    across = e - along[:, None] * n
    w = np.sqrt(t.predicted_w[use])
    root_along = (pose.root_m - t.predicted_m[0]) @ n
    return np.concatenate([(w[:, :1] * across).ravel(), w[:, 1] * (along - root_along)])


def _depth(pose: Pose, t: Targets) -> FloatArray:
    z = t.T_camera_world[2, :3] @ pose.root_m + t.T_camera_world[2, 3]
    return np.sqrt(t.depth[1:]) * (z - t.depth[0])


def _limits(pose: Pose, t: Targets) -> FloatArray:
    low, high = SKELETON.limits_rad.T
    angles = pose.angles_rad - t.limit_shift_rad
    return np.sqrt(t.limit_w) * (angles - np.clip(angles, low, high))


def _rest(pose: Pose, t: Targets) -> FloatArray:
    return np.sqrt(t.rest_w) * (pose.angles_rad - t.rest_rad)


def _damping(pose: Pose, t: Targets) -> FloatArray:
    return np.sqrt(t.damping_w) * (pose.angles_rad - t.previous_rad)


def _contact(pose: Pose, t: Targets) -> FloatArray:
    use = t.contact_w > 0
    return (np.sqrt(t.contact_w[use])[:, None] * (joints_m(pose) - t.contact_m)[use]).ravel()


_RESIDUALS: dict[str, Callable[[Pose, Targets], FloatArray]] = {
    "position": _position,
    "reprojection": _reprojection,
    "smoothness": _smoothness,
    "depth": _depth,
    "limits": _limits,
    "rest": _rest,
    "damping": _damping,
    "contact": _contact,
}


def jacobian(function: Callable[[Pose], FloatArray], pose: Pose, step: float = 1e-5) -> FloatArray:
    """(R, P) by central differences along the tangent space."""
    columns = np.eye(6 + len(pose.angles_rad)) * step
    return np.stack([(function(pose.moved(d)) - function(pose.moved(-d))) / (2 * step) for d in columns], axis=1)


def solve_dense(pose: Pose, t: Targets, iterations: int = 60) -> tuple[Pose, float]:
    """Levenberg-Marquardt with the full Jacobian until it stands still; the pose and its energy."""
    mu, energy = 1e-4, float(np.sum(all_residuals(pose, t) ** 2))
    for _ in range(iterations):
        r, J = all_residuals(pose, t), jacobian(lambda p: all_residuals(p, t), pose)
        H = J.T @ J
        trial = pose.moved(-np.linalg.solve(H + mu * np.diag(np.diag(H)), J.T @ r))
        trial_energy = float(np.sum(all_residuals(trial, t) ** 2))
        if trial_energy < energy:
            pose, energy, mu = trial, trial_energy, mu * 0.2
        else:
            mu *= 5.0
    return pose, energy
