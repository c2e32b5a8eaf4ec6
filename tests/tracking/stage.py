"""Drawn figures of known identity, a method that sees them, and a stage that plays them through the tracker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from posewire import camera
from posewire.data import Detections, Frame, Track
from posewire.tracking import Tracker, TrackSettings, appearance

NAMES = tuple(f"{side}_{joint}" for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle") for side in ("left", "right"))
WIDTH, HEIGHT, FPS = 640, 360, 30.0
RED, BLUE, GREEN = (200, 30, 30), (30, 40, 200), (40, 160, 40)
DARK_RED, ORANGE = (150, 25, 40), (200, 60, 30)

_LEFT_PX = {"shoulder": (20, 40), "elbow": (32, 75), "wrist": (36, 105), "hip": (14, 110), "knee": (16, 160), "ankle": (16, 205)}
_SIGNS = np.array([[1.0 if name.startswith("left") else -1.0, 1.0] for name in NAMES])
SHAPE_PX = np.array([_LEFT_PX[name.split("_")[1]] for name in NAMES]) * _SIGNS
GRAIN = np.random.default_rng(5).normal(0, 6, (HEIGHT, WIDTH, 3)).astype(np.int16)

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Figure:
    """A person in an overall of one colour; (x, y) is the top of the head."""

    x: float
    y: float
    shirt: Colour
    seen: bool = True
    """False: drawn, but the method misses the person."""
    tall: float = 1.0
    """Scale of the body."""

    @property
    def keypoints_px(self) -> np.ndarray:
        return self.tall * SHAPE_PX + np.array([self.x, self.y])


def draw(figures: Sequence[Figure], noise: np.random.Generator) -> np.ndarray:
    """Later figures stand in front of earlier ones; the background and every pixel are noisy."""
    image = np.full((HEIGHT, WIDTH, 3), (110, 120, 100), np.uint8)
    for figure in figures:
        corners = figure.keypoints_px[[NAMES.index(name) for name in appearance.TORSO_NAMES]]
        cv2.fillConvexPoly(image, corners.round().astype(np.int32), figure.shirt)
        for leg in appearance.LEG_NAMES:
            line = figure.keypoints_px[[NAMES.index(name) for name in leg]].round().astype(np.int32)
            cv2.polylines(image, [line], isClosed=False, color=figure.shirt, thickness=max(1, round(16 * figure.tall)))
    grain = np.roll(GRAIN, noise.integers(WIDTH), axis=1)
    return np.clip(image + grain, 0, 255).astype(np.uint8)


def detect(figures: Sequence[Figure], noise: np.random.Generator, confidence: float = 0.9) -> Detections:
    """The seen figures in random order, 2 px noise."""
    seen = [figure for figure in figures if figure.seen]
    shapes = [seen[i].keypoints_px for i in noise.permutation(len(seen))]
    keypoints = np.array(shapes).reshape(-1, len(NAMES), 2)
    keypoints = keypoints + noise.normal(0, 2, keypoints.shape)
    boxes = np.concatenate([keypoints.min(axis=1), keypoints.max(axis=1)], axis=1) if seen else np.empty((0, 4))
    return Detections(keypoints, np.full(keypoints.shape[:2], confidence), boxes)


class Stage:
    """Plays figures through a tracker at 30 frames a second."""

    def __init__(self, people: int, **values: float) -> None:
        self.tracker = Tracker(NAMES, TrackSettings(max_people=people, **values))  # pyright: ignore[reportArgumentType]
        self.noise = np.random.default_rng(7)
        self.time_s = 0.0
        self.index = 0

    def show(self, *figures: Figure, confidence: float = 0.9) -> list[Track]:
        image, detections = draw(figures, self.noise), detect(figures, self.noise, confidence)
        frame = Frame(image, self.time_s, self.index, camera.assumed(WIDTH, HEIGHT))
        self.time_s, self.index = self.time_s + 1 / FPS, self.index + 1
        return self.tracker.update(detections, frame)

    def who_is_at(self, tracks: list[Track], figure: Figure) -> int | None:
        """The id of the track that lies nearest to a figure, if within 15 px."""
        distances = {t.person_id: float(np.linalg.norm(t.keypoints_px - figure.keypoints_px, axis=1).mean()) for t in tracks}
        nearest = min(distances, key=distances.__getitem__, default=None)
        return nearest if nearest is not None and distances[nearest] < 15 else None
