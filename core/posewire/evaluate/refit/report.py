"""The re-fit and the ablation as tables for a terminal and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from rich.table import Table

from posewire import metrics
from posewire.evaluate.refit.clips import POSTURES
from posewire.evaluate.refit.measuring import ABLATIONS, FITS, Ablated, Feet, Refit
from posewire.evaluate.refit.noise import NOISES
from posewire.metrics.missing import finite_mean

ALL = "all"


@dataclass(frozen=True, slots=True)
class FeetRow:
    """What one of FITS makes of the feet, all frames together, and what that costs."""

    error_mm: float | None
    """Mean of the clips, of the 12 limb joints."""
    contact_f1: float | None
    slide_median_mm: float | None
    """Per frame at 60 a second, while flagged in contact."""
    slide_p95_mm: float | None


@dataclass(frozen=True, slots=True)
class RefitRow:
    """The mean of the clips of one posture with one noise. None = cannot be said."""

    noise: str
    posture: str
    clips: int
    raw_mm: float | None
    live_mm: float | None
    live_to_raw: float | None
    whole_mm: float | None
    whole_to_live: float | None
    raw_pck150_percent: float | None
    live_pck150_percent: float | None
    raw_acceleration_m_s2: float | None
    live_acceleration_m_s2: float | None
    true_acceleration_m_s2: float | None
    delay_frames: float | None
    """By how much the live fit comes later than what the method says."""
    flips: int
    feet: dict[str, FeetRow]
    """By FITS."""


@dataclass(frozen=True, slots=True)
class AblationRow:
    """The mean of all clips with one noise."""

    fit: str
    noise: str
    error_mm: float | None
    pck150_percent: float | None
    acceleration_m_s2: float | None


def refit_rows(refits: Sequence[Refit]) -> list[RefitRow]:
    """For each noise a row of every posture that there is, and one of all."""
    rows: list[RefitRow] = []
    for noise in NOISES:
        for posture in (*POSTURES, ALL):
            chosen = [one for one in refits if one.noise == noise and posture in (one.posture, ALL)]
            if chosen:
                rows.append(_row(noise, posture, chosen))
    return rows


def _row(noise: str, posture: str, chosen: Sequence[Refit]) -> RefitRow:
    raw_mm, live_mm, whole_mm = (_mean(getattr(one, which).error_mm for one in chosen) for which in ("raw", "live", "whole"))
    return RefitRow(
        noise,
        posture,
        len(chosen),
        raw_mm,
        live_mm,
        _ratio(live_mm, raw_mm),
        whole_mm,
        _ratio(whole_mm, live_mm),
        _mean(one.raw.pck150_percent for one in chosen),
        _mean(one.live.pck150_percent for one in chosen),
        _mean(one.raw.acceleration_m_s2 for one in chosen),
        _mean(one.live.acceleration_m_s2 for one in chosen),
        _mean(one.true.acceleration_m_s2 for one in chosen),
        _mean(one.live.delay_frames - np.nan_to_num(one.raw.delay_frames) for one in chosen),
        sum(one.flips for one in chosen),
        {name: _feet_row([one.feet[name] for one in chosen]) for name in FITS},
    )


def _feet_row(chosen: Sequence[Feet]) -> FeetRow:
    slides_mm = np.concatenate([one.steps.slides_mm for one in chosen])
    said, true = (np.concatenate([getattr(one.steps, which) for one in chosen]) for which in ("said", "true"))
    slides = (_told(float(np.percentile(slides_mm, percent))) if len(slides_mm) else None for percent in (50, 95))
    return FeetRow(_mean(one.error_mm for one in chosen), _told(metrics.contact_f1(said, true)), *slides)


def ablation_rows(ablated: Sequence[Ablated]) -> list[AblationRow]:
    """Raw, the whole fit, and the fit less each of its parts."""
    rows: list[AblationRow] = []
    for noise in NOISES:
        for fit in ("raw", *ABLATIONS):
            scores = [one.score for one in ablated if (one.noise, one.row) == (noise, fit)]
            means = (_mean(getattr(s, n) for s in scores) for n in ("error_mm", "pck150_percent", "acceleration_m_s2"))
            rows.append(AblationRow(fit, noise, *means))
    return rows


_REFIT_COLUMNS = (
    ("clips", "clips", 0),
    ("raw\nmm", "raw_mm", 1),
    ("live\nmm", "live_mm", 1),
    ("live\n/ raw", "live_to_raw", 2),
    ("whole\nmm", "whole_mm", 1),
    ("whole\n/ live", "whole_to_live", 2),
    ("3DPCK\nraw %", "raw_pck150_percent", 1),
    ("3DPCK\nlive %", "live_pck150_percent", 1),
    ("accel.\nraw", "raw_acceleration_m_s2", 0),
    ("accel.\nlive", "live_acceleration_m_s2", 1),
    ("accel.\ntrue", "true_acceleration_m_s2", 1),
    ("delay\nframes", "delay_frames", 2),
    ("flips", "flips", 0),
)
_FEET_COLUMNS = (
    ("error\nmm", "error_mm", 1),
    ("contact\nF1", "contact_f1", 3),
    ("slide\nmedian", "slide_median_mm", 2),
    ("slide\np95", "slide_p95_mm", 2),
)
_ABLATION_COLUMNS = (
    ("error\nmm", "error_mm", 1),
    ("3DPCK\n@150 %", "pck150_percent", 1),
    ("accel.\nm/s²", "acceleration_m_s2", 1),
)


def refit_table(rows: Sequence[RefitRow]) -> Table:
    """For a terminal."""
    title = "Re-fit of recorded motion: 12 limb joints; mm, m/s²"
    return _table(title, ((row, (row.noise, row.posture)) for row in rows), ("noise", "posture"), _REFIT_COLUMNS)


def feet_table(rows: Sequence[RefitRow]) -> Table:
    """For a terminal: contacts, slide and what holding the feet costs, of all postures together."""
    feet = ((one, (row.noise, fit)) for row in rows if row.posture == ALL for fit, one in row.feet.items())
    return _table("Feet: slide in mm a frame at 60 a second while flagged in contact", feet, ("noise", "fit"), _FEET_COLUMNS)


def ablation_table(rows: Sequence[AblationRow]) -> Table:
    """For a terminal."""
    named = ((row, (row.noise, row.fit)) for row in rows)
    return _table("The live fit less one of its parts", named, ("noise", "fit"), _ABLATION_COLUMNS)


def _table(
    title: str,
    rows: Iterable[tuple[RefitRow | AblationRow | FeetRow, tuple[str, str]]],
    names: tuple[str, str],
    columns: Sequence[tuple[str, str, int]],
) -> Table:
    """Of rows and their names."""
    table = Table(title=title)
    for name in names:
        table.add_column(name)
    for heading, _, _ in columns:
        table.add_column(heading, justify="right")
    for row, named in rows:
        values = ((getattr(row, field), digits) for _, field, digits in columns)
        table.add_row(*named, *("-" if v is None else f"{v:.{d}f}" for v, d in values))
    return table


def as_json(rows: Sequence[RefitRow] | Sequence[AblationRow]) -> list[dict[str, object]]:
    """The rows as JSON has them."""
    return [asdict(row) for row in rows]


def _mean(values: Iterable[float]) -> float | None:
    return _told(finite_mean(np.array(list(values), dtype=np.float64)))


def _ratio(a: float | None, b: float | None) -> float | None:
    return a / b if a is not None and b else None


def _told(value: float) -> float | None:
    return value if np.isfinite(value) else None
