"""The benchmarks with a fixed number of steps: what they promise of the energy, and missing peers."""

from xml.etree import ElementTree

import numpy as np
import pytest

from posewire.bench import fit_crowd, fit_realtime, fit_scene
from posewire.bench.row import Peers
from posewire.skeleton import REFERENCE


class NoPeers(Peers):
    def load(self, name: str) -> None:
        return None


def test_the_fixed_steps_leave_less_than_a_thousandth_of_the_energy() -> None:
    result = fit_scene.follow(fit_scene.make_scene(frames=120), fit_realtime.ours)
    assert result.excess_p95 < 1e-3
    assert result.error_mm < 20.0


def test_without_mink_the_row_has_our_value_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fit_realtime, "make_scene", lambda: fit_scene.make_scene(frames=10))
    (row,) = fit_realtime.run(NoPeers())
    assert row.ours > 0
    assert (row.peer_value, row.ratio) == (None, None)
    assert "not installed" in row.note


def test_the_peers_model_has_our_joints_angles_and_ranges() -> None:
    model = ElementTree.fromstring(fit_realtime.mjcf(REFERENCE))
    assert {body.get("name") for body in model.iter("body")} == set(REFERENCE.names)
    hinges = list(model.iter("joint"))
    ranges = np.array([[float(x) for x in str(hinge.get("range")).split()] for hinge in hinges])
    np.testing.assert_allclose(np.sort(ranges, axis=0), np.sort(REFERENCE.limits_rad, axis=0), atol=1e-6)


def crowd(people: int) -> tuple[list[fit_scene.Scene], list[fit_scene.Problem]]:
    return [fit_scene.make_scene(seed, 4) for seed in range(people)], [fit_scene.make_problem() for _ in range(people)]


def test_a_crowd_without_torch_has_our_value_alone() -> None:
    row = fit_crowd.measure(*crowd(2), None)
    assert row.ours > 0
    assert row.peer_value is None
    assert "torch is not installed" in row.note


def test_torch_solves_the_crowds_energies_as_far_as_we_do() -> None:
    torch = pytest.importorskip("torch", reason="SKIPPED LOUDLY: torch is not installed; the crowd's peer is untested here")
    row = fit_crowd.measure(*crowd(3), torch)
    assert row.ratio is not None
    said = [float(part.split()[0].rstrip(",;")) for part in row.note.split("p95 ")[1:]]
    assert max(said) < 1e-3
