"""overhead: time a frame outside the network (tracking, fit, packing), for one person and for ten; the peer is the network."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

import numpy as np

from posewire import fit, wire
from posewire.bench.clip import bundled_frames
from posewire.bench.row import BenchRow, Peers
from posewire.data import Detections, Frame
from posewire.people import People
from posewire.pipeline import open_estimator
from posewire.settings import Settings
from posewire.tracking import Tracker, TrackSettings

_FRAMES = 60
_WARM_UP = 10


def run(peers: Peers) -> list[BenchRow]:
    """Everything after the network, against the network itself, on the bundled clip; copies of the person make ten."""
    fit.warm_up()
    frames = bundled_frames(_FRAMES)
    card, estimator = open_estimator(Settings())
    detections, network_ms = _seen(estimator.estimate, frames)
    estimator.close()
    rows: list[BenchRow] = []
    for people, workload in ((1, "1 person"), (10, "10 people")):
        after_ms = _after_network_ms(card.joints, people, frames, [_copies(found, people) for found in detections])
        peer = "blazepose's estimate() for one person"
        rows.append(BenchRow.against("overhead", workload, peer, "ms per frame", after_ms, network_ms))
    return rows


def _seen(estimate: Callable[[Frame], Detections], frames: list[Frame]) -> tuple[list[Detections], float]:
    found: list[Detections] = []
    times: list[float] = []
    for frame in frames:
        start = perf_counter()
        found.append(estimate(frame))
        times.append(perf_counter() - start)
    return found, 1e3 * float(np.median(times[_WARM_UP:]))


def _copies(found: Detections, people: int) -> Detections:
    """The same person several times, side by side, 400 px apart."""
    shift = 400.0 * np.arange(people)
    keypoints_m = None if found.keypoints_m is None else np.repeat(found.keypoints_m[:1], people, axis=0)
    keypoints_px = np.repeat(found.keypoints_px[:1], people, axis=0) + np.stack([shift, 0 * shift], axis=-1)[:, None]
    boxes_px = np.repeat(found.boxes_px[:1], people, axis=0) + np.stack([shift, 0 * shift, shift, 0 * shift], axis=-1)
    return Detections(keypoints_px, np.repeat(found.confidence[:1], people, axis=0), boxes_px, keypoints_m)


def _after_network_ms(joints: tuple[str, ...], people: int, frames: list[Frame], detections: list[Detections]) -> float:
    tracker, everybody = Tracker(joints, TrackSettings(max_people=people)), People(joints, Settings(max_people=people))
    times: list[float] = []
    for sequence, (frame, found) in enumerate(zip(frames, detections, strict=True)):
        start = perf_counter()
        placed = everybody.place(frame)
        poses = everybody.fit(tracker.update(found, placed), placed)
        instant = wire.Instant(frame.time_s, 0, placed.camera, list(poses), everybody.skeletons)
        for message in wire.poses_of(instant, "bench", sequence, 0):
            wire.encode(message)
        times.append(perf_counter() - start)
    return 1e3 * float(np.median(times[_WARM_UP:]))
