"""Every residual through one finite-difference helper: energy, gradient and Gauss-Newton matrix of the kernels."""

import dense
import numpy as np
import pytest

from posewire.fit.inertia import ABSOLUTE, RELATIVE
from posewire.fit.residuals import TERMS


def only(problem: dense.Problem, term: str) -> None:
    """Switches every other term off."""
    t = problem.targets
    weights = {
        "position": t.position_w,
        "reprojection": t.pixel_w,
        "smoothness": t.predicted_w,
        "depth": t.depth[1:],
        "limits": t.limit_w,
        "rest": t.rest_w,
        "damping": t.damping_w,
        "contact": t.contact_w,
    }
    for name, weight in weights.items():
        if name != term:
            weight[:] = 0.0


def assert_term_matches_finite_differences(term: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    problem, truth = dense.make_problem(), dense.random_pose(rng)
    dense.fill(problem, truth, rng)
    only(problem, term)
    pose = dense.random_pose(rng, size=1.2) if term == "limits" else truth.moved(rng.normal(0.0, 0.1, 47))
    energies, gradient, H = problem.linearised(pose)
    r = dense.residuals(term, pose, problem.targets)
    J = dense.jacobian(lambda p: dense.residuals(term, p, problem.targets), pose)
    assert r @ r > 1e-3
    np.testing.assert_allclose(energies[TERMS.index(term)], r @ r, rtol=1e-9)
    assert np.count_nonzero(energies) == 1
    np.testing.assert_allclose(gradient, J.T @ r, atol=1e-6 * np.abs(J.T @ r).max())
    np.testing.assert_allclose(H, J.T @ J, atol=1e-6 * np.abs(J.T @ J).max())


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("term", TERMS)
def test_gradient_and_matrix_agree_with_finite_differences(term: str, seed: int) -> None:
    assert_term_matches_finite_differences(term, seed)


def test_unseen_points_do_not_poison_the_energy() -> None:
    rng = np.random.default_rng(2)
    problem, truth = dense.make_problem(), dense.random_pose(rng)
    dense.fill(problem, truth, rng)
    energies, gradient, H = problem.linearised(truth)
    assert np.isnan(problem.targets.position_m).any()
    assert np.isfinite(energies).all()
    assert np.isfinite(gradient).all()
    assert np.isfinite(H).all()


def test_a_root_relative_term_does_not_pull_the_root() -> None:
    rng = np.random.default_rng(3)
    problem, truth = dense.make_problem(), dense.random_pose(rng)
    dense.fill(problem, truth, rng)
    only(problem, "position")
    _, gradient, H = problem.linearised(truth)
    assert not problem.work.loads[0, :, ABSOLUTE].any()
    assert problem.work.loads[0, :, RELATIVE].any()
    assert not gradient[:3].any()
    assert not H[:3].any()


def test_a_point_behind_the_camera_has_a_finite_energy() -> None:
    rng = np.random.default_rng(4)
    problem, truth = dense.make_problem(), dense.random_pose(rng)
    dense.fill(problem, truth, rng)
    behind = truth.moved(np.concatenate([[0.0, 0.0, 6.0], np.zeros(44)]))
    energies, gradient, _ = problem.linearised(behind)
    assert np.isfinite(energies).all()
    assert np.isfinite(gradient).all()
