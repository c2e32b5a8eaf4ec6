"""What one or several sights of the same person say together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from posewire.data import Camera, FloatArray
from posewire_vnect.names import JOINTS
from posewire_vnect.sight import Sight, in_patch

UNSEEN_CONFIDENCE = 0.05
"""A heatmap whose maximum is lower shows nothing: the joint is unseen."""
LEAST_SEEN = 4
"""Fewer joints are nobody."""
_LEAST_TRUNK = 0.12
"""Of the window's side: a trunk that points at the camera says nothing about how the person is turned."""
_HIPS = [JOINTS.index("left_hip"), JOINTS.index("right_hip")]
_SHOULDERS = [JOINTS.index("left_shoulder"), JOINTS.index("right_shoulder")]
_AGREE = 0.06
"""Two sights that put a joint further apart than this share of the window see two things: the surer one counts."""


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """One person in one frame."""

    points_px: FloatArray
    """(J, 2) NaN = unseen."""
    confidence: FloatArray
    """(J,) 0 = unseen."""
    sights: tuple[Sight, ...]

    @property
    def score(self) -> float:
        """0..1: how much of a person there is, and how surely."""
        return float(self.confidence.mean())

    @property
    def turn_rad(self) -> float:
        """How the window was turned in which the person was seen."""
        return self.sights[0].window.turn_rad

    @property
    def body_turn_rad(self) -> float:
        """How the trunk is turned in the picture, clockwise; as the window where the trunk is unseen or short."""
        hips, shoulders = self.points_px[_HIPS].mean(axis=0), self.points_px[_SHOULDERS].mean(axis=0)
        up = shoulders - hips
        if not np.hypot(*up) > _LEAST_TRUNK * self.sights[0].window.side_px:  # also where it is NaN
            return self.turn_rad
        return math.atan2(up[0], -up[1])

    @property
    def there(self) -> bool:
        """Whether enough was seen to have a box."""
        seen_px = self.points_px[self.confidence > 0]
        return len(seen_px) >= LEAST_SEEN and bool((np.ptp(seen_px, axis=0) > 0).all())

    def points_m(self, at_px: FloatArray, camera: Camera) -> FloatArray:
        """(J, 3) camera axes: the location maps at points (J, 2) of the picture, mean of the sights whose patch has the point.

        Where none has it, all patches' edges count. NaN = unseen.
        """
        each_m = np.stack([sight.points_m(at_px, camera) for sight in self.sights])  # (S, J, 3)
        worth = np.stack([in_patch(sight, at_px) * sight.confidence for sight in self.sights])  # (S, J)
        worth = worth + 1e-6
        mean_m = (each_m * (worth / worth.sum(axis=0))[..., None]).sum(axis=0)
        return np.where((self.confidence > 0)[:, None], mean_m, np.nan)


def seen_in(sights: Sequence[Sight]) -> Person:
    """The person whom windows around the same place show: positions weighted by confidence, mean confidence."""
    points_px = np.stack([sight.peaks_px for sight in sights])  # (S, J, 2)
    confidence = np.clip(np.stack([sight.confidence for sight in sights]), 0.0, 1.0)
    mean = confidence.mean(axis=0)
    best = confidence.argmax(axis=0)
    surest_px = np.take_along_axis(points_px, best[None, :, None], axis=0)  # (1, J, 2)
    gate_px = _AGREE * min(sight.window.side_px for sight in sights)
    agree = np.linalg.norm(points_px - surest_px, axis=-1) <= gate_px  # (S, J)
    weight = np.where(agree, np.maximum(confidence, 1e-6), 0.0)
    merged_px = (points_px * weight[..., None]).sum(axis=0) / weight.sum(axis=0)[:, None]
    seen = mean >= UNSEEN_CONFIDENCE
    return Person(np.where(seen[:, None], merged_px, np.nan), np.where(seen, mean, 0.0), tuple(sights))
