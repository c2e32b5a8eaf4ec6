"""A made-up person who stands, lifts the left leg, holds it up and puts it down again; the right foot never moves."""

from __future__ import annotations

import actor
import numpy as np
from numpy.typing import NDArray

from posewire import rotation, skeleton
from posewire.data import FloatArray
from posewire.skeleton import MARKERS

UP_S, HELD_S, DOWN_S, END_S = 1.0, 1.5, 2.5, 4.0
"""The leg starts to go up, is up, starts to go down half a second before it is down again, and the end."""
_TAKES_S = 0.5
_PERSON = skeleton.REFERENCE


def _lifted(time_s: FloatArray) -> FloatArray:
    """(T,) 0 on the ground, 1 up."""
    up, down = np.clip((time_s - UP_S) / _TAKES_S, 0, 1), np.clip((time_s - DOWN_S) / _TAKES_S, 0, 1)
    return 0.5 * (1 - np.cos(np.pi * up)) - 0.5 * (1 - np.cos(np.pi * down))


def stands(time_s: FloatArray) -> NDArray[np.bool_]:
    """(T,) both feet have been on the ground for a moment."""
    return (time_s < UP_S) | (time_s > DOWN_S + _TAKES_S + 0.25)


def moves(time_s: FloatArray) -> NDArray[np.bool_]:
    """(T,) the left foot is on its way."""
    way = 0.15 * _TAKES_S
    return ((time_s > UP_S + way) & (time_s < HELD_S - way)) | ((time_s > DOWN_S + way) & (time_s < DOWN_S + _TAKES_S - way))


def holds_up(time_s: FloatArray) -> NDArray[np.bool_]:
    """(T,) the left foot is still in the air."""
    return (time_s > HELD_S + 0.25) & (time_s < DOWN_S)


def keypoints_m(time_s: FloatArray, yaw_rad: float = 0.6) -> FloatArray:
    """(T, J, 3) of actor.NAMES, world axes, 3.5 m before the camera."""
    angles = np.zeros((len(time_s), len(_PERSON.dofs)))
    for name, high_deg in (("left_hip_flexion", -70.0), ("left_knee_flexion", 80.0)):
        angles[:, _PERSON.dof_names.index(name)] = np.radians(high_deg) * _lifted(time_s)
    local = _PERSON.joint_rotations(angles, np.broadcast_to(rotation.exp([0.0, yaw_rad, 0.0]), (len(time_s), 4)))
    joints = _PERSON.positions_m(np.broadcast_to([0.1, 0.0, -3.5], (len(time_s), 3)), local)
    at = [_PERSON.index(MARKERS[name].joint) for name in actor.NAMES]
    offsets = np.array([MARKERS[name].offset_m for name in actor.NAMES])
    return joints[:, at] + rotation.rotate(_PERSON.world_rotations(local)[:, at], offsets)
