"""Time from publishing a pose to its frame in Live Link, on this machine: `python measure_latency.py BUILD [PEOPLE ...]`.

BUILD is a build folder of unreal_bridge/core. A process of the real Python publisher sends at 60 Hz; measured from the
moment at which it takes up an instant (before encoding) until the plugin's source, compiled against the stubs, has
pushed the frame of that person into a Live Link client that only keeps it. The first 30 frames are left out.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from streams import pose, publishing

_WARM_UP = 30


def publish(pipe: Connection, people: int) -> None:
    """Sends until it is told to stop."""
    with publishing([pose(i) for i in range(people)]) as publisher:
        pipe.send(publisher.address)
        pipe.recv()


def measure(build: Path, people: int, frames: int) -> str:
    """A line with the percentiles over all people's frames."""
    context = get_context("spawn")
    here, there = context.Pipe()
    publisher = context.Process(target=publish, args=(there, people), daemon=True)
    publisher.start()
    command = [build / "stubs" / "posewire_plugin_probe", f"address={here.recv()}", str(frames + _WARM_UP), "120"]
    seen = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    here.send("stop")
    publisher.join()
    ages_ms = 1e3 * np.concatenate([subject["ages_s"][_WARM_UP:] for subject in seen["subjects"].values()])
    p50, p95, p99 = np.percentile(ages_ms, [50, 95, 99])
    return f"{people} people, {frames} instants at 60 Hz: publish to pushed frame p50 {p50:.3f}, p95 {p95:.3f}, p99 {p99:.3f} ms"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=Path)
    parser.add_argument("people", type=int, nargs="*", default=[1, 10])
    parser.add_argument("--frames", type=int, default=400)
    flags = parser.parse_args()
    for number in flags.people:
        print(measure(flags.build, number, flags.frames))
