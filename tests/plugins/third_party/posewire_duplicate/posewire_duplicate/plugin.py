"""Brings a method of the name that posewire-sample's has."""

from __future__ import annotations

from collections.abc import Iterable

from posewire.hookspecs import hookimpl
from posewire.methods import MethodCard, MethodOptions


@hookimpl
def posewire_methods() -> Iterable[MethodCard]:
    """One method, its name taken from posewire-sample."""
    return [MethodCard("sample-motion", "estimator", ("nose",), False, "no weights", "Another one", create)]


def create(options: MethodOptions) -> None:
    """Is never called."""
