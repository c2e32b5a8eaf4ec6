"""The scores on single pictures, as a table for a terminal and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.table import Table

from posewire.evaluate.report import cell, without_nan

NAN = float("nan")


@dataclass(frozen=True, slots=True)
class StillsReport:
    """One method, told where the people are or not. Percentages; NaN = does not apply."""

    method: str
    boxes: str
    """found: by the method's own detector; true: by the labels."""
    pictures: int
    left_out: int
    """Pictures whose torso is not visible."""
    found_percent: float
    pck_torso_percent: float
    """Visible limb joints (12) within 0.2 of the torso; who was not found is wrong in all."""
    pck_torso_found_percent: float
    """The same where somebody was found."""
    pck_torso_all_percent: float
    """All joints of the labels; NaN where the method has not all of them."""
    pck_box_percent: float
    """Limb joints within 0.2 of the longer side of the box around the labels."""
    pck_torso_percent_of: Mapping[str, float]
    """By kind of joint."""


_COLUMNS = (
    ("pictures", "pictures"),
    ("found\n%", "found_percent"),
    ("PCK@0.2\ntorso %", "pck_torso_percent"),
    ("of those\nfound %", "pck_torso_found_percent"),
    ("all\njoints %", "pck_torso_all_percent"),
    ("PCK@0.2\nbox %", "pck_box_percent"),
)


def to_table(reports: Sequence[StillsReport], title: str) -> Table:
    """A row a report; the first two columns of percentages are of the 12 limb joints."""
    table = Table(title=title)
    for heading in ("method", "boxes"):
        table.add_column(heading)
    parts = list(reports[0].pck_torso_percent_of)
    for heading in (*(heading for heading, _ in _COLUMNS), *parts):
        table.add_column(heading, justify="right")
    for report in reports:
        values = [getattr(report, field) for _, field in _COLUMNS]
        values += [report.pck_torso_percent_of[part] for part in parts]
        table.add_row(report.method, report.boxes, *map(cell, values))
    return table


def as_json(reports: Sequence[StillsReport]) -> list[dict[str, Any]]:
    """Plain values; a number that does not apply is None."""
    return [without_nan(asdict(report)) for report in reports]
