"""Every clip with every noise: raw, live and whole; and the live fit less one of its parts at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from posewire.data import Track
from posewire.errors import TakeError
from posewire.evaluate.refit.clips import Clip, clips_of
from posewire.evaluate.refit.fitting import fit_live, fit_whole
from posewire.evaluate.refit.noise import NOISES, observed
from posewire.evaluate.refit.scoring import Score, Steps, flips, score_fitted, score_raw, score_truth, steps
from posewire.filters import OneEuroSettings
from posewire.fit import FitSettings

SEED = 11
SECONDS, CLIPS_EACH = 4.0, 1
_OPEN, _FREE = OneEuroSettings(1e5, 0.0), 1e3
ABLATIONS = {
    "whole fit": {},
    "no 3D term": {"position_sigma_m": _FREE},
    "no 2D term": {"pixel_sigma_m": _FREE},
    "no limits": {"limit_sigma_rad": _FREE},
    "no smoothness": {"acceleration_m_s2": 1e6, "depth_acceleration_m_s2": 1e6},
    "no filter": {"filter_px": _OPEN, "filter_m": _OPEN},
}
"""What each row of the ablation changes of the settings."""


FITS = ("live", "live, locked", "solve", "solve, locked")
"""The fits whose feet are looked at: with free feet, and with those on the ground held in their places."""


@dataclass(frozen=True, slots=True, eq=False)
class Feet:
    """What one of FITS makes of a clip."""

    error_mm: float
    steps: Steps


@dataclass(frozen=True, slots=True, eq=False)
class Refit:
    """One clip with one noise."""

    clip: str
    posture: str
    noise: str
    raw: Score
    live: Score
    whole: Score
    true: Score
    flips: int
    """Of the live fit."""
    feet: Mapping[str, Feet]
    """By FITS."""


@dataclass(frozen=True, slots=True)
class Ablated:
    """One clip with one noise, fitted without a part."""

    row: str
    noise: str
    score: Score


def read_clips(
    paths: Sequence[Path], seconds: float = SECONDS, each: int = CLIPS_EACH, seed: int = SEED, every: int = 1
) -> list[Clip]:
    """The clips of every so many of the BVH files and of folders of them; at most `each` of every posture that a file shows.

    Raises:
        TakeError: there is no BVH file, or one cannot be read.
        DatasetError: one is no BVH.
    """
    files = [file for path in paths for file in (sorted(path.rglob("*.bvh")) if path.is_dir() else [path])]
    if not files:
        got, hint = ", ".join(map(str, paths)), "posewire eval --motion FOLDER_OF_BVH"
        raise TakeError("There is no motion.", got=got, allowed="BVH files, or folders with some", hint=hint)
    rng = np.random.default_rng(seed)
    return [clip for file in files[::every] for clip in clips_of(file, rng, seconds, each)]


def refit(clips: Sequence[Clip], settings: FitSettings | None = None, seed: int = SEED) -> Iterator[Refit]:
    """Each clip with each noise."""
    settings = settings or FitSettings()
    for clip, noise, tracks in _observed(clips, seed):
        live, locked = (fit_live(clip, tracks, replace(settings, lock_feet=locks)) for locks in (False, True))
        fits = dict(zip(FITS, (live, locked, *fit_whole(clip, tracks)), strict=True))
        scored = {name: score_fitted(clip, fitted) for name, fitted in fits.items()}
        feet = {name: Feet(scored[name].error_mm, steps(clip, fitted)) for name, fitted in fits.items()}
        scores = (score_raw(clip, tracks), scored["live"], scored["solve, locked"], score_truth(clip))
        yield Refit(clip.name, clip.posture, noise, *scores, flips(clip, live), feet)


def ablate(clips: Sequence[Clip], settings: FitSettings | None = None, seed: int = SEED) -> Iterator[Ablated]:
    """Each clip with each noise and each of ABLATIONS."""
    settings = settings or FitSettings()
    for clip, noise, tracks in _observed(clips, seed):
        yield Ablated("raw", noise, score_raw(clip, tracks))
        for row, changes in ABLATIONS.items():
            yield Ablated(row, noise, score_fitted(clip, fit_live(clip, tracks, replace(settings, **changes))))


def _observed(clips: Sequence[Clip], seed: int) -> Iterator[tuple[Clip, str, list[Track]]]:
    """The same noise for a clip whatever else is measured."""
    for number, clip in enumerate(clips):
        for noise in NOISES:
            yield clip, noise, observed(clip, noise, np.random.default_rng([seed, number]))
