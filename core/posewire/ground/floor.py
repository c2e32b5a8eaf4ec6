"""Gravity and floor from feet: a robust plane through the places where feet rested.

A plane  w = a u + b v + c  over axes (u, v, w) with w along the expected up. Each foothold i says w_i with the deviation
sigma_i^2 = across^2 + (ray_i . up)^2 along^2; a and b are expected at 0 with the deviation of the expected up. What stands
clearly above the plane is a foot on a step or in the air and does not count; what lies below it speaks against the plane.
The angles' and the height's deviations are those of the weighted least squares, widened by the residuals that are left.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from posewire.data import Camera, FloatArray, read_only
from posewire.ground.footholds import footholds
from posewire.ground.world import on_floor, world_from_floor

ACROSS_M, ALONG_M = 0.02, 0.06
"""Deviation of a fitted foot point across and along the line of sight."""
ALONG_SHARE = 0.03
"""The same along it as a share of the distance: how far somebody is, his size in the picture says."""
CERTAIN_ANGLE_DEG, CERTAIN_HEIGHT_M = 2.5, 0.03
FEWEST_FOOTHOLDS = 6
MOST_BELOW = 0.15
"""Share of footholds that may lie below a certain floor."""
MOST_SURPRISE = 2.0
"""Deviations that a certain up may be away from the expected one: a stair is a fine plane, and the body says that it is none."""
_CAMERA_LEVEL_DEG = 20.0
"""Deviation of the camera's own up from the true one, when nothing else is known."""
_BODY_UPRIGHT_DEG = 8.0
"""Deviation of the mean body direction from the true up: people lean, and single views see lean badly."""
_FARTHEST_DEG = 60.0
"""A body that leans more from the camera's up than this lies or is upside down: it says nothing of gravity."""
_TRIES, _ROUNDS, _SEED = 400, 12, 7
_MOST_PLACES = 300
"""More make it slower, not better."""
_TUKEY = 3.0
"""Deviations at which a foothold stops to count."""


@dataclass(frozen=True, slots=True, eq=False)
class GroundEstimate:
    """A floor, and how well it is known."""

    T_world_camera: FloatArray
    """(4, 4) origin on the floor below the camera, +Y up, metres."""
    angle_deviation_deg: float
    """Standard deviation of the up direction."""
    height_deviation_m: float
    """Standard deviation of the floor's height below the people."""
    footholds: int
    """Places on the floor that the plane rests on."""
    below: float
    """Share of all footholds that lie clearly below it; much of it means: this is no floor."""
    surprise: float
    """Angle to the up that bodies (or else the camera) made expect, in that one's deviations."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "T_world_camera", read_only(self.T_world_camera, 4, 4))

    @property
    def certain(self) -> bool:
        """True when it is good enough to stand people on."""
        return (
            self.angle_deviation_deg <= CERTAIN_ANGLE_DEG
            and self.height_deviation_m <= CERTAIN_HEIGHT_M
            and self.footholds >= FEWEST_FOOTHOLDS
            and self.below <= MOST_BELOW
            and self.surprise <= MOST_SURPRISE
        )

    def camera(self, camera: Camera) -> Camera:
        """The camera on this floor, its origin said to be estimated."""
        return on_floor(camera, self.T_world_camera, "estimated")


def estimate_ground(feet_m: ArrayLike, time_s: ArrayLike, upright: ArrayLike | None = None) -> GroundEstimate | None:
    """The floor that feet rested on, in camera axes; None where fewer than three places say anything.

    Lengths are those of the people: with a wrong stature the direction is right and the height is wrong by the same factor.

    Args:
        feet_m: (T, F, 3) sole points (heels, toes) of any number of people, camera axes; NaN = unseen.
        time_s: (T,) ascending.
        upright: (T, 3) or (T, P, 3) direction of the bodies, feet to head, camera axes; NaN = unseen.
    """
    places = footholds(np.asarray(feet_m, dtype=np.float64), np.asarray(time_s, dtype=np.float64))
    if len(places) < 3:
        return None
    places = places[:: math.ceil(len(places) / _MOST_PLACES)]
    up, deviation_rad = _expected_up(upright)
    first = _best_candidate(places, up, deviation_rad)
    return _refined(places, first, up, deviation_rad)


def _expected_up(upright: ArrayLike | None) -> tuple[FloatArray, float]:
    """Up (3,) in camera axes before any foot is asked, and its deviation in radians."""
    camera_up = np.array([0.0, -1.0, 0.0])
    if upright is not None:
        directions = np.asarray(upright, dtype=np.float64).reshape(-1, 3)
        directions = directions[np.isfinite(directions).all(axis=1)]
        directions = directions / np.maximum(np.linalg.norm(directions, axis=1, keepdims=True), 1e-9)
        directions = directions[directions @ camera_up > math.cos(math.radians(_FARTHEST_DEG))]
        if len(directions):
            mean = directions.mean(axis=0)
            length = float(np.linalg.norm(mean))
            spread_rad = math.sqrt(max(0.0, -2.0 * math.log(min(length, 1.0))))  # circular deviation (Mardia 1972)
            return mean / length, math.hypot(math.radians(_BODY_UPRIGHT_DEG), spread_rad)
    return camera_up, math.radians(_CAMERA_LEVEL_DEG)


def _best_candidate(places: FloatArray, up: FloatArray, deviation_rad: float) -> FloatArray:
    """(4,) unit normal and offset (n . x = d) of the plane, of many through three or one places, that explains most."""
    random = np.random.default_rng(_SEED)
    corners = places[random.integers(len(places), size=(_TRIES, 3))]  # (C, 3 corners, 3)
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    lengths = np.linalg.norm(normals, axis=1)
    keep = lengths > 1e-4
    normals = normals[keep] / lengths[keep, None]
    normals *= np.where(normals @ up < 0, -1.0, 1.0)[:, None]
    near = np.arccos(np.clip(normals @ up, -1.0, 1.0)) < MOST_SURPRISE * deviation_rad
    normals = np.concatenate([normals[near], np.broadcast_to(up, places.shape)])
    through = np.concatenate([corners[keep, 0][near], places])
    offsets = np.sum(normals * through, axis=1)
    z = (places @ normals.T - offsets) / _deviations_m(places, normals.T)  # (M, C)
    tilt = np.arccos(np.clip(normals @ up, -1.0, 1.0)) / deviation_rad
    score = np.sum(_weights(z), axis=0) - np.sum(z < -_TUKEY, axis=0) - 0.5 * tilt**2
    best = int(np.argmax(score))
    return np.append(normals[best], offsets[best])


def _deviations_m(places: FloatArray, normals: FloatArray) -> FloatArray:
    """Deviation of each place's height (M,) or (M, C) over planes with normals (3,) or (3, C)."""
    distance_m = np.linalg.norm(places, axis=1, keepdims=True)
    along_m = np.hypot(ALONG_M, ALONG_SHARE * distance_m)
    heights_m = (places / distance_m) @ normals * (along_m if normals.ndim == 2 else along_m[:, 0])
    return np.hypot(ACROSS_M, heights_m)


def _weights(z: FloatArray) -> FloatArray:
    """Tukey's biweight of residuals in deviations."""
    return np.clip(1.0 - (z / _TUKEY) ** 2, 0.0, 1.0) ** 2


def _refined(places: FloatArray, plane: FloatArray, up: FloatArray, deviation_rad: float) -> GroundEstimate | None:
    """Iterated weighted least squares from the first plane, the expected up being one more observation."""
    covariance, weights, z = np.eye(3), np.ones(len(places)), np.zeros(len(places))
    for _ in range(_ROUNDS):
        normal, offset = plane[:3], plane[3]
        sigma_m = _deviations_m(places, normal)
        z = (places @ normal - offset) / sigma_m
        weights = _weights(z) / sigma_m**2
        if weights.sum() <= 0.0:
            return None
        u, v = _level_axes(normal)
        centre = weights @ places / weights.sum()
        local = places - centre
        A = np.stack([local @ u, local @ v, np.ones(len(places))], axis=1)
        # The slope that the expected up would have over this plane's axes.
        expected = -np.array([up @ u, up @ v, 0.0]) / max(float(up @ normal), 0.1)
        prior = np.diag([deviation_rad**-2, deviation_rad**-2, 0.0])
        covariance = np.asarray(np.linalg.inv(A.T @ (weights[:, None] * A) + prior), dtype=np.float64)
        a, b, c = covariance @ (A.T @ (weights * (local @ normal)) + prior @ expected)
        tilted = normal - a * u - b * v
        tilted = tilted / np.linalg.norm(tilted)
        plane = np.append(tilted, tilted @ (centre + c * normal))
    surprise = math.acos(np.clip(plane[:3] @ up, -1.0, 1.0)) / deviation_rad
    return _told(plane, covariance, weights, z, surprise)


def _level_axes(normal: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Two unit axes of the plane."""
    u = np.cross(normal, [0.0, 0.0, 1.0] if abs(normal[2]) < 0.9 else [1.0, 0.0, 0.0])
    u = u / np.linalg.norm(u)
    return u, np.cross(normal, u)


def _told(plane: FloatArray, covariance: FloatArray, weights: FloatArray, z: FloatArray, surprise: float) -> GroundEstimate:
    counted = weights > 0
    left = max(1.0, float(np.mean(z[counted] ** 2)))
    angle_rad = math.sqrt(left * float(np.linalg.eigvalsh(covariance[:2, :2])[-1]))
    return GroundEstimate(
        world_from_floor(plane[:3], plane[3] * plane[:3]),  # d n is the floor's point nearest to the camera: below it
        math.degrees(angle_rad),
        math.sqrt(left * covariance[2, 2]),
        int(counted.sum()),
        float(np.mean(z < -_TUKEY)),
        surprise,
    )
