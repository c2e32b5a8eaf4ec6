"""The result of a comparison, as a table for a terminal and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from rich.table import Table

from posewire.evaluate.motions import LIMB_JOINTS

NAN = float("nan")


@dataclass(frozen=True, slots=True)
class EvalRow:
    """One motion against the reference, on the 12 limb joints. NaN = does not apply."""

    name: str
    frames: int
    """Reference frames that it was compared on."""
    seen_percent: float
    """Reference joints that it has at all."""
    pa_mpjpe_mm: float = NAN
    n_mpjpe_mm: float = NAN
    mpjpe_mm: float = NAN
    """The root is the middle of the hips."""
    pck150_percent: float = NAN
    auc_percent: float = NAN
    acceleration_m_s2: float = NAN
    """Of the joints relative to their centroid, so that root-relative keypoints and joints in the world compare."""
    acceleration_as_given_m_s2: float = NAN
    """Of the joints as they are: fitted joints also jitter with their root; raw keypoints are root-relative already."""
    bone_length_std_mm: float = NAN
    delay_frames: float = NAN
    """By how many reference frames it comes late; NaN when the motion is too short or too far off to tell."""
    pa_mpjpe_mm_of_joint: Mapping[str, float] = field(default_factory=dict[str, float])
    pck_percent_at_mm: Mapping[int, float] = field(default_factory=dict[int, float])
    """3DPCK over the thresholds of the AUC."""


@dataclass(frozen=True, slots=True)
class EvalReport:
    """Rows of one table: every motion of every prediction, the constant pose and the reference itself."""

    reference: str
    view: str
    rows: tuple[EvalRow, ...]

    def row(self, name: str) -> EvalRow:
        """The row of that name; KeyError when there is none."""
        return {row.name: row for row in self.rows}[name]

    def to_table(self, *, per_joint: bool = False) -> Table:
        """For a terminal: the rows, or the PA-MPJPE of each joint."""
        return _joint_table(self) if per_joint else _table(self)

    def to_json(self) -> str:
        """{"reference", "view", "rows": [...]}; a number that does not apply is null."""
        return json.dumps(without_nan(asdict(self)), indent=1)


_COLUMNS = (
    ("PA-MPJPE\nmm", "pa_mpjpe_mm"),
    ("N-MPJPE\nmm", "n_mpjpe_mm"),
    ("MPJPE\nmm", "mpjpe_mm"),
    ("3DPCK\n@150 %", "pck150_percent"),
    ("AUC\n%", "auc_percent"),
    ("accel.\nm/s²", "acceleration_m_s2"),
    ("as given\nm/s²", "acceleration_as_given_m_s2"),
    ("bone std\nmm", "bone_length_std_mm"),
    ("delay\nframes", "delay_frames"),
    ("seen\n%", "seen_percent"),
)


def _table(report: EvalReport) -> Table:
    table = Table(title=f"{report.reference}, {report.view}: 12 limb joints, {report.rows[-1].frames} frames")
    table.add_column("motion")
    for title, _ in _COLUMNS:
        table.add_column(title, justify="right")
    for row in report.rows:
        table.add_row(row.name, *(cell(getattr(row, name)) for _, name in _COLUMNS))
    return table


def _joint_table(report: EvalReport) -> Table:
    rows = [row for row in report.rows if row.pa_mpjpe_mm_of_joint]
    table = Table(title=f"{report.reference}, {report.view}: PA-MPJPE of each joint, mm")
    table.add_column("joint")
    for row in rows:
        table.add_column(row.name, justify="right")
    for joint in LIMB_JOINTS:
        table.add_row(joint, *(cell(row.pa_mpjpe_mm_of_joint[joint]) for row in rows))
    return table


def cell(value: float) -> str:
    """A number in a table: one decimal unless it is a count; - where it does not apply."""
    return str(value) if isinstance(value, int) else f"{value:.1f}" if np.isfinite(value) else "-"


def without_nan(value: Any) -> Any:
    """The same with None for NaN: JSON has no NaN."""
    if isinstance(value, Mapping):
        return {key: without_nan(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(one) for one in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value
