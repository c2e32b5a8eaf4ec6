# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds and runs the `posewire` engine as another process. No Blender in here.

The engine is never imported: its Python is another than Blender's, and a crash there must not be one here.
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .errors import LiveError
from .takes import read_take

_PROBE_S = 20.0
_LOOK_S = 0.5
"""How often the growing take is read for the progress."""
_CHOOSE = "Choose another in the add-on's preferences."
_HINT = "Install it (`pip install .` in a clone of Posewire), then choose the program or its Python in the add-on's preferences."


@dataclass(frozen=True)
class Options:
    """What may be asked of the engine; empty or None = as it is by itself."""

    max_people: int = 1
    height_m: float = 1.7
    fov_deg: float | None = None
    method: str = ""
    lifter: str = ""

    def flags(self) -> list[str]:
        """For the command line."""
        flags = ["--max-people", str(self.max_people), "--height", f"{self.height_m:g}"]
        flags += ["--fov", f"{self.fov_deg:g}"] if self.fov_deg is not None else []
        flags += ["--method", self.method] if self.method else []
        return flags + (["--lifter", self.lifter] if self.lifter else [])


def find(program: str, python: str) -> list[str]:
    """The command that starts the engine: the chosen program, else the one on PATH, else the chosen Python's.

    Raises:
        LiveError: there is none; the text says how to get it.
    """
    if program:
        if not Path(program).is_file():
            raise LiveError("There is no program {path}.", _CHOOSE, path=program)
        return [program]
    if python:
        if not Path(python).is_file():
            raise LiveError("There is no Python {path}.", _CHOOSE, path=python)
        return [python, "-m", "posewire"]
    found = shutil.which("posewire")
    if found is None:
        raise LiveError("The Posewire engine was not found.", _HINT)
    return [found]


def version(command: Sequence[str]) -> str:
    """What the engine calls itself; LiveError when it does not start."""
    try:
        done = subprocess.run(
            [*command, "--version"], capture_output=True, text=True, timeout=_PROBE_S, env=_environment(), check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LiveError("The engine does not start: {reason}", _HINT, reason=error) from error
    if done.returncode != 0:
        raise LiveError("The engine does not start: {reason}", _HINT, reason=_last_line(done.stderr))
    return done.stdout.strip()


@dataclass
class Capture:
    """An engine that runs: a video into a take, or a camera into the stream."""

    process: subprocess.Popen[bytes]
    source: str
    take: Path | None
    """Where a video's motion goes; None = a camera that streams."""
    frames_expected: int
    """0 = unknown."""
    log: Path
    scene: str = ""
    """Name of Blender's scene for which it was asked."""
    frames: int = 0
    started_s: float = field(default_factory=time.monotonic)
    """time.monotonic"""
    _look_s: float = field(default_factory=time.monotonic)

    @property
    def progress(self) -> float | None:
        """0..1; None = unknown."""
        return min(1.0, self.frames / self.frames_expected) if self.frames_expected > 0 else None

    def poll(self) -> int | None:
        """The exit code once it has ended; looks after the progress on the way."""
        code = self.process.poll()
        now_s = time.monotonic()
        if code is None and self.take is not None and now_s > self._look_s + _LOOK_S:
            self._look_s = now_s
            self._count()
        return code

    def cancel(self) -> None:
        """Ends it and waits until it has ended; what was recorded so far stays in the take."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=5.0)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def problem(self) -> str:
        """Why it ended; the engine's own words."""
        try:
            text = self.log.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return "The engine ended without a word."
        said = text.rfind("posewire: ")
        return _tidy(text[said + len("posewire: ") :]) if said >= 0 else _last_line(text)

    def _count(self) -> None:
        assert self.take is not None
        try:
            self.frames = read_take(self.take).frames
        except LiveError:
            return  # nothing readable yet: it is still opening the video


def free_take(folder: Path, stem: str) -> Path:
    """A take in the folder that is not there yet: STEM.pwt, else STEM_2.pwt and so on; no earlier one is ever replaced."""
    names = itertools.chain([stem], (f"{stem}_{number}" for number in itertools.count(2)))
    return next(take for name in names if not (take := folder / f"{name}.pwt").exists())


def capture_video(command: Sequence[str], video: Path, take: Path, options: Options, frames_expected: int, logs: Path) -> Capture:
    """Starts a video on its way into a new take (see `free_take`); `logs` is a folder for the engine's words."""
    if not video.is_file():
        raise LiveError("There is no video {path}.", "Choose a video file.", path=video)
    arguments = ["run", str(video), "--out", str(take), "--json", *options.flags()]
    return _start(command, arguments, str(video), take, frames_expected, logs)


@dataclass(frozen=True)
class Again:
    """How a take is fitted again; None = as it was recorded."""

    smooth_s: float | None = None
    """Width of the smoothing window; 0 = none, None = chosen at every instant."""
    find_ground: bool = False
    height_m: float | None = None
    fov_deg: float | None = None
    lifter: str = ""

    def flags(self) -> list[str]:
        """For the command line."""
        flags = [] if self.smooth_s is None else ["--smooth", f"{self.smooth_s:g}" if self.smooth_s > 0.0 else "none"]
        flags += ["--ground", "auto" if self.find_ground else "keep"]
        flags += ["--height", f"{self.height_m:g}"] if self.height_m is not None else []
        flags += ["--fov", f"{self.fov_deg:g}"] if self.fov_deg is not None else []
        return flags + (["--lifter", self.lifter] if self.lifter else [])


def solve_take(command: Sequence[str], recorded: Path, take: Path, again: Again, logs: Path) -> Capture:
    """Starts fitting a take again, knowing all of it, into another, new take (see `free_take`)."""
    if not recorded.is_file():
        raise LiveError("There is no take {path}.", "Choose a .pwt file.", path=recorded)
    arguments = ["solve", str(recorded), "--out", str(take), "--json", *again.flags()]
    return _start(command, arguments, str(recorded), take, 0, logs)


def capture_camera(command: Sequence[str], camera: str, address: str, options: Options, logs: Path) -> Capture:
    """Starts a camera (a number or an address) on its way into the stream at `address`."""
    return _start(command, ["run", camera, "--publish", address, "--json", *options.flags()], camera, None, 0, logs)


def _start(
    command: Sequence[str], arguments: list[str], source: str, take: Path | None, frames_expected: int, logs: Path
) -> Capture:
    handle, name = tempfile.mkstemp(prefix="posewire-", suffix=".log", dir=logs)
    with os.fdopen(handle, "wb") as log:
        try:
            process = subprocess.Popen(
                [*command, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                env=_environment(),
                creationflags=_NO_WINDOW,
            )
        except OSError as error:
            raise LiveError("The engine does not start: {reason}", _HINT, reason=error) from error
    return Capture(process, source, take, frames_expected, Path(name))


_NO_WINDOW = 0x08000000 if sys.platform == "win32" else 0
"""CREATE_NO_WINDOW: no black window on the artist's screen."""


def _environment() -> dict[str, str]:
    """Without what Blender sets for its own Python, which would confuse another."""
    return {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}


def _tidy(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing."
