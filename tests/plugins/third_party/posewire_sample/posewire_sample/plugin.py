"""The cards. Nothing heavy is imported here: every Posewire command reads this file."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from posewire.hookspecs import hookimpl
from posewire.methods import Estimator, MethodCard, MethodOptions, RigCard, Source, SourceCard, SourceOptions

JOINTS = ("top", "bottom", "left", "right", "centre")


@hookimpl
def posewire_methods() -> Iterable[MethodCard]:
    """One estimator."""
    return [MethodCard("sample-motion", "estimator", JOINTS, True, "no weights", "Outlines of what moves", open_motion)]


@hookimpl
def posewire_sources() -> Iterable[SourceCard]:
    """One source."""
    return [SourceCard("sample-bars", "a moving test picture", "bars:640x480", is_bars, open_bars)]


@hookimpl
def posewire_rigs() -> Iterable[RigCard]:
    """One rig."""
    return [RigCard("sample-robot", "An upper body of five bones", Path(__file__).parent / "robot.json")]


def open_motion(options: MethodOptions) -> Estimator:
    """Imports OpenCV only when the method is opened."""
    from posewire_sample.motion import MotionOutlines

    return MotionOutlines(options.max_people)


def is_bars(address: str) -> bool:
    """True for bars:WIDTHxHEIGHT."""
    return address.startswith("bars:")


def open_bars(address: str, options: SourceOptions) -> Source:
    """Opens the test picture."""
    from posewire_sample.bars import open_bars

    return open_bars(address, options)
