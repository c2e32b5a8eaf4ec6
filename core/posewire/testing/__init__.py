"""Conformance tests that every method must pass. Three lines in a plugin's own test file are enough:

    from posewire.testing import EstimatorConformance

    class TestMine(EstimatorConformance):
        method = "mine"

`LifterConformance` does the same for a lifter. The pytest plugin (posewire.testing.pytest_plugin) loads with every
pytest run of the environment, so nothing heavy is imported before one of the two names is asked for.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from posewire.testing.estimators import EstimatorConformance
    from posewire.testing.lifters import LifterConformance

__all__ = ["EstimatorConformance", "LifterConformance"]

_MODULES = {"EstimatorConformance": "posewire.testing.estimators", "LifterConformance": "posewire.testing.lifters"}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULES[name]), name)
