"""end_to_end: the bundled clip from file to joint angles, against MediaPipe's legacy API (full) on the same frames.

Both run as processes of their own, pinned to one core and to two where the system can pin. Each prints the seconds for the
clip after one warm-up pass. They take turns, because the speed of a shared machine drifts; the smallest of all passes counts.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from posewire.bench.clip import bundled_clip
from posewire.bench.row import BenchRow, Peers

_FRAMES = 100
_PASSES, _TURNS = 3, 3

_OURS = """
import sys, time
from posewire import fit
from posewire.pipeline import open_pipeline
from posewire.settings import Settings
fit.warm_up()
best = 1e9
for number in range(int(sys.argv[2]) + 1):
    start = time.perf_counter()
    with open_pipeline(sys.argv[1], Settings(threads=int(sys.argv[3]))) as pipeline:
        poses = sum(len(instant.poses) for instant in pipeline)
    best = min(best, time.perf_counter() - start) if number else best
print("posewire-bench", best, poses)
"""

_MEDIAPIPE = """
import sys, time
import cv2
import mediapipe
best = 1e9
for number in range(int(sys.argv[2]) + 1):
    start = time.perf_counter()
    video, poses = cv2.VideoCapture(sys.argv[1]), 0
    with mediapipe.solutions.pose.Pose(model_complexity=1) as pose:
        while True:
            ok, image = video.read()
            if not ok:
                break
            result = pose.process(cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
            poses += result.pose_world_landmarks is not None
    best = min(best, time.perf_counter() - start) if number else best
print("posewire-bench", best, poses)
"""


def run(peers: Peers) -> list[BenchRow]:
    """One row for one core, one for two; without pinning (not Linux) one row for all cores."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    choices = [cores[:1], cores[:2]] if len(cores) >= 2 else [cores]
    with bundled_clip() as clip:
        return [_row(clip, chosen, peers) for chosen in choices]


def _row(clip: Path, cores: list[int], peers: Peers) -> BenchRow:
    where = f"{len(cores)} core{'s' if len(cores) > 1 else ''}" if cores else "all cores"
    folder = None if peers.folder is None else peers.folder / "mediapipe"
    turns = [
        (_seconds_per_pass(_OURS, clip, cores, None), _seconds_per_pass(_MEDIAPIPE, clip, cores, folder)) for _ in range(_TURNS)
    ]
    ours, theirs = (
        min((seconds for seconds in program if seconds is not None), default=None) for program in zip(*turns, strict=True)
    )
    if ours is None:
        raise RuntimeError("our own half of the benchmark did not run")
    note = "" if theirs is not None else "mediapipe 0.10.21 is not installed: posewire bench --setup"
    to_ms = 1e3 / _FRAMES
    peer_ms = None if theirs is None else theirs * to_ms
    return BenchRow.against(
        "end_to_end", f"bundled clip, {where}", "mediapipe legacy full", "ms per frame", ours * to_ms, peer_ms, note
    )


def _seconds_per_pass(program: str, clip: Path, cores: list[int], folder: Path | None) -> float | None:
    """Best seconds for the clip, or None when the program cannot import its library."""
    environment = dict(os.environ)
    if folder is not None:
        environment["PYTHONPATH"] = str(folder)
    threads = str(len(cores))
    pin = f"import os; os.sched_setaffinity(0, {cores})\n" if cores else ""
    command = [sys.executable, "-c", pin + program, str(clip), str(_PASSES), threads]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    lines = [line.split() for line in done.stdout.splitlines() if line.startswith("posewire-bench")]
    return float(lines[0][1]) if lines and int(lines[0][2]) >= _FRAMES - 2 else None
