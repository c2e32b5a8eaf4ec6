"""The fit's benchmark: same energy for everybody, missing peers listed."""

import numpy as np
import pytest

from posewire.bench import fit_single
from posewire.bench.fit_dense import evaluate, residual_count
from posewire.bench.row import BenchRow, Peers
from posewire.fit.body import make_workspace
from posewire.fit.residuals import TERMS
from posewire.fit.solver import solve


def test_the_peers_solve_our_energy_with_our_gradient() -> None:
    scene = fit_single.make_scene()
    targets, work = fit_single.make_frame_targets(scene), make_workspace(scene.body, len(TERMS))
    targets.position_m[:], targets.pixel_px[:], targets.predicted_m[:, 2] = scene.position_m[5], scene.pixel_px[5], -3.0
    work.root_m[0], work.root_wxyz[0], work.angles_rad[0] = scene.first_root_m, scene.first_wxyz, scene.truth_angles_rad[9]
    r, J = np.empty(residual_count(scene.body)), np.empty((residual_count(scene.body), len(scene.body.depth)))
    evaluate(scene.body, targets, work, np.zeros(J.shape[1]), r, J)
    _, energy, _ = solve(scene.body, targets, work, 0, 0.0)
    assert r @ r == pytest.approx(energy, rel=1e-9)
    np.testing.assert_allclose(J.T @ r, work.gradient[0], rtol=1e-6, atol=1e-6 * np.abs(work.gradient[0]).max())


def test_the_peers_jacobian_holds_away_from_the_start() -> None:
    scene = fit_single.make_scene()
    targets, work = fit_single.make_frame_targets(scene), make_workspace(scene.body, len(TERMS))
    targets.position_m[:], targets.pixel_px[:], targets.predicted_m[:, 2] = scene.position_m[5], scene.pixel_px[5], -3.0
    work.root_m[0], work.root_wxyz[0], work.angles_rad[0] = scene.first_root_m, scene.first_wxyz, scene.truth_angles_rad[5]
    R, P = residual_count(scene.body), len(scene.body.depth)
    r, J, x = np.empty(R), np.empty((R, P)), np.random.default_rng(0).normal(0, 0.1, P)
    evaluate(scene.body, targets, work, x, r, J)
    numeric, scratch = np.empty((R, P)), np.empty((R, P))
    for k in range(P):
        plus, minus, step = np.empty(R), np.empty(R), np.eye(P)[k] * 1e-6
        evaluate(scene.body, targets, work, x + step, plus, scratch)
        evaluate(scene.body, targets, work, x - step, minus, scratch)
        numeric[:, k] = (plus - minus) / 2e-6
    np.testing.assert_allclose(J, numeric, atol=1e-5 * np.abs(numeric).max())


def test_a_missing_peer_is_listed_and_not_fatal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fit_single, "FRAMES", 20)
    monkeypatch.setattr(fit_single, "PEERS", {"nobody": ("posewire_no_such_peer", fit_single.scipy_lm)})
    (row,) = fit_single.run(Peers())
    assert (row.name, row.peer, row.peer_value, row.ratio) == ("fit_single", "nobody", None, None)
    assert row.ours > 0
    assert "not installed" in row.note


def test_scipy_reaches_the_minimum_that_we_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fit_single, "FRAMES", 10)
    scene = fit_single.make_scene()
    optimize = Peers().load("scipy.optimize")
    assert optimize is not None
    assert fit_single.follow(scene, fit_single.ours).excess_median < 1e-6
    assert fit_single.follow(scene, fit_single.scipy_lm(optimize)).excess_median < 1e-6


def test_a_ratio_says_how_many_times_faster_ours_is() -> None:
    assert BenchRow.against("n", "w", "p", "ms", 0.5, 10.0).ratio == 20.0


def test_peers_are_found_in_a_folder(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    import sys

    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "posewire_made_up_peer.py").write_text("ANSWER = 42\n")
    module = Peers(tmp_path).load("posewire_made_up_peer")
    assert module is not None
    assert module.ANSWER == 42
