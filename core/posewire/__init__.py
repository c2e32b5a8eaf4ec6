"""Posewire: one ordinary camera in, characters moving out."""

from __future__ import annotations

__version__ = "0.1.0"
