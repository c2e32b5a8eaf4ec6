"""The batched solver minimises the fit's own energy: as the numba solver does, to rounding."""

import dense
import numpy as np
import pytest

from posewire.errors import DeviceError
from posewire.solve import tensors
from posewire.solve.batched import BatchedSolver, Poses

NO_TORCH = "SKIPPED LOUDLY: torch is not installed (pip install 'posewire[train]'); the batched solver is untested here"


def problems(count: int) -> tuple[list[dense.Problem], list[dense.Pose]]:
    """Each its own person, place and data; every term at work, some points unseen (NaN)."""
    made: list[dense.Problem] = []
    starts: list[dense.Pose] = []
    for seed in range(count):
        rng = np.random.default_rng(seed)
        problem, truth = dense.make_problem(), dense.random_pose(rng)
        dense.fill(problem, truth, rng)
        made.append(problem)
        starts.append(truth.moved(rng.normal(0.0, 0.1, 47)))
    return made, starts


def stacked(poses: list[dense.Pose]) -> Poses:
    return Poses(*(np.stack([getattr(pose, name) for pose in poses]) for name in ("root_m", "root_wxyz", "angles_rad")))


def test_energies_and_minima_are_those_of_the_numba_solver() -> None:
    pytest.importorskip("torch", reason=NO_TORCH)
    made, starts = problems(6)
    solver = BatchedSolver([problem.packed[0].values for problem in made])
    asked = solver.load([problem.packed[1].values for problem in made])
    _, begun = solver.solve(asked, stacked(starts), 0)
    np.testing.assert_allclose(
        begun, [problem.solved(start, 0)[1] for problem, start in zip(made, starts, strict=True)], rtol=1e-9
    )
    found, energies = solver.solve(asked, stacked(starts), 100, 1e-13)
    alone = [problem.solved(start, 100, 1e-13) for problem, start in zip(made, starts, strict=True)]
    np.testing.assert_allclose(energies, [energy for _, energy in alone], rtol=1e-6)
    for row, (pose, _) in enumerate(alone):
        mine = dense.Pose(found.root_m[row], found.root_wxyz[row], found.angles_rad[row])
        np.testing.assert_allclose(dense.joints_m(mine), dense.joints_m(pose), atol=1e-4)


def test_one_step_is_that_of_the_numba_solver() -> None:
    pytest.importorskip("torch", reason=NO_TORCH)
    made, starts = problems(3)
    solver = BatchedSolver([problem.packed[0].values for problem in made])
    found, energies = solver.solve(solver.load([problem.packed[1].values for problem in made]), stacked(starts), 1)
    for row, (problem, start) in enumerate(zip(made, starts, strict=True)):
        pose, energy = problem.solved(start, 1)
        assert energies[row] == pytest.approx(energy, rel=1e-8)
        np.testing.assert_allclose(found.angles_rad[row], pose.angles_rad, atol=1e-8)


def test_single_precision_comes_within_a_thousandth_of_the_minimum() -> None:
    pytest.importorskip("torch", reason=NO_TORCH)
    made, starts = problems(4)
    solver = BatchedSolver([problem.packed[0].values for problem in made], precision="float32")
    _, energies = solver.solve(solver.load([problem.packed[1].values for problem in made]), stacked(starts), 12)
    least = [problem.solved(start, 100, 1e-13)[1] for problem, start in zip(made, starts, strict=True)]
    np.testing.assert_allclose(energies, least, rtol=1e-3)


def test_a_gpu_that_is_not_there_is_an_error_with_the_command_that_mends_it() -> None:
    torch = pytest.importorskip("torch", reason=NO_TORCH)
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    with pytest.raises(DeviceError, match="CUDA") as error:
        BatchedSolver([dense.make_problem().packed[0].values], "gpu")
    assert tensors.CUDA_COMMAND in str(error.value)


def test_without_torch_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(tensors.importlib, "import_module", missing)
    with pytest.raises(DeviceError, match="PyTorch") as error:
        tensors.open_torch("cpu")
    assert "posewire[train]" in str(error.value)
