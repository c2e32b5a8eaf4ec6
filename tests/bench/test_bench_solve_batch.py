"""The benchmark of the solve's last step: both solvers find the same poses, and without torch it says so."""

import pytest

from posewire.bench import solve_batch

NO_TORCH = "SKIPPED LOUDLY: torch is not installed (pip install 'posewire[train]'); the batched solve is untested here"


def test_without_torch_the_row_has_numbas_number_alone():
    row = solve_batch.measure(3, None)
    assert row.ours > 0.0
    assert row.peer_value is None and row.ratio is None
    assert "torch is not installed" in row.note


def test_both_solvers_find_the_same_poses():
    pytest.importorskip("torch", reason=NO_TORCH)
    row = solve_batch.measure(6, "torch")
    assert row.peer_value is not None
    apart_mm = float(row.note.split("at most ")[1].split(" mm")[0])
    assert apart_mm < 0.1
