"""Feet that rest on a known floor show how far away somebody is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import cast

import actor
import numba
import numpy as np
import pytest
import stepper

from posewire.data import Camera, FloatArray, Track
from posewire.fit import FitSettings, Fitter
from posewire.fit.body import make_body
from posewire.fit.contacts import FEET
from posewire.fit.floor import lean_on_floor
from posewire.fit.targets import Targets, make_targets
from posewire.ground import on_floor
from posewire.skeleton import MARKERS, REFERENCE

TIME_S = np.arange(0.0, stepper.END_S, 1.0 / 30.0)
_EYE_M = np.array([0.1, 2.4, 0.0])


def _from_above() -> Camera:
    """A calibrated camera that looks down at the stepper, whose floor is at y = 0."""
    ahead = np.array([0.1, 0.9, -3.5]) - _EYE_M
    ahead /= np.linalg.norm(ahead)
    right = np.array([1.0, 0.0, 0.0])
    T = np.eye(4)
    T[:3, :3], T[:3, 3] = np.stack([right, np.cross(ahead, right), ahead], axis=1), _EYE_M
    return on_floor(actor.VIEW, T, "calibrated")


VIEW = _from_above()


def _keypoints_m(floor_m: float = 0.0) -> FloatArray:
    """The stepper, standing that high above y = 0."""
    keypoints = stepper.keypoints_m(TIME_S)
    return np.add(keypoints, [0.0, floor_m - keypoints[0, :, 1].min(), 0.0])


def _breathing(rows: list[Track]) -> list[Track]:
    """Pictures in which the person's size goes up and down by 4 % in two seconds, as a method says it."""
    scales = 1.0 + 0.04 * np.sin(np.pi * TIME_S)
    middles = [row.keypoints_px.mean(axis=0) for row in rows]
    return [
        replace(row, keypoints_px=c + s * (row.keypoints_px - c))
        for row, c, s in zip(rows, middles, scales.tolist(), strict=True)
    ]


def _heights_m(settings: FitSettings, floor_m: float = 0.0) -> FloatArray:
    """(T,) of the right toe, which never moves."""
    rows = _breathing(actor.tracks(_keypoints_m(floor_m), camera=VIEW))
    joints = actor.fitted(rows, TIME_S, Fitter(actor.NAMES, settings), VIEW)
    return joints[:, REFERENCE.index("right_toe"), 1]


def test_a_person_whose_size_is_uncertain_floats_half_as_much() -> None:
    held, free = (_heights_m(FitSettings(height_m=1.70, use_floor=use))[15:] for use in (True, False))
    assert free.std() > 0.03
    assert held.std() < 0.6 * free.std()


def test_a_person_on_a_box_is_not_pulled_through_it() -> None:
    held = _heights_m(FitSettings(height_m=1.70), floor_m=0.6)[15:]
    assert held.mean() == pytest.approx(0.6, abs=0.05)


def _through_numba(probability: FloatArray, weight: float, targets: Targets) -> None:
    lean_on_floor(probability, weight, targets)


# kernels have no door to Python
_leant = cast("Callable[[FloatArray, float, Targets], None]", numba.njit(_through_numba))


def _depth(height_m: float, probability: float, weight: float = 1e9) -> tuple[float, float]:
    """Distance and weight that feet of this height ask for, where nothing is known of the distance but 3.5 m."""
    targets = make_targets(make_body(REFERENCE, tuple(MARKERS.values())))
    targets.T_camera_world[:] = np.linalg.inv(VIEW.T_world_camera)
    targets.depth[:] = 3.5, 1.0
    for joint in FEET:
        targets.predicted_m[joint] = 0.1, height_m, -3.5
    _leant(np.full(4, probability), weight, targets)
    return float(targets.depth[0]), float(targets.depth[1])


@pytest.mark.parametrize("height_m", [0.05, -0.05])
def test_the_distance_asked_for_is_where_the_ray_through_the_foot_meets_the_floor(height_m: float) -> None:
    foot = np.array([0.1, height_m, -3.5])
    met = _EYE_M + (foot - _EYE_M) * _EYE_M[1] / (_EYE_M[1] - height_m)
    axis = VIEW.T_world_camera[:3, 2]
    assert _depth(height_m, 1.0)[0] - 3.5 == pytest.approx(float((met - foot) @ axis), rel=1e-3)


def test_a_foot_in_the_air_or_unknown_says_nothing_unless_it_is_below_the_floor() -> None:
    assert _depth(0.05, 0.2) == (3.5, 1.0)
    assert _depth(0.05, np.nan) == (3.5, 1.0)
    assert _depth(-0.05, np.nan)[0] < 3.5


def test_a_camera_on_the_floor_cannot_tell() -> None:
    assert _depth(_EYE_M[1] - 0.1, 1.0) == (3.5, 1.0)
