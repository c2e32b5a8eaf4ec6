"""Tests that run inside Blender: `python -m pytest tests/blender/in_blender` by a Python that has bpy.

blender_addon/ci.sh makes such Pythons and sets
POSEWIRE_BLENDER_ZIP, the built zip that is installed and tested, and
POSEWIRE_PYTHON, a Python that has posewire, for the publisher process.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

HAS_BPY = importlib.util.find_spec("bpy") is not None
collect_ignore_glob = [] if HAS_BPY else ["test_*.py"]
PATIENCE_S = 20.0
ENGINE = os.environ.get("POSEWIRE_PYTHON", "")
ROOT = Path(__file__).parents[3]
TO_BLENDER = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])


def module(name: str) -> Any:
    """A module of the installed extension."""
    return importlib.import_module(f"bl_ext.user_default.posewire_live.{name}")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    session.config.stash[_STATUS] = int(exitstatus)


def pytest_unconfigure(config: pytest.Config) -> None:
    """bpy 4.2.23 crashes at its exit once Rigify was enabled or scripts were reloaded, also without our add-on.

    So Python's exit is left out here; that Blender exits well with our add-on is a test of its own.
    """
    if HAS_BPY and _STATUS in config.stash:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(config.stash[_STATUS])


_STATUS = pytest.StashKey[int]()


@pytest.fixture(scope="session", autouse=True)
def installed() -> None:
    import bpy

    zip_file = os.environ["POSEWIRE_BLENDER_ZIP"]
    assert os.environ.get("BLENDER_USER_RESOURCES"), "set BLENDER_USER_RESOURCES: the tests install into it"
    result = bpy.ops.extensions.package_install_files(filepath=zip_file, repo="user_default", enable_on_install=True)
    assert result == {"FINISHED"}
    assert "bl_ext.user_default.posewire_live" in bpy.context.preferences.addons


@pytest.fixture(autouse=True)
def empty_file() -> Iterator[None]:
    import bpy

    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    yield
    state = module("state").state
    if state.session is not None:
        module("operators").disconnect(bpy.context.scene)
    if state.capture is not None:
        state.capture.cancel()
        state.capture = None
    state.message = ""


@pytest.fixture(scope="session")
def demo_take(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The host's demo clip as a take, made by the engine."""
    take = tmp_path_factory.mktemp("demo") / "demo.pwt"
    clip = ROOT / "core" / "posewire" / "assets" / "balancing_cam01.mp4"
    engine("run", str(clip), "--out", str(take), "--json")
    return take


def engine(*arguments: str) -> str:
    """Runs a command of the engine; what it printed."""
    return run_engine("-m", "posewire", *arguments)


def run_engine(*arguments: str) -> str:
    """Runs the engine's Python; what it printed."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    done = subprocess.run([ENGINE, *arguments], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


class Stage:
    """A publisher process and the motion that it publishes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._processes: list[subprocess.Popen[str]] = []
        self.address = ""

    def publish(self, *arguments: str) -> None:
        """Starts a publisher; it knows its address when this returns."""
        assert ENGINE, "set POSEWIRE_PYTHON to a Python that has posewire"
        motion = self._folder / "motion.npz"
        command = [ENGINE, str(ROOT / "tests" / "blender" / "publish_motion.py"), "--motion", str(motion), *arguments]
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        self._processes.append(process)
        assert process.stdout is not None
        self.address = process.stdout.readline().strip()
        assert self.address, "the publisher did not start"
        content = np.load(motion)
        self.names, self.positions_m = content["names"].tolist(), content["positions_m"]

    def written(self, instants: int, fps: float) -> list[bytes]:
        """The messages that a publisher would send, without waiting for them."""
        motion, file = self._folder / "motion.npz", self._folder / "messages"
        run_engine(
            str(ROOT / "tests" / "blender" / "publish_motion.py"),
            *("--motion", str(motion), "--write", str(file), "--instants", str(instants), "--fps", str(fps)),
        )
        content, data = np.load(motion), file.read_bytes()
        self.names, self.positions_m = content["names"].tolist(), content["positions_m"]
        messages: list[bytes] = []
        at = 0
        while at < len(data):
            end = at + 4 + int.from_bytes(data[at : at + 4], "little")
            messages.append(data[at + 4 : end])
            at = end
        return messages

    def stop(self) -> None:
        """Kills every publisher, as a crash would."""
        for process in self._processes:
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()
        self._processes.clear()

    def expected(self, sequence: int, person: int = 0) -> dict[str, np.ndarray]:
        """Joint to position (3,), Blender's axes."""
        rows = self.positions_m[sequence % len(self.positions_m), person] @ TO_BLENDER.T
        return dict(zip(self.names, rows, strict=True))


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    yield made
    made.stop()


def connect(address: str) -> Any:
    """By the operator; gives the session."""
    import bpy

    bpy.context.scene.posewire.address = address
    assert bpy.ops.posewire.connect() == {"FINISHED"}
    return module("state").state.session


def refused(words: str) -> AbstractContextManager[object]:
    """An operator that ends with a sentence of ours. Not with a traceback: that holds the words of the sentence, too."""
    return pytest.raises(RuntimeError, match=rf"^Error: (?!Python: ).*{words}")


def pump_until(happened: Callable[[], object], what: str = "it", patience_s: float = PATIENCE_S) -> None:
    """Steps as the timer would, until something has happened."""
    pump = module("timer").pump
    deadline_s = time.monotonic() + patience_s
    while not happened():
        assert time.monotonic() < deadline_s, f"waited in vain for {what}"
        pump()
        time.sleep(0.002)


def pump_for(seconds: float) -> None:
    """Steps as the timer would, for a while."""
    pump = module("timer").pump
    until_s = time.monotonic() + seconds
    while time.monotonic() < until_s:
        pump()
        time.sleep(0.004)


def sequences(session: Any) -> list[int]:
    """Notes the sequence number of every pose that the recorder takes."""
    seen: list[int] = []
    take = session.stream.take

    def noting(data: bytes) -> Any:
        received = take(data)
        if received is not None:
            seen.append(received.pose.sequence)
        return received

    session.stream.take = noting
    return seen


def evaluated_heads(obj: Any) -> dict[str, np.ndarray]:
    """Bone to the position (3,) of its head in the world, after the dependency graph."""
    import bpy

    bpy.context.view_layer.update()
    shown = obj.evaluated_get(bpy.context.evaluated_depsgraph_get())
    return {bone.name: np.array(shown.matrix_world @ bone.head) for bone in shown.pose.bones}


def angle_deg(a: np.ndarray, b: np.ndarray) -> float:
    """Between two directions."""
    cosine = float(a @ b) / (np.linalg.norm(a) * np.linalg.norm(b))
    return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))


if not HAS_BPY:
    print("NOT RUN: the tests in Blender, because this Python has no bpy", file=sys.stderr)
