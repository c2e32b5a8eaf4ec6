"""The weights of the contacts of `posewire solve` (core/posewire/solve/touching.py), learnt as tests/fit/learn_contacts.py does:

    PYTHONPATH=tests/fit python tests/solve/learn_touching.py FOLDER...

One clip of each posture of every other file, with the noises of `posewire eval --motion`, smoothed as the solve does.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from learn_contacts import learn  # of tests/fit
from numpy.typing import NDArray

from posewire.data import FloatArray
from posewire.evaluate.refit.clips import JOINTS, Clip
from posewire.evaluate.refit.measuring import SEED, read_clips
from posewire.evaluate.refit.noise import NOISES, observed
from posewire.evaluate.refit.scoring import SETTLED_S
from posewire.solve.person import smooth_person
from posewire.solve.settings import OFFLINE_FIT
from posewire.solve.stretches import Sight
from posewire.solve.touching import features

EVERY_FILE = 2
UP = np.array([0.0, 1.0, 0.0])


@dataclass(frozen=True, slots=True, eq=False)
class Smoothed:
    """A stretch of a clip as the solve has it before it feels the feet."""

    time_s: FloatArray
    """(R,)"""
    joints_m: FloatArray
    """(R, N, 3) world."""
    camera_m: FloatArray
    """(3,) world."""
    rests: NDArray[np.bool_]
    """(R, 4) the truth."""


def main(folders: Sequence[Path]) -> None:
    """Learns and prints."""
    smoothed = list(smooth(read_clips(folders, every=EVERY_FILE)))
    for known in (False, True):
        learn([examples(part, UP if known else None) for part in smoothed], knows_up=known)


def smooth(clips: Sequence[Clip]) -> Iterator[Smoothed]:
    """The stretches of each clip with each noise."""
    for number, clip in enumerate(clips):
        for noise in NOISES:
            tracks = observed(clip, noise, np.random.default_rng([SEED, number]))
            sights = [Sight(k, float(clip.time_s[k]), track, clip.camera) for k, track in enumerate(tracks)]
            person = smooth_person(sights, JOINTS, OFFLINE_FIT)
            for part, motion in person.parts:
                joints_m = person.skeleton.positions_m(motion.root_m, motion.rotations_wxyz)
                rests = clip.contacts[[sight.frame for sight in part]]
                yield Smoothed(motion.time_s, joints_m, clip.camera.T_world_camera[:3, 3], rests)


def examples(part: Smoothed, up: FloatArray | None) -> tuple[FloatArray, FloatArray]:
    """Features (E, 4, F) and truth (E, 4)."""
    counts = part.time_s >= SETTLED_S
    found = features(part.time_s, part.joints_m, np.broadcast_to(part.camera_m, (len(part.time_s), 3)), up)
    return found[counts], part.rests[counts].astype(np.float64)


if __name__ == "__main__":
    main([Path(folder) for folder in sys.argv[1:]])
