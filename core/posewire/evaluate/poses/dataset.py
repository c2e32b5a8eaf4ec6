"""A dataset's sequences: its true 2D through a lifter, or its pictures through a method, with a lifter behind it or not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from posewire import capture
from posewire.asking import estimate, restart
from posewire.data import Camera, Detections, FloatArray, Frame, ImageArray, Track
from posewire.errors import SourceError
from posewire.evaluate.poses.samples import PoseSamples, joined
from posewire.image_file import read_image
from posewire.lift import LiftStage
from posewire.methods import Estimator, Lifter, MethodCard, SourceOptions
from posewire.metrics import match_people, seen_points
from posewire_data.joints import JOINTS, ROOT, root_relative, with_middles
from posewire_data.sequences import Sequence

_GATE = 0.5
"""A prediction farther from a person than this share of the person's size is of somebody else."""
_CONFIDENT = 1.0
_Value = TypeVar("_Value", bound=np.generic)
Said = tuple[FloatArray, FloatArray]
"""What was said of the P people of a picture: (P, 17, 3) root-relative metres and (P, 17, 2) pixels; NaN = missing."""


def evaluate_sequences(sequences: Iterable[Sequence], say: Callable[[Sequence], Iterable[Said]], most_frames: int) -> PoseSamples:
    """Scores at most `most_frames` pictures of each sequence; `say` comes from `by_lifter` or `by_method`."""
    return joined([_samples(one, list(islice(say(one), most_frames))) for one in sequences])


def by_lifter(lifter: Lifter, card: MethodCard) -> Callable[[Sequence], Iterator[Said]]:
    """Shows a lifter the true 2D of what can be seen, person by person."""

    def say(sequence: Sequence) -> Iterator[Said]:
        stage = LiftStage(lifter, card, JOINTS)
        for row in range(len(sequence)):
            shown_px = np.where(sequence.visible[row][..., None], sequence.points_px[row], np.nan)
            confidence = np.where(np.isfinite(shown_px).all(axis=-1), _CONFIDENT, 0.0)
            tracks = [Track(p, shown_px[p], confidence[p], np.full(4, np.nan)) for p in range(len(shown_px))]
            time_s = row / sequence.rate_hz
            lifted = [stage.lift(track, time_s, sequence.camera).keypoints_m for track in tracks]
            yield np.stack([np.full((len(JOINTS), 3), np.nan) if one is None else one for one in lifted]), shown_px

    return say


def by_method(estimator: Estimator, card: MethodCard, lift: LiftStage | None) -> Callable[[Sequence], Iterator[Said]]:
    """Shows a method the pictures. Who is who is taken from the annotation: identities are another matter."""
    columns = [(j, card.joints.index(name)) for j, name in enumerate(JOINTS) if name in card.joints]

    def say(sequence: Sequence) -> Iterator[Said]:
        restart(estimator, card)
        if lift is not None:
            lift.reset()
        for row, frame in enumerate(_frames(sequence)):
            yield _found(estimate(estimator, card, frame), columns, frame, lift, sequence.points_px[row])

    return say


def _found(found: Detections, columns: list[tuple[int, int]], frame: Frame, lift: LiftStage | None, true_px: FloatArray) -> Said:
    """The annotated people, as far as they were found."""
    ours, theirs = (np.array(side) for side in zip(*columns, strict=True))
    points_px = np.full((found.people, len(JOINTS), 2), np.nan)
    points_px[:, ours] = found.keypoints_px[:, theirs]
    people = _people(points_px, true_px)
    said_m, said_px = np.full((len(true_px), len(JOINTS), 3), np.nan), np.full((len(true_px), len(JOINTS), 2), np.nan)
    for person, row in enumerate(people):
        if row < 0:
            continue
        said_px[person] = points_px[row]
        keypoints_m = None if found.keypoints_m is None else found.keypoints_m[row]
        track = Track(person, found.keypoints_px[row], found.confidence[row], found.boxes_px[row], keypoints_m)
        if lift is not None:
            track = lift.lift(track, frame.time_s, frame.camera)
        if track.keypoints_m is not None:
            said_m[person, ours] = track.keypoints_m[theirs]
    return said_m, said_px


def _people(points_px: FloatArray, true_px: FloatArray) -> list[int]:
    """For each annotated person the row of the prediction, or -1."""
    seen = np.isfinite(true_px)
    sides = np.where(seen, true_px, -np.inf).max(axis=(1, 2)) - np.where(seen, true_px, np.inf).min(axis=(1, 2))
    gate_px = _GATE * float(np.max(sides, initial=0.0, where=np.isfinite(sides)))
    return match_people(points_px, true_px, gate_px).tolist()


def _frames(sequence: Sequence) -> Iterator[Frame]:
    """The pictures of the annotated rows."""
    if sequence.pictures:
        for row, path in enumerate(sequence.pictures):
            yield _frame(read_image(path, hint="unpack the dataset's pictures, renaming nothing"), row, sequence)
        return
    if sequence.video is None:
        raise SourceError(f"The pictures of {sequence.name} are not there.", hint="docs/DATA.md shows where they must lie")
    source = capture.open_source(str(sequence.video), SourceOptions())
    rows = {number: row for row, number in enumerate(sequence.frames)}
    try:
        for number, frame in enumerate(source):
            if number in rows:
                yield _frame(frame.image, rows[number], sequence)
    finally:
        source.close()


def _frame(image: ImageArray, row: int, sequence: Sequence) -> Frame:
    height_px, width_px = image.shape[:2]
    camera = Camera(width_px, height_px, sequence.camera.K, sequence.camera.distortion)
    return Frame(image, row / sequence.rate_hz, row, camera)


def _by_person(values: NDArray[_Value]) -> NDArray[_Value]:
    """(F, P, ...) to (P * F, ...)."""
    return np.swapaxes(values, 0, 1).reshape(-1, *values.shape[2:])


def _samples(sequence: Sequence, said: list[Said]) -> PoseSamples:
    """People one after another, each a stretch."""
    frames, people = len(said), sequence.positions_m.shape[1]
    said_m = np.stack([one[0] for one in said], axis=1).reshape(-1, len(JOINTS), 3)  # (P * F, 17, 3)
    said_px = np.stack([one[1] for one in said], axis=1).reshape(-1, len(JOINTS), 2)
    positions_m = _by_person(sequence.positions_m[:frames])
    annotated = np.asarray(seen_points(positions_m).any(axis=1), dtype=np.bool_)
    samples = PoseSamples(
        said_m=np.asarray(root_relative(with_middles(said_m)), dtype=np.float64),
        true_m=np.asarray(root_relative(positions_m), dtype=np.float64),
        root_m=np.asarray(positions_m[:, ROOT], dtype=np.float64),
        R_world_camera=np.full((people * frames, 3, 3), np.nan),
        time_s=np.tile(np.arange(frames) / sequence.rate_hz, people),
        stretches=np.repeat(np.arange(people), frames),
        sequences=np.full(people * frames, sequence.name),
        activities=np.tile(np.array(sequence.activities[:frames]), people),
        seen=_by_person(sequence.visible[:frames]),
        matched=np.asarray(np.isfinite(said_px).any(axis=(1, 2)), dtype=np.bool_),
        said_px=said_px,
        true_px=_by_person(sequence.points_px[:frames]),
    )
    return samples.only(annotated)
