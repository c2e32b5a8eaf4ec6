"""The rows side by side: for a terminal, as JSON, and as Markdown for a README."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.table import Table

from posewire.evaluate.report import EvalRow, cell, without_nan

NAN = float("nan")


@dataclass(frozen=True, slots=True)
class LineupRow:
    """One method, with a lifter or without, on one clip. NaN = does not apply."""

    clip: str
    method: str
    lifter: str
    """"none": the method's own 3D."""
    found_percent: float
    """Frames of the reference in which the method saw the person."""
    pck_2d_percent: float
    """Limb joints of the reference within 0.2 of their box in the picture."""
    raw: EvalRow | None
    """None where the method gives no 3D."""
    fitted: EvalRow | None


_NUMBERS = (
    ("PA-MPJPE mm", "pa_mpjpe_mm"),
    ("N-MPJPE mm", "n_mpjpe_mm"),
    ("3DPCK@150 %", "pck150_percent"),
    ("accel. m/s²", "acceleration_m_s2"),
)
_HEADINGS = ("clip", "method", "lifter", "found %", "2D PCK@0.2 box %", *(f"{name}: raw, fitted" for name, _ in _NUMBERS))


def to_table(rows: Sequence[LineupRow], title: str) -> Table:
    """For a terminal."""
    table = Table(title=title)
    for number, heading in enumerate(_HEADINGS):
        table.add_column(heading.replace(": ", "\n"), justify="left" if number < 3 else "right")
    for row in rows:
        table.add_row(*_cells(row))
    return table


def to_markdown(rows: Sequence[LineupRow]) -> str:
    """For a README."""
    lines = [_HEADINGS, ("---",) * len(_HEADINGS), *map(_cells, rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def as_json(rows: Sequence[LineupRow]) -> list[dict[str, Any]]:
    """Plain values; a number that does not apply is None."""
    return [without_nan(asdict(row)) for row in rows]


def _cells(row: LineupRow) -> tuple[str, ...]:
    pairs = [_pair(row, field) for _, field in _NUMBERS]
    return row.clip, row.method, row.lifter, cell(row.found_percent), cell(row.pck_2d_percent), *pairs


def _pair(row: LineupRow, field: str) -> str:
    return ", ".join(cell(getattr(one, field)) for one in (row.raw, row.fitted) if one is not None)
