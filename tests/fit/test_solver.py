"""The structured solver against the dense one."""

import itertools

import dense
import numpy as np
import pytest

from posewire import rotation
from posewire.fit import kinematics


def problem_and_start(seed: int, spread: float = 0.15) -> tuple[dense.Problem, dense.Pose]:
    rng = np.random.default_rng(seed)
    problem, truth = dense.make_problem(), dense.random_pose(rng)
    dense.fill(problem, truth, rng)
    return problem, truth.moved(rng.normal(0.0, spread, 47))


@pytest.mark.parametrize("seed", range(3))
def test_energy_equals_that_of_the_dense_solver(seed: int) -> None:
    problem, start = problem_and_start(seed)
    _, energy = problem.solved(start, 60, 1e-14)
    _, reference = dense.solve_dense(start, problem.targets, 14)
    assert energy == pytest.approx(reference, rel=1e-6)


def test_a_step_is_that_of_the_dense_normal_equations() -> None:
    problem, start = problem_and_start(4, spread=0.02)
    _, gradient, H = problem.linearised(start)
    moved, _ = problem.solved(start, 1)
    step = -np.linalg.solve(H + 1e-4 * np.diag(np.diag(H)), gradient)
    np.testing.assert_allclose(problem.work.scale, np.diag(H), rtol=1e-6)
    np.testing.assert_allclose(problem.work.step, step, atol=1e-6 * np.abs(step).max())
    np.testing.assert_allclose(dense.joints_m(moved), dense.joints_m(start.moved(step)), atol=1e-6)


def test_the_pose_equals_that_of_the_dense_solver() -> None:
    problem, start = problem_and_start(5)
    pose, _ = problem.solved(start, 60, 1e-14)
    reference, _ = dense.solve_dense(start, problem.targets, 14)
    np.testing.assert_allclose(dense.joints_m(pose), dense.joints_m(reference), atol=1e-5)


def test_three_steps_from_a_near_pose_are_within_a_thousandth_of_the_minimum() -> None:
    problem, start = problem_and_start(6, spread=0.02)
    _, energy = problem.solved(start, 3)
    _, least = problem.solved(start, 60, 1e-14)
    assert energy <= least * 1.001


def test_energy_never_rises_from_step_to_step() -> None:
    problem, start = problem_and_start(7, spread=0.5)
    energies = [problem.solved(start, steps)[1] for steps in range(12)]
    assert all(after <= before for before, after in itertools.pairwise(energies))


def test_what_a_failed_step_leaves_does_not_matter() -> None:
    problem, start = problem_and_start(10)
    _, energy = problem.solved(start, 3)
    work = problem.work
    for scratch in (work.forms, work.subtrees, work.response, work.pivot, work.scale, work.step, work.swings, work.loads):
        scratch[:] = np.nan
    assert problem.solved(start, 3)[1] == energy


def test_root_rotation_stays_a_unit_quaternion() -> None:
    problem, start = problem_and_start(8, spread=0.5)
    pose, _ = problem.solved(start, 50)
    assert np.linalg.norm(pose.root_wxyz) == pytest.approx(1.0, abs=1e-12)


def test_the_solution_does_not_depend_on_where_the_world_stands() -> None:
    problem, start = problem_and_start(9)
    _, energy = problem.solved(start, 60, 1e-14)
    turn, shift = rotation.exp([0.3, -0.8, 0.4]), np.array([1.0, -2.0, 0.5])
    t = problem.targets
    for array in (t.position_m, t.sight):
        array[...] = rotation.rotate(turn, array)
    for array in (t.predicted_m, t.contact_m):
        array[...] = rotation.rotate(turn, array) + shift
    R = rotation.to_matrix(turn)
    t.T_camera_world[:3, :3] = t.T_camera_world[:3, :3] @ R.T
    t.T_camera_world[:3, 3] -= t.T_camera_world[:3, :3] @ shift
    moved = dense.Pose(rotation.rotate(turn, start.root_m) + shift, rotation.multiply(turn, start.root_wxyz), start.angles_rad)
    assert problem.solved(moved, 60, 1e-14)[1] == pytest.approx(energy, rel=1e-6)


@pytest.mark.parametrize("angle", [0.0, 1e-9, 0.3, 3.0, 3.2, 7.0, 40.0])
def test_the_series_of_a_turn_are_its_sine_and_cosine(angle: float) -> None:
    a, b, c = kinematics.turn_shares.py_func(angle**2)  # type: ignore[attr-defined]
    assert a * angle == pytest.approx(np.sin(angle), abs=1e-14)
    assert 1.0 - b * angle**2 == pytest.approx(np.cos(angle), abs=1e-13)
    assert angle - c * angle**3 == pytest.approx(np.sin(angle), abs=1e-13)


def test_every_joint_may_turn_far_beyond_its_range() -> None:
    problem = dense.make_problem()
    pose = dense.Pose(np.array([0.1, 0.2, -3.0]), rotation.exp([0.1, 0.2, 0.3]), np.linspace(-9.0, 9.0, 41))
    problem.solved(pose, 0)
    np.testing.assert_allclose(problem.work.joints_m[0], dense.joints_m(pose), atol=1e-12)
