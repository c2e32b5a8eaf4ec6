"""A lifter on recorded motion that it was not trained on, seen by virtual cameras: exact truth, any noise, any number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from posewire.data import Camera, FloatArray
from posewire.errors import PluginError
from posewire.evaluate.poses.samples import PoseSamples, joined
from posewire.methods import Lifter, MethodCard
from posewire_data import bodies
from posewire_data.joints import JOINTS, ROOT, root_relative, with_middles
from posewire_data.motion import Clip, MotionSet
from posewire_data.noise import NoiseModel
from posewire_data.views import Views, random_views

_RATE_HZ = 30.0


@dataclass(frozen=True, slots=True)
class Synthetic:
    """What the lifter is shown."""

    samples: int = 2000
    """About so many poses are scored."""
    stretch_frames: int = 20
    """Scored in a row under one camera, at 30 frames a second; before them the lifter sees its history."""
    noise: bool = False
    """BlazePose's errors (posewire_data.noise), and without the joints that BlazePose does not give; False = the true 2D."""
    missing: float = 0.0
    """Share of the joints that is hidden besides, at random in every frame, never both hips."""
    bodies: float = 0.0
    """Deviation of each bone's length, a body for each stretch; 0 = the one body that all of CMU's BVH files have."""
    seed: int = 0


def evaluate_lifter(lifter: Lifter, card: MethodCard, motion: MotionSet, wanted: Synthetic | None = None) -> PoseSamples:
    """Shows the lifter stretches of every clip, each from a random camera whose intrinsics it is told.

    Raises:
        PluginError: the lifter gives none of the 17 joints.
    """
    wanted = wanted or Synthetic()
    common = [name for name in JOINTS if name in card.joints]
    if not common:
        hint = "a lifter must name its joints as posewire_data.joints does"
        raise PluginError(
            f"The lifter {card.name} has none of the joints.", got=", ".join(card.joints), allowed=JOINTS, hint=hint
        )
    rng = np.random.default_rng(wanted.seed)
    noise = NoiseModel.load() if wanted.noise else None
    history = max(1, lifter.receptive_field)
    return joined([_lifted(lifter, card, *shown, wanted) for shown in _shown(motion, history, wanted, noise, rng)])


def _shown(
    motion: MotionSet, history: int, wanted: Synthetic, noise: NoiseModel | None, rng: np.random.Generator
) -> Iterator[tuple[Clip, Views, FloatArray, FloatArray]]:
    """Clip, what was there, and what the lifter is told: pixels (1, T, 17, 2) and confidence (1, T, 17)."""
    for clip, rows in _windows(motion, history, wanted):
        shown_m = clip.positions_m[None, rows].astype(np.float64)
        if wanted.bodies > 0:
            shown_m = bodies.resized(shown_m, bodies.random_proportions(rng, 1, wanted.bodies))
        views = random_views(rng, shown_m, mirror=0.0)
        pixels, confidence = views.cameras.to_pixels(views.seen.normalised), views.seen.confidence
        if noise is not None:
            pixels, confidence = noise.said(rng, pixels, clip.rate_hz)
        said_px, sure = np.asarray(pixels, dtype=np.float64), np.asarray(confidence, dtype=np.float64)
        yield clip, views, *_hidden(rng, said_px, sure, wanted.missing)


def _windows(motion: MotionSet, history: int, wanted: Synthetic) -> Iterator[tuple[Clip, slice]]:
    """Stretches with their history, spread evenly over all clips; a clip that is shorter is shown whole."""
    clips = [clip.every(max(1, round(clip.rate_hz / _RATE_HZ))) for clip in motion.clips]
    frames = sum(len(clip) for clip in clips)
    spacing = max(wanted.stretch_frames, round(frames * wanted.stretch_frames / max(wanted.samples, 1)))
    for clip in clips:
        whole = history - 1 + wanted.stretch_frames
        for start in range(0, max(1, len(clip) - whole + 1), spacing):
            yield clip, slice(start, start + whole)


def _hidden(
    rng: np.random.Generator, said_px: FloatArray, confidence: FloatArray, missing: float
) -> tuple[FloatArray, FloatArray]:
    if missing <= 0:
        return said_px, confidence
    hidden = rng.random(confidence.shape) < missing
    hidden[..., JOINTS.index("left_hip")] &= ~hidden[..., JOINTS.index("right_hip")]
    return np.where(hidden[..., None], np.nan, said_px), np.where(hidden, 0.0, confidence)


def _lifted(
    lifter: Lifter, card: MethodCard, clip: Clip, views: Views, said_px: FloatArray, confidence: FloatArray, wanted: Synthetic
) -> PoseSamples:
    said_px, confidence = said_px[0], confidence[0]
    time_s = np.arange(len(said_px)) / clip.rate_hz
    history = max(1, lifter.receptive_field)
    width_px, height_px = views.cameras.size_px[0].tolist()
    camera = Camera(width_px, height_px, np.asarray(views.cameras.K[0], dtype=np.float64))
    inside = [(JOINTS.index(name), card.joints.index(name)) for name in card.joints if name in JOINTS]
    ours, theirs = np.array(inside).T
    window_px = np.full((len(said_px), len(card.joints), 2), np.nan)
    sure = np.zeros(window_px.shape[:2])
    window_px[:, theirs], sure[:, theirs] = said_px[:, ours], confidence[:, ours]
    scored = np.arange(max(0, len(said_px) - wanted.stretch_frames), len(said_px))
    lifted_m = np.full((len(scored), len(JOINTS), 3), np.nan)
    for row, now in enumerate(scored):
        past = slice(max(0, now + 1 - history), now + 1)
        lifted_m[row, ours] = np.asarray(lifter.lift(window_px[past], sure[past], time_s[past], camera))[theirs]
    return _samples(clip, views, scored, lifted_m, said_px, confidence, time_s)


def _samples(
    clip: Clip,
    views: Views,
    scored: NDArray[np.int64],
    lifted_m: FloatArray,
    said_px: FloatArray,
    confidence: FloatArray,
    time_s: FloatArray,
) -> PoseSamples:
    count, true_m = len(scored), views.positions_m[0, scored]
    pixels = views.cameras.to_pixels(views.seen.normalised)[0, scored]
    return PoseSamples(
        said_m=np.asarray(root_relative(with_middles(lifted_m)), dtype=np.float64),
        true_m=np.asarray(root_relative(true_m), dtype=np.float64),
        root_m=np.asarray(true_m[:, ROOT], dtype=np.float64),
        R_world_camera=np.tile(views.cameras.R_camera_world[0].T, (count, 1, 1)),
        time_s=time_s[scored],
        stretches=np.zeros(count, dtype=np.int64),
        sequences=np.full(count, clip.name),
        activities=np.full(count, clip.activity),
        seen=confidence[scored] > 0,
        matched=np.ones(count, dtype=np.bool_),
        said_px=said_px[scored],
        true_px=np.asarray(pixels, dtype=np.float64),
    )
