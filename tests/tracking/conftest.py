"""Lets the tracking tests import the stage beside them; the footage is cut out once for all of them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from posewire.evaluate.identity import Footage, cut_out

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def footage() -> Footage:
    """The walker of the bundled clip, cut out."""
    return cut_out()
