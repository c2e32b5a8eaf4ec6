"""The weights of the contacts (core/posewire/fit/contacts.py), learnt from the BVH files of CMU motion below folders:

    python tests/fit/learn_contacts.py FOLDER...

Up to three clips of each posture and file are fitted live with the noises of `posewire eval --motion`; in every frame a logistic
regression tells from the features of fit/gait.py whether a heel or toe is on the ground in the clean motion. Printed: the
weights, and F1 of the regression alone. Feet that are held still in the air hardly occur in these recordings; where up is known,
some examples of that are added.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

from posewire.data import Camera, FloatArray, Track
from posewire.evaluate.refit.clips import JOINTS, Clip
from posewire.evaluate.refit.fitting import LEARNT_FRAMES
from posewire.evaluate.refit.measuring import SEED, read_clips
from posewire.evaluate.refit.noise import NOISES, observed
from posewire.evaluate.refit.scoring import SETTLED_S
from posewire.fit import FitSettings, Fitter
from posewire.fit.gait import END, FEATURES, HEIGHT, NOW, OTHER, RECENT, SHORTEST_M, SLOWEST_M_S
from posewire.metrics import contact_f1

CLIPS_EACH, EVERY_FRAME = 3, 2
HELD_SHARE, HELD_M = 0.03, (0.15, 0.2, 0.25, 0.3)
"""How many examples are added of feet that nobody moves, so high in the air."""
RIDGE = 1e-4
"""Penalty of a weight of 1 on a feature of deviation 1."""


def main(folders: Sequence[Path]) -> None:
    """Learns and prints."""
    clips = read_clips(folders, each=CLIPS_EACH)
    for knows_up in (False, True):
        learn(list(examples(clips, "calibrated" if knows_up else "assumed")), knows_up=knows_up)


def learn(parts: Sequence[tuple[FloatArray, FloatArray]], *, knows_up: bool) -> None:
    """Prints the weights that tell the truth (E, 4) of each part from its features (E, 4, F)."""
    features, rests = (np.concatenate(part) for part in zip(*parts, strict=True))
    for end, name in enumerate(("heel", "toe")):
        x, y = features[:, end::2].reshape(-1, len(FEATURES)), rests[:, end::2].ravel()
        held = still(round(HELD_SHARE * len(y)) if knows_up else 0)
        weights = regress(np.concatenate([x, held]), np.concatenate([y, np.zeros(len(held))]))
        f1 = contact_f1((weights[0] + x @ weights[1:] > 0).astype(float), y)
        numbers = ", ".join(f"{w:.3g}" for w in weights)
        print(f"{name}, up is {'known' if knows_up else 'not known'}: ({numbers})  F1 {f1:.3f}, {len(y)} examples")


def examples(clips: Sequence[Clip], origin: str) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Features (E, 4, F) and truth (E, 4) of each clip with each noise."""
    for number, clip in enumerate(clips):
        for noise in NOISES:
            camera = replace(clip.camera, origin=origin)
            features = watched(clip, observed(clip, noise, np.random.default_rng([SEED, number])), camera)
            counts = clip.time_s >= SETTLED_S
            yield features[counts][::EVERY_FRAME], clip.contacts[counts][::EVERY_FRAME].astype(np.float64)


def watched(clip: Clip, tracks: Sequence[Track], camera: Camera) -> FloatArray:
    """(T, 4, F) as the live fit finds them."""
    fitter = Fitter(JOINTS, FitSettings())
    fitter.learn(tracks[:LEARNT_FRAMES], camera)
    found: list[FloatArray] = []
    for track, time_s in zip(tracks, clip.time_s.tolist(), strict=True):
        fitter.fit(track, time_s, camera)
        found.append(fitter._memory.contacts.gait.features.copy())  # pyright: ignore[reportPrivateUsage]
    return np.array(found)


def still(count: int) -> FloatArray:
    """(count, F) of feet held still in the air."""
    found = np.zeros((count, len(FEATURES)))
    found[:, HEIGHT] = np.resize(HELD_M, count)
    found[:, [NOW, RECENT, END]], found[:, OTHER] = np.log(SLOWEST_M_S), np.log(SHORTEST_M)
    return found


def regress(x: FloatArray, y: FloatArray) -> FloatArray:
    """The constant and the weights (1 + F,) of features (E, F) that make the truth (E,) of 0 and 1 the likeliest."""
    mean, deviation, sign = x.mean(axis=0), x.std(axis=0), 2.0 * y - 1.0
    z = np.column_stack([np.ones(len(x)), (x - mean) / deviation])

    def loss(w: FloatArray) -> tuple[float, FloatArray]:
        odds = sign * (z @ w)
        slope = -sign / (1.0 + np.exp(np.clip(odds, -50.0, 50.0)))
        ridge = RIDGE * np.r_[0.0, w[1:]]
        return float(np.logaddexp(0.0, -odds).mean() + 0.5 * ridge @ w), z.T @ slope / len(y) + ridge

    w = minimize(loss, np.zeros(z.shape[1]), jac=True, method="L-BFGS-B").x
    weights = w[1:] / deviation
    return np.r_[w[0] - mean @ weights, weights]


if __name__ == "__main__":
    main([Path(folder) for folder in sys.argv[1:]])
