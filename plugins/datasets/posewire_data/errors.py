"""The error of this package."""

from __future__ import annotations

from posewire.errors import PosewireError


class DatasetError(PosewireError):
    """A dataset folder, file or split is not usable."""
