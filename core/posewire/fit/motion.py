"""Where the joints are expected: an alpha-beta filter on every joint, its gains from the noise that is assumed.

Prediction  p = x[t-1] + v[t-1] dt.   After the fit  v += beta / dt (x - p).
The fit plays the part of alpha: the smoothness residual weighs (1 - alpha) / alpha times the data. Steady-state Kalman gains
for white acceleration of deviation sigma_a and measurements of deviation sigma_m (Kalata 1984, "The tracking index"):
lambda = sigma_a dt^2 / sigma_m,  r = (4 + lambda - sqrt(8 lambda + lambda^2)) / 4,  alpha = 1 - r^2,
beta = 2 (2 - alpha) - 4 sqrt(1 - alpha).  They follow the time step, so that 15 and 240 frames a second behave alike.

A single view is several times noisier along the line of sight than across it, so each has its own gains, and so has the whole
body's distance. As in the One-Euro
filter (Casiez et al. 2012), what moves fast is smoothed less: sigma_a grows with the joint's speed.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from posewire.data import FloatArray
from posewire.fit.compiled import kernel

ACROSS, ALONG = 0, 1


class Motion(NamedTuple):
    """The motion of one person's joints, world axes."""

    position_m: FloatArray
    """(N, 3) at the last fit."""
    velocity_m_s: FloatArray
    """(N, 3)"""
    beta: FloatArray
    """(N, 2) gains of the frame in hand: across and along the line of sight."""
    depth_beta: FloatArray
    """(1,) the same for the whole body's distance."""


class Agility(NamedTuple):
    """What is assumed of people's motion and of the noise on it."""

    acceleration_m_s2: float
    """Deviation of a slow joint's acceleration."""
    acceleration_per_s: float
    """Its growth with the joint's speed."""
    noise_m: tuple[float, float]
    """Deviation of a joint's data from frame to frame: across and along the line of sight."""
    data_w: tuple[float, float]
    """Weight of a well seen joint's data, per m^2: across and along."""


def make_motion(joints: int) -> Motion:
    """At rest at the origin."""
    return Motion(np.zeros((joints, 3)), np.zeros((joints, 3)), np.zeros((joints, 2)), np.zeros(1))


@kernel
def gains(acceleration_m_s2: float, noise_m: float, step_s: float) -> tuple[float, float]:
    """Kalata's alpha and beta."""
    index = acceleration_m_s2 * step_s * step_s / noise_m
    r = (4.0 + index - math.sqrt(8.0 * index + index * index)) / 4.0
    alpha = 1.0 - r * r
    return alpha, 2.0 * (2.0 - alpha) - 4.0 * math.sqrt(1.0 - alpha)


@kernel
def predict(
    motion: Motion, agility: Agility, share: FloatArray, step_s: float, predicted_m: FloatArray, predicted_w: FloatArray
) -> None:
    """Places (N, 3) after `step_s` and their weights (N, 2); `share` (N,) is what a joint's data is worth."""
    for j in range(len(predicted_m)):
        v = motion.velocity_m_s[j]
        speed = math.sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2])
        acceleration = agility.acceleration_m_s2 + agility.acceleration_per_s * speed
        for way in range(2):
            alpha, beta = gains(acceleration, agility.noise_m[way], step_s)
            motion.beta[j, way] = beta
            predicted_w[j, way] = share[j] * agility.data_w[way] * (1.0 - alpha) / alpha
        for i in range(3):
            predicted_m[j, i] = motion.position_m[j, i] + v[i] * step_s


@kernel
def _along(sight: FloatArray, joint_m: FloatArray, predicted_m: FloatArray) -> float:
    return (
        sight[0] * (joint_m[0] - predicted_m[0])
        + sight[1] * (joint_m[1] - predicted_m[1])
        + sight[2] * (joint_m[2] - predicted_m[2])
    )


@kernel
def update(motion: Motion, joints_m: FloatArray, predicted_m: FloatArray, sight: FloatArray, step_s: float) -> None:
    """Takes the fitted places (N, 3) in; `sight` (3,) is the line of sight."""
    body = _along(sight, joints_m[0], predicted_m[0])
    for j in range(len(joints_m)):
        along = _along(sight, joints_m[j], predicted_m[j])
        forward = motion.beta[j, ALONG] * (along - body) + motion.depth_beta[0] * body
        for i in range(3):
            across = joints_m[j, i] - predicted_m[j, i] - along * sight[i]
            motion.velocity_m_s[j, i] += (motion.beta[j, ACROSS] * across + forward * sight[i]) / step_s
            motion.position_m[j, i] = joints_m[j, i]


@kernel
def begin(motion: Motion, joints_m: FloatArray) -> None:
    """At rest at (N, 3)."""
    motion.velocity_m_s[:] = 0.0
    for j in range(len(joints_m)):
        for i in range(3):
            motion.position_m[j, i] = joints_m[j, i]
