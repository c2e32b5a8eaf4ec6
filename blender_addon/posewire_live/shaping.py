# SPDX-License-Identifier: GPL-3.0-or-later
"""What an artist may ask of the motion before it reaches the bones: mirror, root motion, ground offset, smoothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import rotation
from .protocol import Skeleton

FULL, HORIZONTAL, IN_PLACE = "FULL", "HORIZONTAL", "IN_PLACE"
NOTHING, FEET, ALL = "NOTHING", "FEET", "ALL"
_MIRROR_ROTATION = np.array([1.0, 1.0, -1.0, -1.0])
_MIRROR_POSITION = np.array([-1.0, 1.0, 1.0])
_LONG_GAP_S = 0.5
"""After such a gap the motion starts anew instead of gliding to where it is."""


@dataclass(frozen=True)
class Shape:
    """The choices for one character."""

    mirror: bool = False
    root_motion: str = FULL
    """FULL; HORIZONTAL: the hips stay at their rest height; IN_PLACE: they stay where they are over the ground."""
    ground_offset_m: float = 0.0
    """Added to the height."""
    reach: str = NOTHING
    """FEET: the feet come to where the person's are, whatever the legs' proportions; ALL: the hands too."""
    foot_lock: bool = False
    """A foot that touches the ground stays where it came down; implies FEET."""
    smoothing_s: float = 0.0
    """Time constant of an exponential average; 0 = as the stream is, which the engine has filtered already."""


class Shaper:
    """Applies a Shape to a person's poses, in the order of their time."""

    def __init__(self, skeleton: Skeleton, shape: Shape) -> None:
        self.shape = shape
        self._swap = np.array([skeleton.names.index(_other_side(name, skeleton.names)) for name in skeleton.names])
        self._rest_height_m = float(skeleton.offsets_m[0, 1])
        self._last: tuple[float, np.ndarray, np.ndarray] | None = None

    def __call__(self, time_s: float, root_m: np.ndarray, rotations_wxyz: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Root (3,) and rotations (N, 4), shaped; of the native skeleton, model axes."""
        root_m, rotations_wxyz = self._smooth(time_s, root_m, rotations_wxyz)
        if self.shape.mirror:
            root_m, rotations_wxyz = root_m * _MIRROR_POSITION, rotations_wxyz[self._swap] * _MIRROR_ROTATION
        if self.shape.root_motion == HORIZONTAL:
            root_m = np.array([root_m[0], self._rest_height_m, root_m[2]])
        elif self.shape.root_motion == IN_PLACE:
            root_m = np.array([0.0, root_m[1], 0.0])
        return root_m + np.array([0.0, self.shape.ground_offset_m, 0.0]), rotations_wxyz

    def _smooth(self, time_s: float, root_m: np.ndarray, rotations_wxyz: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        last, tau_s = self._last, self.shape.smoothing_s
        if tau_s > 0.0 and last is not None and 0.0 < time_s - last[0] < _LONG_GAP_S:
            share = 1.0 - np.exp(-(time_s - last[0]) / tau_s)
            root_m = last[1] + share * (root_m - last[1])
            rotations_wxyz = rotation.nlerp(last[2], rotations_wxyz, share)
        self._last = (time_s, root_m, rotations_wxyz)
        return root_m, rotations_wxyz


def _other_side(name: str, names: tuple[str, ...]) -> str:
    for here, there in (("left_", "right_"), ("right_", "left_")):
        if name.startswith(here) and there + name[len(here) :] in names:
            return there + name[len(here) :]
    return name
