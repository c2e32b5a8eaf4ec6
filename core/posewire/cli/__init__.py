"""The `posewire` command: thin commands over the Python API, one module a group."""

from __future__ import annotations

from posewire.cli.main import main

__all__ = ["main"]
