"""A folder of distributions that pip installed, in front of Python's search path."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Site:
    """A folder of installed distributions, and the sources that they were installed from."""

    folder: Path
    sources: Path

    def install(self, *names: str) -> Site:
        """Installs sources by pip. The build backend is taken from this environment, or else fetched by pip."""
        isolation = ["--no-build-isolation"] if importlib.util.find_spec("hatchling") else []
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", *isolation]
        folders = [str(self.sources / name) for name in names]
        run = subprocess.run([*command, "--target", str(self.folder), *folders], capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
        return self

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs this Python with the installed distributions in front of its search path."""
        path = os.pathsep.join(filter(None, [str(self.folder), os.environ.get("PYTHONPATH")]))
        environment = {**os.environ, "PYTHONPATH": path, "PYTHONWARNINGS": "error", "COLUMNS": "200"}
        return subprocess.run([sys.executable, *arguments], env=environment, cwd=self.sources, capture_output=True, text=True)

    def result(self, code: str) -> Any:
        """What the code prints, read as JSON."""
        run = self.run("-c", textwrap.dedent(code))
        assert run.returncode == 0, run.stderr
        return json.loads(run.stdout)

    def pytest(self, *tests: str) -> subprocess.CompletedProcess[str]:
        """Runs a plugin's own tests, warnings as errors."""
        return self.run("-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", *tests)
