"""Benchmarks: every number is ours beside a named peer's, measured in the same run. Modules are imported when they run."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from posewire.bench.row import BenchRow, Peers
from posewire.errors import PosewireError

NAMES = (
    "fit_single",
    "fit_realtime",
    "fit_crowd",
    "solve_batch",
    "preprocess",
    "lifter",
    "overhead",
    "stream",
    "gateway",
    "end_to_end",
    "methods",
    "many_people",
)
"""Each is a module of this package with run(peers) -> list[BenchRow]."""

_PEERS = {
    "": ("pyceres", "mink[daqp]", "pymomentum-cpu", "mujoco"),
    "mediapipe": ("mediapipe==0.10.21",),  # wants numpy < 2: a folder and a process of its own
}
"""Sub-folder of the peers' folder to the packages in it."""


def default_folder() -> Path:
    """Where `--setup` puts the peers unless told otherwise."""
    return Path("posewire-peers")


def run(name: str | None, folder: Path, report: Callable[[str], None]) -> list[BenchRow]:
    """Runs one benchmark, or all; `report` is told before each.

    Raises:
        PosewireError: there is no benchmark of this name.
    """
    if name is not None and name not in NAMES:
        raise PosewireError("There is no such benchmark.", got=name, allowed=NAMES, hint="posewire bench overhead")
    peers = Peers(folder if folder.is_dir() else None)
    chosen, rows = [name] if name else NAMES, list[BenchRow]()
    for number, one in enumerate(chosen, start=1):
        report(f"Measuring {one}, {number} of {len(chosen)}; each takes from seconds to minutes.")
        rows += importlib.import_module(f"posewire.bench.{one}").run(peers)
    return rows


def setup(folder: Path, report: Callable[[str], None]) -> None:
    """Installs the peers with pip; one that does not install here is named and left out."""
    for sub_folder, packages in _PEERS.items():
        for package in packages:
            command = [
                sys.executable,
                "-m",
                "pip",
                "install",
                "--quiet",
                "--upgrade",
                "--target",
                str(folder / sub_folder),
                package,
            ]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            last_line = (done.stderr.strip().splitlines() or [""])[-1]
            report(f"{package}: {'installed' if done.returncode == 0 else f'does not install here: {last_line}'}")
