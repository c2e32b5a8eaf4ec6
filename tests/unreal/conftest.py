"""The C++ programs of unreal_bridge: taken from POSEWIRE_UNREAL_BUILD (as unreal_bridge/ci.sh sets it) or built here."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
CORE = REPOSITORY / "unreal_bridge" / "core"


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The build folder."""
    given = os.environ.get("POSEWIRE_UNREAL_BUILD")
    return Path(given) if given else _build(tmp_path_factory.mktemp("unreal"))


def _build(folder: Path) -> Path:
    """Builds the two programs that the tests run, without their C++ tests; skips where a tool is missing."""
    if shutil.which("cmake") is None:
        pytest.skip("NOT RUN: cmake is missing (unreal_bridge/README.md lists the packages)")
    options = ["-DCMAKE_BUILD_TYPE=Release", "-DPOSEWIRE_TESTS=OFF", "-DPOSEWIRE_PROGRAMS=ON", "-DPOSEWIRE_PLUGIN_STUBS=ON"]
    configured = subprocess.run(["cmake", "-S", CORE, "-B", folder, *options], capture_output=True, text=True, check=False)
    if configured.returncode != 0:
        pytest.skip(f"NOT RUN: a C++ compiler or libzmq is missing: {configured.stderr.strip().splitlines()[:1]}")
    built = subprocess.run(["cmake", "--build", folder, "-j", "2"], capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout[-4000:] + built.stderr[-4000:]
    return folder
