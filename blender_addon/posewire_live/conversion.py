# SPDX-License-Identifier: GPL-3.0-or-later
"""Axes: the model's (x to the person's left, y up, z forward, metres) and those of an armature, which may be any.

A Blender character looks along -Y with Z up; an imported FBX often has Y up inside an object that is turned and scaled.
So the model's axes are found from the character's own bones, and all turning happens inside the armature's axes: where the
object stands in the scene, and how it is turned there, stays the artist's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import rotation

_SNAP = np.cos(np.radians(30.0))
"""Directions within 30 degrees of an axis mean the axis: a bent rest pose must not tilt the whole motion."""


@dataclass(frozen=True)
class ModelFrame:
    """How the model's axes lie in an armature's."""

    R_armature_model: np.ndarray
    """(3, 3) model axes to armature axes."""
    metres: float
    """Length of one armature unit in the scene."""

    def to_armature(self, position_m: np.ndarray) -> np.ndarray:
        """(..., 3) model metres to armature units."""
        return position_m @ self.R_armature_model.T / self.metres

    def to_model_m(self, position: np.ndarray) -> np.ndarray:
        """(..., 3) armature units to model metres."""
        return position @ self.R_armature_model * self.metres


BLENDER = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
"""Model axes to Blender's: a character that looks along -Y, Z up."""


def model_frame(left: np.ndarray | None, up: np.ndarray | None, metres: float) -> ModelFrame:
    """From where left (right hip to left hip) and up (pelvis to head) lie in the armature at rest; None = as usual in Blender."""
    if left is None or up is None or np.linalg.norm(left) < 1e-9 or np.linalg.norm(up) < 1e-9:
        return ModelFrame(BLENDER, metres)
    y = _snapped(up / np.linalg.norm(up))
    x = left - (left @ y) * y
    if np.linalg.norm(x) < 1e-9:
        return ModelFrame(BLENDER, metres)
    x = _snapped(x / np.linalg.norm(x))
    x = x - (x @ y) * y
    x /= np.linalg.norm(x)
    return ModelFrame(np.stack([x, y, np.cross(x, y)], axis=1), metres)


def _snapped(direction: np.ndarray) -> np.ndarray:
    """The signed coordinate axis that a unit vector is near to, else itself."""
    axis = int(np.argmax(np.abs(direction)))
    if abs(direction[axis]) < _SNAP:
        return direction
    return np.eye(3)[axis] * np.sign(direction[axis])


def bone_conversions(frame: ModelFrame, rest: np.ndarray) -> np.ndarray:
    """(K, 4, 4) matrices that take R (4,), model axes, to each bone's own rest axes: inv(B) R B.

    Args:
        rest: (K, 3, 3) bone axes to armature axes at rest (Bone.matrix_local).
    """
    model = rotation.from_matrix(frame.R_armature_model)
    to_bone = np.array([rotation.multiply(rotation.inverse(rotation.from_matrix(axes)), model) for axes in rest])  # inv(B)
    columns = [rotation.multiply(rotation.multiply(to_bone, unit), rotation.inverse(to_bone)) for unit in np.eye(4)]
    return np.stack(columns, axis=-1)
