"""What every benchmark returns: one row per peer, and where peers are found."""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType


@dataclass(frozen=True, slots=True)
class BenchRow:
    """Ours against one peer on one workload, both measured in the same run."""

    name: str
    workload: str
    peer: str
    unit: str
    ours: float
    peer_value: float | None
    """None: the peer is not installed; `note` says so."""
    ratio: float | None
    """peer_value / ours: how many times faster ours is."""
    note: str = ""

    @classmethod
    def against(
        cls, name: str, workload: str, peer: str, unit: str, ours: float, peer_value: float | None, note: str = ""
    ) -> BenchRow:
        """A row with its ratio filled in."""
        ratio = None if peer_value is None else peer_value / ours
        return cls(name, workload, peer, unit, ours, peer_value, ratio, note)


@dataclass(frozen=True, slots=True)
class Peers:
    """Where the solvers and runtimes to compare with are imported from: this environment, or a folder in front of it."""

    folder: Path | None = None

    def load(self, name: str) -> ModuleType | None:
        """The peer's module, or None where it is not installed."""
        if self.folder is not None and str(self.folder) not in sys.path:
            sys.path.insert(0, str(self.folder))
        try:
            return importlib.import_module(name)
        except ImportError:
            return None
