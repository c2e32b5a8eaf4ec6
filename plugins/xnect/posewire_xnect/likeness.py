"""What Stage II learns from: people whom a trained Stage I found in rendered pictures, and people made after their likeness.

A picture takes long to render and gives three people; motion gives any number. A made person is a recorded pose seen by a random
camera, of which Stage I says what it said of somebody whom it really found: the same joints are missing, and each point,
confidence and bone is off by the same. Of some the points are those of a real clip instead (posewire_training.real): nearly all
are seen, and off as BlazePose's are; only confidences and bones are after somebody's likeness. Half of all the made people have
human proportions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from posewire.runtime import Session
from posewire_data.joints import root_relative
from posewire_data.motion import MotionSet
from posewire_training.real import RealClips
from posewire_training.samples import Augmentation, Sampler
from posewire_xnect import album, cache, encodings, people, truth
from posewire_xnect.crowd import without_strays
from posewire_xnect.letterbox import SHORTER_PX
from posewire_xnect.movenet import Heads, read
from posewire_xnect.people import People, belongs_to
from posewire_xnect.readout import ReadOut
from posewire_xnect.rows import person_rows
from posewire_xnect.skeleton import NECK, J, Scheme, supervised
from posewire_xnect.targets import FloatArray

HEIGHT_PX = float(SHORTER_PX)
"""Of the pictures of the cache."""
NEAREST_M = 0.4
"""Whoever reaches nearer to the camera is left out."""
ASIDE = 0.2
"""Deviation of where somebody stands, as a tangent."""
UNKNOWN = 0.0145
"""Deviation of a joint that posewire_training.real does not say, as a share of the person's box."""
LOOKED_AT = 400
"""Found people whom a made one may resemble."""
HUMAN = 0.5
"""Share of the made people whose bones have human lengths."""
GUESSES = (0.3, 0.9)
"""Confidence of a joint that the person resembled does not show: drawn between these."""
PASSED = (0.5, 0.35)
"""Of those like a real clip: share of whom joints are hidden, and the chance of each at most."""


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
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):  # as the heads learned, and three times as fast
        reading = read(heads, part.features, ReadOut())
    pictures = zip(*(value.float().numpy() for value in reading), strict=True)
    return [without_strays(people.of_reading(*picture)) for picture in pictures]


def found_in(heads: Heads, known: Iterable[Path]) -> Found:
    """Everybody who is found in these parts of rendered pictures and is somebody."""
    every: list[Found] = []
    for path in known:
        part = cache.load(path)
        labels = zip(part.points_px.numpy(), part.joints_m.numpy(), part.visibility.numpy(), strict=True)
        every.extend(_who_they_are(found, *label) for found, label in zip(people_of(heads, part), labels, strict=True))
    return joined(every)


def found_by(stage_one: Session, pictures: Iterable[Path], *, crowds: bool = True) -> Found:
    """Everybody whom an exported Stage I finds in rendered pictures or labelled frames (album.py), and in crowds made of them.

    Of rendered pictures that Stage I did not learn from: whom it knows by heart it sees better than anybody whom it will meet.
    """
    every: list[Found] = []
    for path in pictures:
        known = album.load(path)
        groups = (known.scene(slice(row, row + 1)) for row in range(len(known)))
        fours = (truth.crowd(known.scene(slice(row, row + 4))) for row in range(0, len(known) - 3 if crowds else 0, 4))
        for scene in chain(groups, fours):
            said = stage_one.run({"image": scene.image.numpy()})
            found = without_strays(people.of_said(said))
            every.append(_who_they_are(found, scene.points_px[0].numpy(), scene.joints_m[0].numpy(), scene.visibility[0].numpy()))
    return joined(every)


def joined(parts: Sequence[Found]) -> Found:
    """One after the other."""
    return Found(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Found)))


def _who_they_are(found: People, true_px: FloatArray, joints_m: FloatArray, visibility: NDArray[np.int64]) -> Found:
    """Those of one picture who are somebody, beside the truth (M, J, ...) of all who are there."""
    owner = belongs_to(found.points_px, true_px)
    mine, theirs = owner >= 0, owner[owner >= 0]
    said = (found.points_px[mine], found.confidence[mine], found.encodings[mine])
    return Found(*said, true_px[theirs], root_relative(joints_m)[theirs], visibility[theirs])


class Maker:
    """Makes people after the likeness of those who were found.

    Args:
        found: By Stage I, in training pictures.
        motion: Training motion.
        scheme: Stage I's.
        real: Share of those whose points are like a real clip's.
    """

    def __init__(self, found: Found, motion: MotionSet, scheme: Scheme = "sparse", real: float = 1 / 3) -> None:
        self._found, self._real, self._clips = found, real, RealClips(share=HUMAN)
        self._sampler = Sampler(motion, augmentation=Augmentation(focal_error=0.0), real=self._clips)
        size = _spread(found.true_px)
        self._off = (found.points_px - found.true_px) / size[:, None, None]
        told = found.encodings.reshape(-1, J, J, 3)
        seen = (found.confidence > 0)[..., None, None]
        bones = encodings.bones(found.joints_m)[:, None]
        self._table = supervised(scheme)[None, :, :, None]
        self._wrong = np.where(seen & self._table, told - bones, 0.0)

    def draw(self, rng: np.random.Generator, count: int) -> tuple[FloatArray, FloatArray]:
        """Rows (count, J, 3 + 3 J) and joints (count, J, 3); a few less where somebody stands too near."""
        true, joints_m = self._posed(rng, count)
        like = self._like(rng, joints_m)
        points = np.where(np.isfinite(self._off[like]), true + self._off[like] * _spread(true)[:, None, None], np.nan)
        confidence = self._found.confidence[like]
        real = np.flatnonzero(rng.random(len(true)) < self._real)
        points[real] = self._as_real(rng, true[real])
        guess = np.where(confidence[real] > 0, confidence[real], rng.uniform(*GUESSES, (len(real), J)))
        confidence[real] = np.where(np.isfinite(points[real]).all(axis=-1), guess, 0.0)
        bones = encodings.bones(joints_m)[:, None] * self._table
        spare = self._wrong[rng.permutation(like)]  # of joints that whom they resemble does not show
        wrong = np.where((self._found.confidence[like] > 0)[..., None, None], self._wrong[like], spare)
        told = np.where((confidence > 0)[..., None, None], bones + wrong, 0.0)
        return person_rows(points, confidence, told.reshape(len(true), J, 3 * J), 1.0), joints_m

    def _like(self, rng: np.random.Generator, joints_m: FloatArray) -> NDArray[np.int64]:
        """(N,) whom each resembles: of LOOKED_AT found people, drawn for all of them, the one whose pose is most like theirs.

        What Stage I says leans to the usual: how far it is off hangs on the pose.
        """
        drawn = rng.integers(len(self._found.confidence), size=LOOKED_AT)
        theirs, known = joints_m.reshape(len(joints_m), -1), self._found.joints_m[drawn].reshape(LOOKED_AT, -1)
        apart = (known**2).sum(axis=1) - 2 * theirs @ known.T  # less what is the same for all of a row
        return drawn[apart.argmin(axis=1)]

    def _posed(self, rng: np.random.Generator, count: int) -> tuple[FloatArray, FloatArray]:
        """Image points (N, J, 2) of people somewhere in a picture, and joints (N, J, 3) as Stage II says them."""
        samples = self._sampler.draw(rng, count)
        placed_m = (samples.target_m + samples.root_m[:, None]).double() @ _aside(rng, count).transpose(1, 2)
        placed_m = placed_m[(placed_m[..., 2] > NEAREST_M).all(dim=1)]
        true = placed_m[..., :2] / placed_m[..., 2:]
        K = torch.eye(3, dtype=torch.float64).expand(len(true), 3, 3)
        turned = truth.facing(truth.universal(placed_m)[:, None], true[:, None, NECK], K)[:, 0]
        return true.numpy(), root_relative(turned.numpy())

    def _as_real(self, rng: np.random.Generator, true: FloatArray) -> FloatArray:
        """(N, J, 2) as an estimator says real people's points; joints that BlazePose does not have are off by as much."""
        side = np.ptp(true, axis=1).max(axis=-1)[:, None, None]
        said = self._clips.said(rng, true[:, None])[:, 0]
        said = np.where(np.isfinite(said), said, true + UNKNOWN * side * rng.standard_normal(true.shape))
        share, most = PASSED
        hidden = rng.random(true.shape[:2]) < rng.uniform(0.0, most, (len(true), 1)) * (rng.random((len(true), 1)) < share)
        return np.where(hidden[..., None], np.nan, said)


def _aside(rng: np.random.Generator, count: int) -> Tensor:
    """(count, 3, 3) turns of cameras that look past somebody, up to the border of a picture."""
    z = np.concatenate([ASIDE * rng.standard_normal((count, 2)) * [1.0, 0.6], np.ones((count, 1))], axis=1)
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    x = np.stack([z[:, 2], np.zeros(count), -z[:, 0]], axis=-1)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    return torch.from_numpy(np.stack([x, np.cross(z, x), z], axis=2))


def _spread(points: FloatArray) -> FloatArray:
    """(N,) root mean square distance from the neck of the joints that are known."""
    return np.sqrt(np.nanmean(((points - points[:, NECK : NECK + 1]) ** 2).sum(-1), axis=1))
