"""Scores of many poses as a table for a terminal, as JSON and as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from posewire.evaluate.plot import plot
from posewire.evaluate.report import EvalReport, EvalRow, without_nan

NAN = float("nan")


@dataclass(frozen=True, slots=True)
class PoseRow:
    """One group of samples. NaN = does not apply."""

    group: str
    """all, matched only, activity, sequence, joint, visibility, constant pose."""
    name: str
    samples: int
    seen_percent: float
    """Annotated joints that were said at all."""
    mpjpe_mm: float = NAN
    """Root-relative: the root is the pelvis, half-way between the hips. All 17 joints, as the next two."""
    n_mpjpe_mm: float = NAN
    pa_mpjpe_mm: float = NAN
    pck150_percent: float = NAN
    """On the 14 common joints, as the AUC; in rows of joint types on those joints."""
    auc_percent: float = NAN
    depth_error_mm: float = NAN
    """Of root-relative joints."""
    pck_2d_percent: float = NAN
    """Keypoints within 0.2 of the box's longer side."""
    acceleration_error_m_s2: float = NAN
    foot_slide_m_s: float = NAN
    """Mean horizontal speed of ankles that truly stand, the pose put at the true root."""


@dataclass(frozen=True, slots=True)
class PoseReport:
    """Everything about one lifter or method."""

    name: str
    rows: tuple[PoseRow, ...]
    pa_mpjpe_mm_of_joint: Mapping[str, float]
    pck_percent_at_mm: Mapping[int, float]

    def row(self, name: str) -> PoseRow:
        """The row of that name; KeyError when there is none."""
        return {row.name: row for row in self.rows}[name]

    def as_json(self) -> dict[str, Any]:
        """Plain values; a number that does not apply is None."""
        return without_nan(asdict(self))

    def drawn(self) -> EvalRow:
        """For the plot."""
        whole = self.rows[0]
        return EvalRow(
            self.name,
            whole.samples,
            whole.seen_percent,
            auc_percent=whole.auc_percent,
            pa_mpjpe_mm_of_joint=self.pa_mpjpe_mm_of_joint,
            pck_percent_at_mm=self.pck_percent_at_mm,
        )


_COLUMNS = (
    ("samples", "samples"),
    ("MPJPE\nmm", "mpjpe_mm"),
    ("N-MPJPE\nmm", "n_mpjpe_mm"),
    ("PA-MPJPE\nmm", "pa_mpjpe_mm"),
    ("3DPCK\n@150 %", "pck150_percent"),
    ("AUC\n%", "auc_percent"),
    ("depth\nmm", "depth_error_mm"),
    ("2D PCK\n@0.2 %", "pck_2d_percent"),
    ("accel. error\nm/s²", "acceleration_error_m_s2"),
    ("foot slide\nm/s", "foot_slide_m_s"),
    ("said\n%", "seen_percent"),
)


def to_table(reports: Sequence[PoseReport], title: str, *, groups: Sequence[str] = ("all", "constant pose")) -> Table:
    """The rows of these groups, of all reports; the constant pose once."""
    table = Table(title=title)
    table.add_column("poses")
    for heading, _ in _COLUMNS:
        table.add_column(heading, justify="right")
    for number, report in enumerate(reports):
        for row in report.rows:
            last = number == len(reports) - 1
            if row.group in groups and (row.group != "constant pose" or last):
                prefix = f"{report.name}: " if len(reports) > 1 and row.group not in ("all", "constant pose") else ""
                table.add_row(prefix + row.name, *(_cell(getattr(row, field)) for _, field in _COLUMNS))
    return table


def to_picture(reports: Sequence[PoseReport], path: Path) -> None:
    """Bars by joint beside the 3DPCK curves (14 common joints), one colour a report."""
    plot(EvalReport("poses", "camera", tuple(report.drawn() for report in reports)), path)


def _cell(value: float) -> str:
    if not np.isfinite(value):
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.2f}" if abs(value) < 1 else f"{value:.1f}"
