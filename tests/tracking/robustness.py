"""Do identities last whatever the last bit of a pixel says? The same recording several times, each time imperceptibly changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from perturbing import Perturbation, Perturbed
from rich.table import Table

from posewire.data import Frame
from posewire.evaluate.identity.compositing import Truth
from posewire.evaluate.identity.following import DRAWN, MAX_PEOPLE, Matching, follow, identity_frame, score
from posewire.metrics.identity import IdentityScore
from posewire.settings import Settings


@dataclass(frozen=True, slots=True)
class Run:
    """A recording under one change."""

    recording: str
    change: str
    score: IdentityScore
    found_last: int
    asked_last: int
    """People with a track in the last frame, and how many there are."""


def perturbed_runs(
    recording: str,
    frames: Sequence[Frame],
    truth: Sequence[Truth],
    changes: Sequence[Perturbation],
    settings: Settings,
    max_people: int = MAX_PEOPLE,
    matching: Matching = DRAWN,
) -> Iterator[Run]:
    """Runs the pipeline once for each change, and scores it."""
    for change in changes:
        tracks = follow(Perturbed(frames, change), settings, max_people)
        real = truth[change.first_frame :]
        last = identity_frame(real[-1], tracks[-1], matching)
        found = int((last.overlap >= matching.least_overlap).any(axis=1).sum())
        yield Run(recording, change.name, score(real, tracks, matching), found, len(last.reference_ids))


def robustness_table(runs: Sequence[Run]) -> Table:
    """One row a recording, and one for all."""
    table = Table(title="Identities under changes that nobody sees")
    for title in ("recording", "runs", "without a switch %", "switches a run", "IDF1 %", "worst IDF1 %", "MOTA %"):
        table.add_column(title, justify="left" if title == "recording" else "right")
    for name in dict.fromkeys(run.recording for run in runs):
        table.add_row(name, *_cells([run for run in runs if run.recording == name]))
    table.add_section()
    table.add_row("all", *_cells(runs))
    return table


def _cells(runs: Sequence[Run]) -> tuple[str, ...]:
    switches, idf1, mota = np.array([(run.score.switches, run.score.idf1, run.score.mota) for run in runs]).T
    shares = 100 * np.mean(switches == 0), np.mean(switches), 100 * idf1.mean(), 100 * idf1.min(), 100 * mota.mean()
    return str(len(runs)), f"{shares[0]:.0f}", f"{shares[1]:.2f}", *(f"{share:.1f}" for share in shares[2:])
