"""Runs the pipeline on the scenes and counts what became of the identities."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from posewire.data import Track
from posewire.evaluate.identity.compositing import Composite, Truth
from posewire.evaluate.identity.cutouts import Footage, cut_out
from posewire.evaluate.identity.scenes import SCENES, Scene
from posewire.metrics.identity import IdentityFrame, IdentityScore, assigned, box_overlaps, identity_score
from posewire.pipeline import Pipeline, open_estimator
from posewire.settings import Settings

MAX_PEOPLE = 4
"""One more than any scene has: there is room for somebody who does not exist."""
_LEAST_OVERLAP = 0.5
_VISIBLE = 0.4
"""Who is seen less than this is not asked for, and a track on them is not wrong."""


@dataclass(frozen=True, slots=True)
class SceneScore:
    """One row of the table."""

    scene: str
    people: int
    identities: int
    """Different ids that were given out."""
    score: IdentityScore


def follow_scenes(settings: Settings, scenes: Sequence[Scene] = SCENES, footage: Footage | None = None) -> Iterator[SceneScore]:
    """Draws each scene, runs the method of `settings` and the tracker on it, and scores it when it is done."""
    footage = footage or cut_out()
    for scene in scenes:
        source = Composite(scene, footage)
        tracks = follow(source, settings)
        ids = {track.person_id for seen in tracks for track in seen}
        yield SceneScore(scene.name, len(scene.actors), len(ids), score(source.truth, tracks))


def follow(source: Composite, settings: Settings) -> list[tuple[Track, ...]]:
    """The tracks of every frame."""
    settings = replace(settings, max_people=MAX_PEOPLE)
    card, estimator = open_estimator(settings)
    with Pipeline(source, card, estimator, settings) as pipeline:
        return [instant.tracks for instant in pipeline]


def score(truth: Sequence[Truth], tracks: Sequence[Sequence[Track]]) -> IdentityScore:
    """What became of the identities of one scene."""
    frames = (_frame(real, seen) for real, seen in zip(truth, tracks, strict=True))
    return identity_score(frames, _LEAST_OVERLAP)


def _frame(truth: Truth, tracks: Sequence[Track]) -> IdentityFrame:
    """Without those who are hardly visible and the tracks on them, as the MOT challenge leaves them out."""
    ids = np.array([track.person_id for track in tracks], dtype=np.int64)
    overlap = box_overlaps(truth.boxes_px, [track.box_px for track in tracks])  # (A, K)
    asked = truth.visible >= _VISIBLE
    best = assigned(np.where(overlap >= _LEAST_OVERLAP, 1 - overlap, 1e6))
    free = [column for row, column in best if not asked[row]]
    counted = np.setdiff1d(np.arange(len(ids)), free)
    return IdentityFrame(np.flatnonzero(asked), ids[counted], overlap[np.ix_(asked, counted)])
