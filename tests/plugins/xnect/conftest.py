"""One thread and one seed for torch, in the tests that import it."""

from __future__ import annotations

import sys

import pytest


@pytest.fixture(autouse=True)
def steady_torch() -> None:
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)
        torch.manual_seed(0)
