"""The one place where axes, units and component order change: Posewire to Unity (VMC, VRChat) and to Unreal.

A target's axes are M times ours, M a matrix of one +-1 per row; lengths are multiplied by a scale:

    native   right-handed, x to the person's left, y up, z forward, metres
    unity    left-handed,  x to the person's right, y up, z forward, metres         M = diag(-1, 1, 1)
    unreal   left-handed,  x to the person's left, y forward, z up, centimetres     M swaps y and z

A point is scale * M p. A rotation about a at an angle becomes one about det(M) M a at the same angle: in left-handed
axes a positive angle turns the other way. Every target here writes quaternions x y z w.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from posewire.data import FloatArray, read_only


@dataclass(frozen=True, slots=True, eq=False)
class Axes:
    """The axes and the unit of length of a receiver."""

    name: str
    M: FloatArray
    """(3, 3) native axes to the target's; one entry of +1 or -1 in each row and column."""
    scale: float
    """Target units a metre."""

    _reorder: FloatArray = field(init=False, repr=False)
    """(4, 4) what a row w x y z is multiplied by."""

    def __post_init__(self) -> None:
        reorder = np.zeros((4, 4))
        reorder[0, 3] = 1.0
        reorder[1:, :3] = np.linalg.det(self.M) * np.transpose(self.M)
        object.__setattr__(self, "M", read_only(self.M, 3, 3))
        object.__setattr__(self, "_reorder", read_only(reorder, 4, 4))

    def points(self, points_m: ArrayLike) -> FloatArray:
        """Points (..., 3) in metres to the target's axes and unit."""
        return np.asarray(points_m, dtype=np.float64) @ (self.scale * self.M.T)

    def rotations_xyzw(self, rotations_wxyz: ArrayLike) -> FloatArray:
        """Quaternions (..., 4) w x y z to the target's axes, x y z w."""
        return np.asarray(rotations_wxyz, dtype=np.float64) @ self._reorder


NATIVE = Axes("native", np.eye(3), 1.0)
UNITY = Axes("unity", np.diag([-1.0, 1.0, 1.0]), 1.0)
UNREAL = Axes("unreal", np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, 0.0]]), 100.0)
AXES = {axes.name: axes for axes in (NATIVE, UNITY, UNREAL)}


def unity_euler_deg(rotations_xyzw: ArrayLike) -> FloatArray:
    """Quaternions (..., 4) in Unity's axes to its Euler angles (..., 3) x y z in degrees, with q = qy qx qz.

    Where x is +-90 degrees y and z turn about the same axis: z is 0 then, and y has it all.
    """
    x, y, z, w = np.moveaxis(np.asarray(rotations_xyzw, dtype=np.float64), -1, 0)
    sine = np.clip(2.0 * (w * x - y * z), -1.0, 1.0)  # -R[1, 2]
    locked = np.abs(sine) > 1.0 - 1e-9
    turn = np.arctan2(2.0 * (x * z + w * y), 1.0 - 2.0 * (x * x + y * y))  # R[0, 2], R[2, 2]
    roll = np.arctan2(2.0 * (x * y + w * z), 1.0 - 2.0 * (x * x + z * z))  # R[1, 0], R[1, 1]
    locked_turn = np.arctan2(2.0 * (w * y - x * z), 1.0 - 2.0 * (y * y + z * z))  # -R[2, 0], R[0, 0]
    angles = [np.arcsin(sine), np.where(locked, locked_turn, turn), np.where(locked, 0.0, roll)]
    return np.degrees(np.stack(angles, axis=-1))
