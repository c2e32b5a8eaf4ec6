"""Whether identities last under changes that nobody sees: a quarter of a grey level, a pixel aside, another first frame.

    python tests/tracking/measure_identities.py                                                the seven scenes: 20 minutes
    python tests/tracking/measure_identities.py pedestrians.avi tests/tracking/pedestrians.txt      a recording with its truth

The second is the first 101 frames of OpenCV's sample vtest.avi (PETS 2009, S2.L1), which is not in the repository; the truth
beside this file was drawn by hand, in the form of the MOT challenge. Any recording and truth of that form will do.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from annotated import read_truth
from perturbing import filmed, perturbations
from rich.console import Console
from robustness import Run, perturbed_runs, robustness_table

from posewire import capture
from posewire.evaluate.identity import SCENES, cut_out
from posewire.evaluate.identity.compositing import Composite
from posewire.evaluate.identity.following import ANNOTATED
from posewire.methods import SourceOptions
from posewire.settings import Settings

FRAMES, MAX_PEOPLE = 101, 10


def of_scenes() -> Iterator[Run]:
    """The seven scenes under every change."""
    footage = cut_out()
    for scene in SCENES:
        source = Composite(scene, footage)
        yield from perturbed_runs(scene.name, filmed(source), source.truth, perturbations(planes=False), Settings())


def of_recording(path: Path, truth: Path) -> Iterator[Run]:
    """A recording's first frames under every change."""
    frames = filmed(capture.open_source(str(path), SourceOptions()), FRAMES)
    changes = perturbations(planes=not isinstance(frames[0].picture, np.ndarray))
    real = read_truth(truth, len(frames))
    yield from perturbed_runs(path.name, frames, real, changes, Settings(), MAX_PEOPLE, ANNOTATED)


def main(*arguments: str) -> None:
    """A line a run, then the table."""
    console, runs = Console(), list[Run]()
    for run in of_recording(*map(Path, arguments)) if arguments else of_scenes():
        runs.append(run)
        result = f"{run.score.switches} switches, IDF1 {100 * run.score.idf1:.1f} %"
        console.print(f"{run.recording}, {run.change}: {result}, in the last frame {run.found_last} of {run.asked_last}")
    console.print(robustness_table(runs))


if __name__ == "__main__":
    main(*sys.argv[1:])
