# SPDX-License-Identifier: GPL-3.0-or-later
"""One person on one character's bones, from pose to pose: shaped, retargeted, hands, feet and controls where they belong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from .controls import Controls, IkControl
from .protocol import Skeleton
from .reach import Body, FootLock
from .retarget import Driven, Retargeter
from .shaping import ALL, FEET, Shape, Shaper

_ANKLES, _WRISTS = ("left_ankle", "right_ankle"), ("left_wrist", "right_wrist")
_OTHER_SIDE = np.array([2, 3, 0, 1])


class Performer:
    """Keeps what smoothing and foot lock remember of this person.

    Args:
        controls: The rig's own inverse kinematics, to be led as well.
        rest_m: By name of such a control: (3,) its head at rest, model axes.
    """

    def __init__(
        self,
        skeleton: Skeleton,
        driven: Driven,
        scale: float | None,
        shape: Shape,
        controls: Sequence[IkControl] = (),
        rest_m: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        self._shape = shape
        self._shaper = Shaper(skeleton, shape)
        self._retarget = Retargeter(skeleton, driven, scale)
        self._ends = {end: skeleton.names.index(end) for end in self._reaching() if end in skeleton.names}
        self._body = Body(driven, self._retarget.alignments_wxyz) if self._ends or controls else None
        self._controls = Controls(self._body, driven, controls, rest_m or {}) if self._body and controls else None
        self._lock = FootLock(self._retarget.scale) if shape.foot_lock and set(_ANKLES) <= set(self._ends) else None
        self._lift_m = self._ankle_lift_m(skeleton, driven)

    def __call__(
        self, time_s: float, root_m: np.ndarray, rotations_wxyz: np.ndarray, contacts: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Native pose to places (P, 3) of the root bone and controls, R (K, 4) of driven bones and controls; model axes."""
        root_m, rotations_wxyz = self._shaper(time_s, root_m, rotations_wxyz)
        if self._body is None:
            root, R = self._retarget(root_m, rotations_wxyz)
            return root[None], R
        native = self._retarget.native_world(rotations_wxyz)
        W, root = self._retarget.world(native, rotations_wxyz), self._retarget.root_m(root_m, native)
        targets = self._targets_m(self._retarget.joints_m(root_m, native))
        if self._lock is not None:
            self._lock(time_s, contacts[_OTHER_SIDE] if self._shape.mirror else contacts, targets)
        self._body.reach(W, root, targets)
        places, R = root[None], self._retarget.local(W)
        if self._controls is not None:
            more, turns = self._controls(W, self._body.places_m(W, root), targets)
            places, R = np.concatenate([places, more]), np.concatenate([R, turns])
        return places, R

    def _reaching(self) -> tuple[str, ...]:
        if self._shape.reach == ALL:
            return (*_ANKLES, *_WRISTS)
        return _ANKLES if self._shape.reach == FEET or self._shape.foot_lock else ()

    def _targets_m(self, joints_m: np.ndarray) -> dict[str, np.ndarray]:
        """Where hands and feet belong: the person's own places at the character's scale."""
        scale = self._retarget.scale
        return {end: scale * joints_m[joint] + (self._lift_m if end in _ANKLES else 0.0) for end, joint in self._ends.items()}

    def _ankle_lift_m(self, skeleton: Skeleton, driven: Driven) -> np.ndarray:
        """(3,) A character whose ankles are higher than the person's stands on its soles all the same."""
        for bone, place in zip(driven.bones, driven.positions_m, strict=True):
            if bone.joint == "left_ankle" and "left_ankle" in skeleton.names:
                native = self._retarget.scale * skeleton.rest_m()[skeleton.names.index("left_ankle"), 1]
                lift = float(place[1]) - native
                return np.array([0.0, lift if abs(lift) < native else 0.0, 0.0])
        return np.zeros(3)
