"""Errors of exported lifters on motion with ground truth. Testing, not training: this file may see 3D, and nothing that learns
imports it. The measuring is posewire_training.measure's, so that these rows stand beside the supervised lifters'."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from posewire import metrics
from posewire.data import FloatArray
from posewire.runtime import open_session
from posewire_data.motion import MotionSet, load
from posewire_training.measure import Errors, measure, poses_m
from posewire_training.real import RealClips
from posewire_training.samples import Sampler, Samples

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
    like_real: Errors
    """People of human proportions, keypoints as BlazePose says them (posewire_training.real)."""

    def __str__(self) -> str:
        conditions = (self.complete, self.hidden, self.disturbed, self.like_real)
        cells = (f"{e.mpjpe_mm:7.1f} {e.n_mpjpe_mm:7.1f} {e.pa_mpjpe_mm:7.1f} |" for e in conditions)
        return f"{self.lifter:28} |{''.join(cells)}"


_COLUMNS = ("complete", "30 % hidden", "disturbed", "like a real clip")
HEADER = f"{'MPJPE, N-MPJPE, PA-MPJPE, mm':28} |" + "".join(f"{name:>22}  |" for name in _COLUMNS)


def motion_of(pack: Path, split: str) -> MotionSet:
    """The motion to test on: "validation" (two of the training subjects) or "test" (subject 13)."""
    if split == "test":
        return load(pack, "test")
    return load(pack, "train").divided(VALIDATION_SUBJECTS)[1]


def rows_of(models: Sequence[str], motion: MotionSet, count: int) -> list[Row]:
    """The constant pose (what somebody scores who sees nothing), then each lifter: a bundled network's name or a file."""
    plain, real = (Sampler(motion, real=kind).draw(np.random.default_rng(_SEED), count) for kind in (None, RealClips(1.0)))
    return [constant_pose(plain, real), *(_row(model, motion, count, real) for model in models)]


def _row(model: str, motion: MotionSet, count: int, real: Samples) -> Row:
    measured, path = measure(model, motion, count), Path(model)
    with closing(open_session(path if path.suffix == ".onnx" else model, threads=1)) as session:
        said_m = poses_m(session, real, np.zeros((1, 1)))[:, 0]
    usable = real.view.usable
    like_real = _errors(said_m[usable], _truth_m(real)[usable])
    return Row(measured.lifter, measured.complete, measured.hidden, measured.disturbed, like_real)


def constant_pose(plain: Samples, real: Samples) -> Row:
    """The mean pose in camera axes of the very samples that are tested: the best that a constant can be."""
    errors = [_errors(np.broadcast_to(truth_m.mean(axis=0), truth_m.shape), truth_m) for truth_m in map(_truth_m, (plain, real))]
    return Row("constant pose", errors[0], errors[0], errors[0], errors[1])


def _truth_m(samples: Samples) -> FloatArray:
    return samples.target_m.numpy().astype(np.float64)


def _errors(said_m: FloatArray, truth_m: FloatArray) -> Errors:
    kinds = (metrics.mpjpe_m, metrics.n_mpjpe_m, metrics.pa_mpjpe_m)
    return Errors(*(1e3 * kind(said_m, truth_m) for kind in kinds))
