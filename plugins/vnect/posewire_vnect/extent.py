"""Where the whole body is, also the part that the picture cuts off or that nobody sees: what the next window has to hold.

The network was trained on whole people. Of somebody whom a webcam shows from head to hips, the maxima of the leg joints are
noise: a window around them is as large as the upper body, which then looks twice as large as the network has learned. So where
no ankle is surely seen, the feet are thought where a standing person's would be:

    feet = hips + LEGS * l * d,    l = max(|hips - shoulders|, TRUNK * |left - right shoulder|),    d = unit(hips - shoulders)

d is the body's own direction, so somebody who lies or stands on the head has the feet elsewhere in the picture; no trunk counts
as longer than LONGEST_TRUNK. Of somebody who kneels on hidden feet the window merely becomes looser.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from posewire.data import FloatArray
from posewire_vnect.names import JOINTS
from posewire_vnect.person import Person

SURE_CONFIDENCE = 0.25
"""A leg joint that is cut off has a maximum of 0.05 to 0.2 somewhere. (0.18 and 0.35 do as well on cut films.)"""
LEGS = 1.6
"""Hips to ankles, of the trunk."""
TRUNK = 1.2
"""Shoulders to hips, of the shoulders' width: a trunk that points at the camera, or whose hips nobody sees, is so long."""
LONGEST_TRUNK = 1.0
"""Of the picture's longer side: windows stay bounded, whatever the network says of a face that fills the picture."""
_SHOULDERS = [JOINTS.index("left_shoulder"), JOINTS.index("right_shoulder")]
_HIPS = [JOINTS.index("left_hip"), JOINTS.index("right_hip")]
_ANKLES = [JOINTS.index("left_ankle"), JOINTS.index("right_ankle")]
_OF_LEGS = np.array([name.endswith(("_knee", "_ankle", "_toe")) for name in JOINTS])


def whole_body(person: Person, size_px: tuple[int, int]) -> FloatArray:
    """(J, 2) points whose bounds are those of the whole body, in a picture of this width and height; NaN = nothing.

    The person's own where an ankle is surely seen, or where no shoulders are; else without unsure leg joints, and with the
    ankles where a standing person's would be, also outside the picture.
    """
    sure = _sure(person, size_px)
    feet_px = _standing_feet(person, LONGEST_TRUNK * max(size_px))
    if sure[_ANKLES].any() or not np.isfinite(feet_px).all():
        return person.points_px
    points_px = np.where((sure | ~_OF_LEGS)[:, None], person.points_px, np.nan)
    points_px[_ANKLES] = feet_px
    return points_px


def _sure(person: Person, size_px: tuple[int, int]) -> NDArray[np.bool_]:
    """(J,) whether joints are surely seen; outside the picture nothing is."""
    inside = ((person.points_px >= 0) & (person.points_px <= np.array(size_px) - 1)).all(axis=1)  # False for NaN
    return inside & (person.confidence >= SURE_CONFIDENCE)


def _standing_feet(person: Person, longest_px: float) -> FloatArray:
    """(2,) between the ankles, for a trunk of at most `longest_px`; NaN where the shoulders are unseen."""
    left_px, right_px = person.points_px[_SHOULDERS]
    shoulders_px, least_px = 0.5 * (left_px + right_px), TRUNK * float(np.hypot(*(left_px - right_px)))
    trunk_px = person.points_px[_HIPS].mean(axis=0) - shoulders_px
    length_px = float(np.hypot(*trunk_px))
    if length_px > 0:
        down = trunk_px / length_px
    else:  # also where the hips are unseen
        down, length_px = _down(person), least_px
    legs_px = LEGS * min(max(length_px, least_px), longest_px)
    return shoulders_px + (min(length_px, longest_px) + legs_px) * down


def _down(person: Person) -> FloatArray:
    """(2,) from head to feet in the window in which the person was seen, length 1."""
    return np.array([-math.sin(person.turn_rad), math.cos(person.turn_rad)])
