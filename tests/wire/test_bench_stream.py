"""The stream benchmark runs and measures both ways. No assertion on the times themselves: the machine is shared."""

from __future__ import annotations

from posewire.bench import NAMES, stream
from posewire.bench.row import Peers
from posewire.bench.stream import Case


def test_a_short_run_gives_a_row_for_each_case_with_both_values() -> None:
    cases = (Case(200, 3, stalled=1),)
    (row,) = stream.run(Peers(), cases=cases, seconds=0.4)
    assert row.peer == "raw UDP" and row.unit == "us p50" and "3 subscribers, 1 more stalled" in row.workload
    assert row.peer_value is not None and row.ours > 0 and row.peer_value > 0
    assert row.ratio == row.peer_value / row.ours


def test_the_benchmark_is_listed() -> None:
    assert "stream" in NAMES
    assert {(case.rate_hz, case.subscribers) for case in stream.CASES} >= {(60, 1), (60, 50), (1000, 1), (1000, 50)}
    assert any(case.stalled for case in stream.CASES)
