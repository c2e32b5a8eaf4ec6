"""gateway: what the VMC gateway adds to the stream, against python-osc building the same packets."""

from __future__ import annotations

from posewire_gateway.bench_gateway import run

__all__ = ["run"]
