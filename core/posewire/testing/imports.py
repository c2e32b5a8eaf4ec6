"""Loading the plugins must import no network: a command that only lists methods would wait for it."""

from __future__ import annotations

import subprocess
import sys
from functools import cache

HEAVY = ("torch", "onnxruntime", "tensorflow", "jax", "openvino", "mediapipe")
"""Libraries that take a good part of a second to import, or more."""

_CODE = "import sys; from posewire import plugins; plugins.load(); print(*[name for name in sys.argv[1:] if name in sys.modules])"


@cache
def imported_by_loading() -> tuple[str, ...]:
    """Those of HEAVY that a fresh Python has imported once every plugin of this environment is loaded."""
    run = subprocess.run([sys.executable, "-c", _CODE, *HEAVY], capture_output=True, text=True, check=True)
    return tuple(run.stdout.split())


def check_that_loading_is_light() -> None:
    """Fails where a plugin imports a network at its top level."""
    imported = imported_by_loading()
    assert not imported, f"loading the plugins imports {', '.join(imported)}: move that import into the function `create`"
