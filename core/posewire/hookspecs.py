"""The hooks of a Posewire plugin. They are called once, at start-up; afterwards the chosen method is called directly."""

from __future__ import annotations

from collections.abc import Iterable

import pluggy

from posewire.methods import MethodCard, RigCard, SourceCard

PROJECT = "posewire"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
"""Decorator for a plugin's hook implementations."""


@hookspec
def posewire_methods() -> Iterable[MethodCard]:
    """The pose methods (estimators and lifters) that this plugin brings."""
    return ()


@hookspec
def posewire_sources() -> Iterable[SourceCard]:
    """The sources of frames that this plugin brings."""
    return ()


@hookspec
def posewire_rigs() -> Iterable[RigCard]:
    """The target rigs that this plugin brings."""
    return ()
