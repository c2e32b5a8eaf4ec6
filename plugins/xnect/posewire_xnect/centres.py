"""Whose peaks are whose, where a trunk says it itself: MoveNet's centres of people reach for their joints. Numpy only.

MoveNet MultiPose finds people as points (Zhou et al. 2019, "Objects as points", section 4.2): a heatmap of centres, and at each
centre where that person's joints lie, roughly. It learned that on many real pictures, which rendered people do not replace: on
Leeds Sports Pictures 601 to 750 it is worth 8 points of PCK@0.2 beside growth from the neck alone (docs/XNECT.md).
Shapes: C centres, J joints, K candidates a joint.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from posewire_xnect.skeleton import J
from posewire_xnect.targets import BoolArray, FloatArray

REACH = 0.5
"""How far a peak may lie from where its joint is guessed, in spreads of the guessed person (deviation of a Gaussian),"""
CLAIMED = 0.1
"""and the least that is left of its height."""
JOINTS_TO_BEGIN = 4
"""Peaks that somebody needs to begin."""
SAME = 0.5
"""Two centres are one person's if their guesses are nearer on average than this share of the spread."""


@dataclass(frozen=True, slots=True, eq=False)
class Centres:
    """Where somebody seems to be, in any order."""

    scores: FloatArray
    """(C,) 0 = nobody."""
    points: FloatArray
    """(C, J, 2) cells: roughly where their joints are."""


def claimed(points: FloatArray, scores: FloatArray, centres: Centres) -> NDArray[np.int64]:
    """(P, J) number of the peak of each joint of whoever has a centre, -1 = none. The surest choose first.

    Args:
        points: (J, K, 2) peaks, cells.
        scores: (J, K) their heights, 0 = no peak.
        centres: Of the same picture.
    """
    spread = _spreads(centres.points)
    free, people, begun = scores.copy(), list[NDArray[np.int64]](), list[int]()
    for centre in np.argsort(-centres.scores, kind="stable").tolist():
        guess = centres.points[centre]
        if centres.scores[centre] <= 0 or _is_one_of(guess, centres.points[begun], float(spread[centre])):
            continue
        away = np.linalg.norm(points - guess[:, None], axis=-1) / spread[centre]
        worth = free * np.exp(-0.5 * (away / REACH) ** 2)
        best = worth.argmax(axis=1)
        taken: BoolArray = worth[np.arange(J), best] > CLAIMED
        if np.count_nonzero(taken) >= JOINTS_TO_BEGIN:
            begun.append(centre)
            people.append(np.where(taken, best, -1))
            free[taken, best[taken]] = 0.0
    return np.array(people, np.int64).reshape(-1, J)


def _spreads(points: FloatArray) -> FloatArray:
    """(C,) root mean square distance from the middle, at least a cell."""
    off = points - points.mean(axis=1, keepdims=True)
    return np.maximum(np.sqrt((off**2).sum(axis=-1).mean(axis=1)), 1.0)


def _is_one_of(guess: FloatArray, others: FloatArray, spread: float) -> bool:
    return bool((np.linalg.norm(others - guess, axis=-1).mean(axis=1) < SAME * spread).any())
