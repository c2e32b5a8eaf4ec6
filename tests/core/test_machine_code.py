"""A user who may write neither beside Posewire's files nor at home: a service, a container without a home."""

from __future__ import annotations

import subprocess
import sys

NOWHERE = """
from numba.core import caching
cache = caching.CacheImpl if hasattr(caching, "CacheImpl") else caching._CacheImpl  # numba renamed it
cache._locator_classes = []  # the folders that it would try
import numpy as np
from posewire import cli, filters
from posewire.fit import compiling
from posewire.machine_code import is_kept
assert not is_kept()
state, out = filters.make_state(1, 2), np.empty((1, 2))
filters.smooth_points(state, np.ones((1, 2)), 0.0, 1.0, 0.0, 1.0, out)
assert out.tolist() == [[1.0, 1.0]]
said = []
compiling.MOMENT_S = 0.0
with compiling.telling(said.append, "a thing"):
    while not said:
        pass
print(said[0])
raise SystemExit(cli.main(["rigs"]))
"""


def test_commands_work_where_nothing_compiled_can_be_kept_and_that_is_said() -> None:
    done = subprocess.run([sys.executable, "-c", NOWHERE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "a thing for this machine: up to a minute, at every start. NUMBA_CACHE_DIR=FOLDER" in done.stdout
    assert "mixamo" in done.stdout


def test_here_it_is_kept() -> None:
    from posewire.machine_code import is_kept

    assert is_kept()
