"""The floor under the people: where it is, what it makes of a camera, and a person's stature from it.

Upstream of the fit: it reads poses and keypoints as arrays, so that a live run, a take and a test ask the same functions.
"""

from __future__ import annotations

from posewire.ground.finder import GroundFinder, StatureFinder
from posewire.ground.floor import GroundEstimate, estimate_ground
from posewire.ground.standing import Standing
from posewire.ground.stature import Stature, billboard_stature_m, height_from_ground
from posewire.ground.world import on_floor, world_from_floor

__all__ = [
    "GroundEstimate",
    "GroundFinder",
    "Standing",
    "Stature",
    "StatureFinder",
    "billboard_stature_m",
    "estimate_ground",
    "height_from_ground",
    "on_floor",
    "world_from_floor",
]
