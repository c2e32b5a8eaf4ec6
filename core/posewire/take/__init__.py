"""The recording format `.pwt`: append-only, crash-safe, exact timing (docs/TAKE.md), and its exports."""

from __future__ import annotations

from posewire.take.export import EXPORTS, export
from posewire.take.reader import read_take
from posewire.take.recording import PersonSpan, Take
from posewire.take.summary import TakeSummary
from posewire.take.values import TakeArrays, TakeFrame, TakeHeader
from posewire.take.writer import TakeWriter

__all__ = [
    "EXPORTS",
    "PersonSpan",
    "Take",
    "TakeArrays",
    "TakeFrame",
    "TakeHeader",
    "TakeSummary",
    "TakeWriter",
    "export",
    "read_take",
]
