"""What Stage II learns from: people whom a trained Stage I found in rendered pictures, and people made after their likeness.

A picture takes long to render and gives three people; motion gives any number. A made person is a recorded pose seen by a random
camera, of which Stage I says what it said of somebody whom it really found: the same joints are missing, and each point,
confidence and bone is off by the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from posewire_data.joints import root_relative
from posewire_data.motion import MotionSet
from posewire_training.samples import Augmentation, Sampler
from posewire_xnect import cache, encodings, people
from posewire_xnect.crowd import without_strays
from posewire_xnect.movenet import Heads, read
from posewire_xnect.people import People, belongs_to
from posewire_xnect.readout import ReadOut
from posewire_xnect.rows import person_rows
from posewire_xnect.skeleton import NECK, J, Scheme, supervised
from posewire_xnect.targets import FloatArray
from posewire_xnect.truth import universal

HEIGHT_PX = 320.0
"""Of the pictures of the cache."""


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """N people whom Stage I found, and who they are."""

    points_px: FloatArray
    """(N, J, 2) NaN = unseen."""
    confidence: FloatArray
    """(N, J)."""
    encodings: FloatArray
    """(N, J, 3 J)."""
    true_px: FloatArray
    """(N, J, 2)."""
    joints_m: FloatArray
    """(N, J, 3) root-relative, universal, facing the neck."""
    visibility: NDArray[np.int64]
    """(N, J) as posewire_synth.layers."""

    @property
    def rows(self) -> FloatArray:
        """What Stage II is fed."""
        return person_rows(self.points_px, self.confidence, self.encodings, HEIGHT_PX)


def people_of(heads: Heads, part: cache.Part) -> list[People]:
    """Who is found in each picture of a part, strays left out as live; all networks in eval mode."""
    with torch.inference_mode():
        reading = read(heads, part.features, ReadOut())
    pictures = zip(*(value.numpy() for value in reading), strict=True)
    return [without_strays(people.of_reading(*picture)) for picture in pictures]


def found_in(heads: Heads, known: Iterable[Path]) -> Found:
    """Everybody who is found in these parts and is somebody."""
    every: list[tuple[FloatArray, ...]] = []
    for path in known:
        part = cache.load(path)
        for picture, found in enumerate(people_of(heads, part)):
            true_px, joints_m = part.points_px[picture].numpy(), part.joints_m[picture].numpy()
            owner = belongs_to(found.points_px, true_px)
            mine, theirs = owner >= 0, owner[owner >= 0]
            said = (found.points_px[mine], found.confidence[mine], found.encodings[mine])
            every.append((*said, true_px[theirs], root_relative(joints_m)[theirs], part.visibility[picture].numpy()[theirs]))
    return Found(*(np.concatenate(values) for values in zip(*every, strict=True)))


class Maker:
    """Makes people after the likeness of those who were found.

    Args:
        found: By Stage I, in training pictures.
        motion: Training motion.
        scheme: Stage I's.
    """

    def __init__(self, found: Found, motion: MotionSet, scheme: Scheme = "sparse") -> None:
        self._found, self._sampler = found, Sampler(motion, augmentation=Augmentation(focal_error=0.0))
        size = _spread(found.true_px)
        self._off = (found.points_px - found.true_px) / size[:, None, None]
        told = found.encodings.reshape(-1, J, J, 3)
        seen = (found.confidence > 0)[..., None, None]
        bones = encodings.bones(found.joints_m)[:, None]
        self._table = supervised(scheme)[None, :, :, None]
        self._wrong = np.where(seen & self._table, told - bones, 0.0)

    def draw(self, rng: np.random.Generator, count: int) -> tuple[FloatArray, FloatArray]:
        """Rows (count, J, 3 + 3 J) and joints (count, J, 3)."""
        samples = self._sampler.draw(rng, count)
        true = samples.clean.numpy().astype(np.float64)
        joints_m = root_relative(universal(samples.target_m).numpy().astype(np.float64))
        like = rng.integers(len(self._found.confidence), size=count)
        confidence = self._found.confidence[like]
        seen = confidence > 0
        points = np.where(seen[..., None], true + self._off[like] * _spread(true)[:, None, None], np.nan)
        bones = encodings.bones(joints_m)[:, None] * self._table
        told = np.where(seen[..., None, None], bones + self._wrong[like], 0.0)
        usable = np.isfinite(true).all(axis=(1, 2)) & samples.view.usable
        rows = person_rows(points, confidence, told.reshape(count, J, 3 * J), 1.0)
        return rows[usable], joints_m[usable]


def _spread(points: FloatArray) -> FloatArray:
    """(N,) root mean square distance from the neck of the joints that are known."""
    return np.sqrt(np.nanmean(((points - points[:, NECK : NECK + 1]) ** 2).sum(-1), axis=1))
