"""Errors of exported lifters on motion with ground truth. Testing, not training: this file may see 3D, and nothing that learns
imports it. The measuring is posewire_training.measure's, so that these rows stand beside the supervised lifters'."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from posewire import metrics
from posewire_data.motion import MotionSet, load
from posewire_training.measure import Errors, measure
from posewire_training.samples import Sampler

VALIDATION_SUBJECTS = ("10", "12")
"""Of the training subjects: choices are made on these, never on the test subject."""
_SEED = 13


@dataclass(frozen=True, slots=True)
class Row:
    """One lifter, millimetres, all 17 joints, ground-truth 2D."""

    lifter: str
    complete: Errors
    hidden: Errors
    disturbed: Errors

    def __str__(self) -> str:
        conditions = (self.complete, self.hidden, self.disturbed)
        cells = (f"{e.mpjpe_mm:7.1f} {e.n_mpjpe_mm:7.1f} {e.pa_mpjpe_mm:7.1f} |" for e in conditions)
        return f"{self.lifter:28} |{''.join(cells)}"


HEADER = f"{'MPJPE, N-MPJPE, PA-MPJPE, mm':28} |{'complete':>22}  |{'30 % hidden':>22}  |{'disturbed':>22}  |"


def motion_of(pack: Path, split: str) -> MotionSet:
    """The motion to test on: "validation" (two of the training subjects) or "test" (subject 13)."""
    if split == "test":
        return load(pack, "test")
    return load(pack, "train").divided(VALIDATION_SUBJECTS)[1]


def rows_of(models: Sequence[str], motion: MotionSet, count: int) -> list[Row]:
    """The constant pose (what somebody scores who sees nothing), then each lifter: a bundled network's name or a file."""
    rows = [constant_pose(motion, count)]
    for model in models:
        measured = measure(model, motion, count)
        rows.append(Row(measured.lifter, measured.complete, measured.hidden, measured.disturbed))
    return rows


def constant_pose(motion: MotionSet, count: int) -> Row:
    """The mean pose in camera axes of the very samples that are tested: the best that a constant can be."""
    truth_m = Sampler(motion).draw(np.random.default_rng(_SEED), count).target_m.numpy().astype(np.float64)
    mean_m = np.broadcast_to(truth_m.mean(axis=0), truth_m.shape)
    kinds = (metrics.mpjpe_m, metrics.n_mpjpe_m, metrics.pa_mpjpe_m)
    errors = Errors(*(1e3 * kind(mean_m, truth_m) for kind in kinds))
    return Row("constant pose", errors, errors, errors)
