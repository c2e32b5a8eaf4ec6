"""Time from an instant's making to its pose in a C++ client, on this machine: `python measure_latency.py BUILD PEOPLE`.

BUILD is a build folder of unreal_bridge/core. It spans the Python publisher's encoding, loopback TCP, decoding.
"""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
from streams import pose, publishing


def main(build: str, people: int) -> None:
    """Prints the percentiles of 400 poses at 60 Hz."""
    with publishing([pose(i) for i in range(people)]) as publisher:
        command = [f"{build}/posewire_print", publisher.address, "--json", "--seconds", "30", "--poses", "400"]
        lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    p50, p95 = np.percentile([1e3 * json.loads(line)["latency_s"] for line in lines], [50, 95])
    print(f"{people} people, {len(lines)} poses: p50 {p50:.2f} ms, p95 {p95:.2f} ms")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
