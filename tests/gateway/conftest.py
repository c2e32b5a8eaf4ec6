"""UDP receivers that close by themselves, and npm's packages."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from gateway_samples import Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    one = Receiver()
    yield one
    one.close()


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Path]:
    """Copies a folder with a package.json and installs its packages there; skips where that cannot be."""

    def install(source: Path) -> Path:
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip("NOT RUN: npm is not installed")
        folder = shutil.copytree(source, tmp_path_factory.mktemp("npm") / "page", ignore=shutil.ignore_patterns("node_modules"))
        done = subprocess.run(
            [npm, "install", "--no-audit", "--no-fund"], cwd=folder, capture_output=True, text=True, check=False
        )
        if done.returncode:
            pytest.skip(f"NOT RUN: npm cannot install the packages of {source.name} here")
        return folder

    return install
