"""What a take costs: `python tests/take/measure_take.py`. One person, 33 keypoints, native skeleton, one minute at 60 Hz."""

from __future__ import annotations

import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from take_samples import HEADER, frame, pose

from posewire.data import Track
from posewire.skeleton import REFERENCE
from posewire.take import TakeWriter, read_take

FRAMES = 3600


def main() -> None:
    """Prints bytes and microseconds."""
    rng = np.random.default_rng(0)
    header = replace(HEADER, keypoint_names=tuple(f"k{i}" for i in range(33)))
    walk_px, walk_m = rng.normal(0, 2, (FRAMES, 33, 2)).cumsum(0), rng.normal(0, 0.01, (FRAMES, 33, 3)).cumsum(0)
    instants = []
    for number in range(FRAMES):
        taken = frame(number, fps=60)
        track = Track(1, walk_px[number], rng.uniform(0, 1, 33), np.zeros(4), walk_m[number])
        instants.append((taken, [track], [pose(1, taken.time_s)], {1: REFERENCE}))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.pwt"
        started_s = time.perf_counter()
        with TakeWriter(path, header) as writer:
            for values in instants:
                writer.add(*values)
        written_s = time.perf_counter()
        take = read_take(path)
        opened_s = time.perf_counter()
        frames = sum(1 for _ in take)
        read_s = time.perf_counter()
        print(f"size:  {path.stat().st_size / 1e6:.1f} MB a minute")
        print(f"write: {(written_s - started_s) / frames * 1e6:.0f} us a frame")
        print(f"open:  {(opened_s - written_s) / frames * 1e6:.0f} us a frame")
        print(f"read:  {(read_s - opened_s) / frames * 1e6:.0f} us a frame")


if __name__ == "__main__":
    main()
