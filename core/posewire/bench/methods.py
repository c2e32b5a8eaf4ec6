"""methods: the bundled clip from file to joint angles with each installed estimator, against BlazePose, the default.

Each runs as a process of its own on at most two cores; they take turns, because the speed of a shared machine drifts, and the
smallest of all passes counts. A method whose network is not in this installation is left out and named.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from posewire import plugins
from posewire.bench.clip import bundled_clip
from posewire.bench.row import BenchRow, Peers
from posewire.errors import PosewireError
from posewire.methods import MethodOptions

PEER = "blazepose"
_PASSES, _TURNS = 2, 3
_CORES = 2

_PROGRAM = """
import sys, time
from posewire import fit
from posewire.pipeline import open_pipeline
from posewire.settings import Settings
fit.warm_up()
best = 1e9
for number in range(int(sys.argv[3]) + 1):
    start = time.perf_counter()
    with open_pipeline(sys.argv[1], Settings(method=sys.argv[2], threads=int(sys.argv[4]))) as pipeline:
        frames = poses = 0
        for instant in pipeline:
            frames, poses = frames + 1, poses + len(instant.poses)
    best = min(best, (time.perf_counter() - start) / frames) if number else best
print("posewire-bench", 1e3 * best, poses / frames)
"""


def run(peers: Peers) -> list[BenchRow]:
    """A row a method, the peer included: milliseconds a frame, frames a second in the note."""
    names = installed()
    with bundled_clip() as clip:
        turns = [{name: _ms_per_frame(name, clip) for name in names} for _ in range(_TURNS)]
    best = {name: min(turn[name] for turn in turns) for name in names}
    return [_row(name, *best[name], best[PEER][0]) for name in names]


def installed() -> list[str]:
    """Estimators of this installation that can be opened, the peer first."""
    cards = [card for card in plugins.load().methods.values() if card.kind == "estimator"]
    names: list[str] = []
    for card in sorted(cards, key=lambda card: card.name != PEER):
        try:
            plugins.open_method(card, MethodOptions()).close()
        except PosewireError:  # blazepose-heavy without its file; `posewire run --method` says why
            continue
        names.append(card.name)
    return names


def _row(name: str, ours_ms: float, share: float, peer_ms: float) -> BenchRow:
    note = f"{1e3 / ours_ms:.1f} frames/s; a pose in {100 * share:.0f} % of the frames"
    return BenchRow.against("methods", f"{name}, bundled clip, end to end", PEER, "ms per frame", ours_ms, peer_ms, note)


def _ms_per_frame(name: str, clip: Path) -> tuple[float, float]:
    """Best milliseconds a frame, and poses a frame."""
    cores = sorted(os.sched_getaffinity(0))[:_CORES] if hasattr(os, "sched_getaffinity") else []
    pin = f"import os; os.sched_setaffinity(0, {cores})\n" if cores else ""
    arguments = [str(clip), name, str(_PASSES), str(len(cores))]
    done = subprocess.run([sys.executable, "-c", pin + _PROGRAM, *arguments], capture_output=True, text=True, check=False)
    lines = [line.split() for line in done.stdout.splitlines() if line.startswith("posewire-bench")]
    if not lines:
        raise PosewireError(f"{name} did not run.", got=(done.stderr.strip().splitlines() or ["nothing"])[-1])
    return float(lines[0][1]), float(lines[0][2])
