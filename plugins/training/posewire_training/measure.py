"""`python -m posewire_training.measure --motion FILE.npz LIFTER...`: lifters on the held-out subject, seen by random cameras.

LIFTER is a bundled network (lifter_vae) or an ONNX file. Errors in mm over all 17 joints of root-relative poses; the 2D is ground
truth, complete; with 30 % of the joints hidden; and disturbed as an estimator disturbs it. Every sample is a window of 27 frames
at 30 a second; a network of one frame gets of it what the live lifter carries on. Hidden is each joint of each frame by chance;
since any moment of the window until now (lately); or in the whole window (throughout).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from posewire import metrics
from posewire.data import FloatArray
from posewire.errors import ModelError
from posewire.runtime import Session, open_session
from posewire_data.joints import JOINTS, ROOT
from posewire_data.motion import MotionSet, load
from posewire_lifting.hypotheses import paired_noise
from posewire_training.command import at_least_one, command
from posewire_training.samples import (
    CLEAN,
    THIRTY_PERCENT,
    THIRTY_PERCENT_LATELY,
    THIRTY_PERCENT_THROUGHOUT,
    Disturbance,
    Hiding,
    Sampler,
    Samples,
)

HYPOTHESES = 20
WINDOW_FRAMES = 27
_BATCH = 250
_OTHERS = [joint for joint in range(len(JOINTS)) if joint != ROOT]


@dataclass(frozen=True, slots=True)
class Errors:
    """Of the mode, mm."""

    mpjpe_mm: float
    n_mpjpe_mm: float
    pa_mpjpe_mm: float


@dataclass(frozen=True, slots=True)
class Sampling:
    """Of the hypotheses: MPJPE in mm, and whether they lie as far from the mode as the truth does."""

    best_of_20_mm: float
    mean_of_20_mm: float
    covered: float
    """Share of joints whose truth lies nearer to the mode than half of the hypotheses."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One lifter."""

    lifter: str
    samples: int
    complete: Errors
    hidden: Errors
    """Each joint of each frame by a chance of 30 %."""
    lately: Errors
    """Each joint by that chance, from any moment of the window until now."""
    throughout: Errors
    """Each joint by that chance, in the whole window."""
    disturbed: Errors
    sampling: Sampling | None
    """None: it has one answer only."""


def measure(lifter: str, motion: MotionSet, count: int = 5000, seed: int = 13) -> Measured:
    """Runs a lifter on random frames of `motion`, each seen by a camera of its own.

    Raises:
        ModelError: there is no such network, or it is no lifter.
    """
    path = Path(lifter)
    session = open_session(path if path.suffix == ".onnx" else lifter, threads=1)
    frames = max(_frames_of(session), WINDOW_FRAMES)
    plain = Sampler(motion, frames)
    disturbed = Sampler(
        motion, frames, replace(CLEAN, focal_error=0.15), Hiding(seldom=1.0, some=0.0, limb=0.0), Disturbance(1.0)
    )
    complete = _errors(session, plain.draw(np.random.default_rng(seed), count))
    sampling = _sampling(session, plain.draw(np.random.default_rng(seed), min(count, 2000)))

    def without(hiding: Hiding) -> Errors:
        return _errors(session, Sampler(motion, frames, CLEAN, hiding).draw(np.random.default_rng(seed), count))

    hidden, lately, throughout = map(without, (THIRTY_PERCENT, THIRTY_PERCENT_LATELY, THIRTY_PERCENT_THROUGHOUT))
    shaken = _errors(session, disturbed.draw(np.random.default_rng(seed), count))
    session.close()
    return Measured(path.stem, count, complete, hidden, lately, throughout, shaken, sampling)


def _frames_of(session: Session) -> int:
    """Of a lifter's window.

    Raises:
        ModelError: the network is none.
    """
    shapes = {tensor.name: tensor.shape for tensor in session.inputs}
    if len(shapes.get("points", ())) != 4:
        got, allowed = ", ".join(map(str, session.inputs)), "points (batch, frames, joints, 2), seen and size"
        raise ModelError("This network is no lifter.", got=got, allowed=allowed, hint="lifter_vae, or an exported lifter.onnx")
    return shapes["points"][1] or 1


def _errors(session: Session, samples: Samples) -> Errors:
    said_m, true_m = poses_m(session, samples, np.zeros((1, 1)))[:, 0], samples.target_m.numpy().astype(np.float64)
    usable = samples.view.usable
    said_m, true_m = said_m[usable], true_m[usable]
    kinds = (metrics.mpjpe_m, metrics.n_mpjpe_m, metrics.pa_mpjpe_m)
    return Errors(*(1e3 * kind(said_m, true_m) for kind in kinds))


def poses_m(session: Session, samples: Samples, noise: FloatArray) -> FloatArray:
    """(B, S, 17, 3) of every sample, the same noise (S, L) for each; a lifter without noise gives S = 1."""
    latent = next((tensor.shape[2] for tensor in session.inputs if tensor.name == "noise"), None)
    inputs, answers = samples.view.newest(_frames_of(session)).inputs(), list[FloatArray]()
    for first in range(0, len(samples.size), _BATCH):
        part = {name: value[first : first + _BATCH] for name, value in inputs.items()}
        rows = len(part["size"])
        if latent is not None:
            part["noise"] = np.broadcast_to(noise, (rows, len(noise), latent)).astype(np.float32)
        answers.append(session.run(part)["joints_m"].reshape(rows, -1, len(JOINTS), 3).astype(np.float64))
    return np.concatenate(answers)


def _sampling(session: Session, samples: Samples) -> Sampling | None:
    latent = next((tensor.shape[2] for tensor in session.inputs if tensor.name == "noise"), None)
    if latent is None:
        return None
    noise = np.concatenate([np.zeros((1, latent)), paired_noise(HYPOTHESES, latent)])
    poses = poses_m(session, samples, noise)[samples.view.usable]
    true_m = samples.target_m.numpy()[samples.view.usable].astype(np.float64)
    mode_m, hypotheses_m = poses[:, 0], poses[:, 1:]
    errors_m = np.linalg.norm(hypotheses_m - true_m[:, None], axis=-1).mean(axis=-1)
    radius_m = np.median(np.linalg.norm(hypotheses_m - mode_m[:, None], axis=-1), axis=1)
    inside = np.linalg.norm(true_m - mode_m, axis=-1) <= radius_m
    return Sampling(
        best_of_20_mm=1e3 * float(errors_m.min(axis=1).mean()),
        mean_of_20_mm=1e3 * float(np.linalg.norm(hypotheses_m.mean(axis=1) - true_m, axis=-1).mean()),
        covered=float(inside[:, _OTHERS].mean()),
    )


_ERRORS = ("MPJPE", "N-MPJPE", "PA-MPJPE")
_HIDDEN = ("30 % hidden", "lately", "throughout")
_COLUMNS = (*_ERRORS, *_HIDDEN, "disturbed", "best of 20", "mean of 20", "covered")


def table_of(measured: Sequence[Measured]) -> Table:
    """As `measure` prints it; behind an error with hidden joints its ratio to that of complete input."""
    table = Table("lifter", *_COLUMNS, box=None)
    for one in measured:
        complete, sampling = one.complete, one.sampling
        errors = [f"{value:.1f}" for value in (complete.mpjpe_mm, complete.n_mpjpe_mm, complete.pa_mpjpe_mm)]
        hidden = [_with_ratio(kind, complete) for kind in (one.hidden, one.lately, one.throughout)]
        drawn = ["-"] * 3
        if sampling is not None:
            drawn = [f"{sampling.best_of_20_mm:.1f}", f"{sampling.mean_of_20_mm:.1f}", f"{sampling.covered:.0%}"]
        table.add_row(one.lifter, *errors, *hidden, f"{one.disturbed.mpjpe_mm:.1f}", *drawn)
    return table


def _with_ratio(errors: Errors, complete: Errors) -> str:
    return f"{errors.mpjpe_mm:.1f} ({errors.mpjpe_mm / complete.mpjpe_mm:.2f})"


@command
def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m posewire_training.measure", description=__doc__)
    parser.add_argument("lifters", nargs="+", metavar="LIFTER")
    parser.add_argument("--motion", type=Path, required=True, metavar="FILE.npz")
    parser.add_argument("--samples", type=at_least_one, default=5000)
    parser.add_argument("--json", action="store_true")
    flags = parser.parse_args(arguments)
    motion = load(flags.motion, "test")
    measured = [measure(lifter, motion, flags.samples) for lifter in flags.lifters]
    if flags.json:
        print(json.dumps([asdict(one) for one in measured], indent=1))
    else:
        Console(width=None if sys.stdout.isatty() else 160).print(table_of(measured))


if __name__ == "__main__":
    sys.exit(main())
