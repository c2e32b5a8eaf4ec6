"""What the core itself brings, through the same public door as any plugin: its sources and its rigs."""

from __future__ import annotations

from collections.abc import Iterable

from posewire.hookspecs import hookimpl
from posewire.methods import RigCard, SourceCard


@hookimpl
def posewire_sources() -> Iterable[SourceCard]:
    """Video file, webcam, stream, image folder."""
    from posewire import capture  # the decoders are loaded when somebody asks for sources, not before

    return capture.CARDS


@hookimpl
def posewire_rigs() -> Iterable[RigCard]:
    """The mappings in rigs/*.json."""
    from posewire import retarget

    return retarget.bundled_rigs()
