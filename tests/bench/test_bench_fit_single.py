"""The fit's benchmark: same energy for everybody, missing peers listed."""

import numpy as np
import pytest

from posewire import rotation
from posewire.bench import fit_scene, fit_single
from posewire.bench.fit_dense import evaluate, residual_count
from posewire.bench.fit_momentum import euler_rates
from posewire.bench.fit_scene import Problem
from posewire.bench.row import BenchRow, Peers
from posewire.data import FloatArray
from posewire.skeleton import REFERENCE


def problem_at(pose_of: int) -> Problem:
    """Frame 5's data, from another frame's pose."""
    scene, problem = fit_scene.make_scene(frames=20), fit_scene.make_problem()
    problem.look(scene, 5)
    problem.start_at(scene, pose_of)
    problem.targets.values.predicted_m[:, 2] = -3.0
    return problem


def dense_at(problem: Problem, x: FloatArray) -> tuple[FloatArray, FloatArray]:
    count = residual_count(problem.body.values)
    r, J = np.empty(count), np.empty((count, len(x)))
    evaluate(problem.body.record, problem.targets.record, problem.work.record, x, r, J)
    return r, J


def test_the_peers_solve_our_energy_with_our_gradient() -> None:
    problem = problem_at(9)
    r, J = dense_at(problem, np.zeros(47))
    assert r @ r == pytest.approx(problem.solve(0, 0.0), rel=1e-9)
    problem.solve(1, 0.0)
    H = J.T @ J
    step = -np.linalg.solve(H + 1e-4 * np.diag(np.diag(H)), J.T @ r)
    np.testing.assert_allclose(problem.work.values.step, step, atol=1e-6 * np.abs(step).max())


def test_the_peers_jacobian_holds_away_from_the_start() -> None:
    problem, x = problem_at(5), np.random.default_rng(0).normal(0, 0.1, 47)
    _, J = dense_at(problem, x)
    steps = np.eye(47) * 1e-6
    numeric = np.stack([(dense_at(problem, x + d)[0] - dense_at(problem, x - d)[0]) / 2e-6 for d in steps], axis=1)
    np.testing.assert_allclose(J, numeric, atol=1e-5 * np.abs(numeric).max())


def test_a_missing_peer_is_listed_and_not_fatal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fit_single, "make_scene", lambda: fit_scene.make_scene(frames=20))
    monkeypatch.setattr(fit_single, "PEERS", {"nobody": ("posewire_no_such_peer", fit_single.scipy_lm)})
    (row,) = fit_single.run(Peers())
    assert (row.name, row.peer, row.peer_value, row.ratio) == ("fit_single", "nobody", None, None)
    assert row.ours > 0
    assert "not installed" in row.note


def test_scipy_reaches_the_minimum_that_we_reach() -> None:
    scene = fit_scene.make_scene(frames=10)
    optimize = Peers().load("scipy.optimize")
    assert optimize is not None
    assert fit_scene.follow(scene, fit_single.ours).excess_median < 1e-6
    assert fit_scene.follow(scene, fit_single.scipy_lm(optimize)).excess_median < 1e-6


def test_a_staged_solver_is_prepared_and_read_around_every_solve() -> None:
    stages: list[str] = []

    def stage(name: str) -> fit_scene.Step:
        return lambda problem: stages.append(name)

    fit_scene.follow(fit_scene.make_scene(frames=2), fit_scene.Staged(stage("prepare"), stage("solve"), stage("take")))
    assert stages == ["prepare", "solve", "take"] * 3  # once before the frames


def test_the_euler_angles_of_momentum_move_its_joints_as_ours_move() -> None:
    angles_rad, step_rad = fit_scene.make_scene(frames=1).angles_rad[0], 1e-6
    turns, of, twist = np.zeros((2, len(REFERENCE.names), 3)), REFERENCE.dof_joints, REFERENCE.dof_is_twist
    np.add.at(turns, (twist.astype(int), of), angles_rad[:, None] * REFERENCE.dof_axes)
    swings, twists = rotation.exp(turns)
    moved = REFERENCE.joint_rotations(angles_rad + step_rad * np.eye(len(of)), rotation.identity())[np.arange(len(of)), of]
    between = rotation.multiply(rotation.inverse(swings[of]), rotation.multiply(moved, rotation.inverse(twists[of])))
    np.testing.assert_allclose(rotation.log(between) / step_rad, euler_rates(turns[0]), atol=1e-5)


def test_a_ratio_says_how_many_times_faster_ours_is() -> None:
    assert BenchRow.against("n", "w", "p", "ms", 0.5, 10.0).ratio == 20.0


def test_peers_are_found_in_a_folder(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    import sys

    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "posewire_made_up_peer.py").write_text("ANSWER = 42\n")
    module = Peers(tmp_path).load("posewire_made_up_peer")
    assert module is not None
    assert module.ANSWER == 42
