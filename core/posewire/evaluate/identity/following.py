"""Runs the pipeline on the scenes, or on an annotated recording, and counts what became of the identities."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from posewire.data import FloatArray, Track
from posewire.evaluate.identity.compositing import Composite, Truth
from posewire.evaluate.identity.cutouts import Footage, cut_out
from posewire.evaluate.identity.scenes import SCENES, Scene
from posewire.methods import Source
from posewire.metrics.identity import IdentityFrame, IdentityScore, assigned, box_overlaps, identity_score
from posewire.pipeline import Pipeline, open_estimator
from posewire.settings import Settings

MAX_PEOPLE = 4
"""One more than any scene has: there is room for somebody who does not exist."""
_VISIBLE = 0.4
"""Who is seen less than this is not asked for, and a track on them is not wrong."""


@dataclass(frozen=True, slots=True)
class Matching:
    """When a track is on somebody."""

    least_overlap: float = 0.5
    """Of the boxes (IoU)."""
    least_width: float = 0.0
    """Of its height a box is taken to have at least: keypoints of somebody in profile lie in a line."""


DRAWN, ANNOTATED = Matching(), Matching(0.3, 0.4)
"""Boxes that are exact, and boxes drawn by hand around a few frames and interpolated."""


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


def follow(source: Source, settings: Settings, max_people: int = MAX_PEOPLE) -> list[tuple[Track, ...]]:
    """The tracks of every frame."""
    settings = replace(settings, max_people=max_people)
    card, estimator = open_estimator(settings)
    with Pipeline(source, card, estimator, settings) as pipeline:
        return [instant.tracks for instant in pipeline]


def score(truth: Sequence[Truth], tracks: Sequence[Sequence[Track]], matching: Matching = DRAWN) -> IdentityScore:
    """What became of the identities of one scene."""
    frames = (identity_frame(real, seen, matching) for real, seen in zip(truth, tracks, strict=True))
    return identity_score(frames, matching.least_overlap)


def identity_frame(truth: Truth, tracks: Sequence[Track], matching: Matching = DRAWN) -> IdentityFrame:
    """Without those who are hardly visible and the tracks on them, as the MOT challenge leaves them out."""
    ids = np.array([track.person_id for track in tracks], dtype=np.int64)
    boxes_px = np.array([track.box_px for track in tracks]).reshape(-1, 4)
    overlap = box_overlaps(_widened(truth.boxes_px, matching), _widened(boxes_px, matching))  # (A, K)
    asked = truth.visible >= _VISIBLE
    best = assigned(np.where(overlap >= matching.least_overlap, 1 - overlap, 1e6))
    free = [column for row, column in best if not asked[row]]
    counted = np.setdiff1d(np.arange(len(ids)), free)
    return IdentityFrame(np.flatnonzero(asked), ids[counted], overlap[np.ix_(asked, counted)])


def _widened(boxes_px: FloatArray, matching: Matching) -> FloatArray:
    """The boxes (B, 4), those that are too narrow for their height widened to both sides."""
    x0, y0, x1, y1 = boxes_px.T
    missing = np.maximum(matching.least_width * (y1 - y0) - (x1 - x0), 0.0) / 2
    return np.stack([x0 - missing, y0, x1 + missing, y1], axis=1)
