"""A motion that everybody can compute: joint angles that swing smoothly inside their limits, the root on a walk."""

from __future__ import annotations

from typing import Any

import numpy as np

from posewire.data import SkeletonPose
from posewire.skeleton import REFERENCE, Skeleton

PERIOD = 240
"""Instants after which the motion begins again."""


def pose(person: int, number: int, skeleton: Skeleton = REFERENCE) -> SkeletonPose:
    """Instant `number` of a person."""
    rng = np.random.default_rng((11, person))
    lower, upper = skeleton.limits_rad.T
    phase = 2 * np.pi * (number % PERIOD) / PERIOD
    swing = np.sin(phase * rng.integers(1, 4, len(lower)) + rng.uniform(0, 6, len(lower)))
    angles = 0.5 * (lower + upper) + 0.3 * (upper - lower) * swing
    root_wxyz = np.array([np.cos(phase / 2), 0.0, np.sin(phase / 2), 0.0])
    root_m = np.array([person + 0.5 * np.sin(phase), 0.95 + 0.05 * np.sin(2 * phase), -2.0 + 0.5 * np.cos(phase)])
    rotations = skeleton.joint_rotations(angles, root_wxyz)
    values: dict[str, Any] = {
        "person_id": person,
        "time_s": 0.0,
        "root_m": root_m,
        "angles_rad": angles,
        "rotations_wxyz": rotations,
        "positions_m": skeleton.positions_m(root_m, rotations),
        "confidence": np.full(len(skeleton.names), 0.9),
        "contacts": (np.sin(phase + np.arange(4)) > 0).astype(float),
    }
    return SkeletonPose(**values)
