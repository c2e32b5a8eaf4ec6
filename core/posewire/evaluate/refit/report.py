"""The re-fit and the ablation as tables for a terminal and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from rich.table import Table

from posewire import metrics
from posewire.evaluate.refit.clips import POSTURES
from posewire.evaluate.refit.measuring import ABLATIONS, Ablated, Refit
from posewire.evaluate.refit.noise import NOISES
from posewire.metrics.missing import finite_mean

ALL = "all"


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
    contact_f1: float | None
    """Of all frames together."""
    slide_median_mm: float | None
    slide_p95_mm: float | None


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
    slides_mm = np.concatenate([one.steps.slides_mm for one in chosen])
    said, true = (np.concatenate([getattr(one.steps, which) for one in chosen]) for which in ("said", "true"))
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
        _told(metrics.contact_f1(said, true)),
        _told(float(np.median(slides_mm))) if len(slides_mm) else None,
        _told(float(np.percentile(slides_mm, 95))) if len(slides_mm) else None,
    )


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
    ("contact\nF1", "contact_f1", 2),
    ("slide\nmedian", "slide_median_mm", 1),
    ("slide\np95", "slide_p95_mm", 1),
)
_ABLATION_COLUMNS = (
    ("error\nmm", "error_mm", 1),
    ("3DPCK\n@150 %", "pck150_percent", 1),
    ("accel.\nm/s²", "acceleration_m_s2", 1),
)


def refit_table(rows: Sequence[RefitRow]) -> Table:
    """For a terminal."""
    return _table(
        "Re-fit of recorded motion: 12 limb joints; mm, m/s², slide in mm a frame", ("noise", "posture"), rows, _REFIT_COLUMNS
    )


def ablation_table(rows: Sequence[AblationRow]) -> Table:
    """For a terminal."""
    return _table("The live fit less one of its parts", ("noise", "fit"), rows, _ABLATION_COLUMNS)


def _table(
    title: str, names: Sequence[str], rows: Sequence[RefitRow] | Sequence[AblationRow], columns: Sequence[tuple[str, str, int]]
) -> Table:
    table = Table(title=title)
    for name in names:
        table.add_column(name)
    for heading, _, _ in columns:
        table.add_column(heading, justify="right")
    for row in rows:
        values = ((getattr(row, field), digits) for _, field, digits in columns)
        table.add_row(*(getattr(row, name) for name in names), *("-" if v is None else f"{v:.{d}f}" for v, d in values))
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
