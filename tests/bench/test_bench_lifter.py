"""posewire bench lifter: a row for each precision and batch, and honest blanks without torch."""

from __future__ import annotations

import importlib.util
from types import ModuleType

import pytest

from posewire.bench import lifter
from posewire.bench.row import Peers


class Without(Peers):
    """An environment in which nothing else is installed."""

    def load(self, name: str) -> ModuleType | None:
        return None


@pytest.fixture(autouse=True)
def one_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifter, "_TURNS", 1)
    monkeypatch.setattr(lifter, "_CALLS", 1)


def test_without_torch_the_peers_column_is_empty_and_says_what_to_install() -> None:
    rows = lifter.run(Without())
    assert [row.workload for row in rows] == [f"VAE, batch {batch}, fp32, one thread" for batch in lifter.BATCHES]
    assert all(row.peer_value is None and row.ours > 0 and "pip install" in row.note for row in rows)


def test_with_torch_both_precisions_have_a_ratio() -> None:
    for name in ("torch", "onnx"):
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is not installed")
    rows = lifter.run(Peers())
    assert len(rows) == 2 * len(lifter.BATCHES)
    assert all(row.ratio is not None and row.ratio > 0 for row in rows)
