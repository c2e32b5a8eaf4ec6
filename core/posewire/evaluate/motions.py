"""The motions that are compared, all in camera axes and metres, and the joints they are compared on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from posewire.data import FloatArray, read_only

SIDES = ("left", "right")
LIMB_JOINTS = tuple(f"{side}_{joint}" for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle") for side in SIDES)
"""The 12 joints that every method and every reference has."""
ROOT = tuple(LIMB_JOINTS.index(f"{side}_hip") for side in SIDES)
"""The root of a pose is the middle of the hips."""
LIMB_BONES = tuple(
    (LIMB_JOINTS.index(f"{side}_{start}"), LIMB_JOINTS.index(f"{side}_{end}"))
    for start, end in (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"))
    for side in SIDES
)


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """One person's joints over time, under a name."""

    name: str
    time_s: FloatArray
    """(T,) media time."""
    joint_names: tuple[str, ...]
    positions_m: FloatArray
    """(T, N, 3) camera axes, root-relative or from the camera; NaN = missing."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "time_s", read_only(self.time_s, -1))
        object.__setattr__(self, "positions_m", read_only(self.positions_m, len(self.time_s), len(self.joint_names), 3))

    def limbs_m(self) -> FloatArray:
        """(T, 12, 3) the positions of LIMB_JOINTS; NaN for a joint that this motion does not have."""
        limbs = np.full((len(self.time_s), len(LIMB_JOINTS), 3), np.nan)
        for column, name in enumerate(LIMB_JOINTS):
            if name in self.joint_names:
                limbs[:, column] = self.positions_m[:, self.joint_names.index(name)]
        return limbs


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """One person of a take: what the method said (`raw`) and what the fit made of it (`fitted`), as far as present."""

    name: str
    person_id: int
    people: tuple[int, ...]
    """Everybody in the take; the one chosen is `person_id`."""
    motions: tuple[Motion, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """The motion that counts as true, seen from one camera."""

    name: str
    view: str
    """Name of the camera whose axes are used."""
    motion: Motion


def at_times(motion: Motion, time_s: FloatArray) -> FloatArray:
    """Limb positions (R, 12, 3) of the frames nearest to `time_s` (R,); NaN where none is within half the spacing of `time_s`."""
    if not len(motion.time_s):
        return np.full((len(time_s), len(LIMB_JOINTS), 3), np.nan)
    nearest, met = nearest_rows(motion.time_s, time_s)
    limbs = motion.limbs_m()[nearest]
    limbs[~met] = np.nan
    return limbs


def nearest_rows(have_s: FloatArray, want_s: FloatArray) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """For each of `want_s` (R,) the index of the nearest of `have_s` (T,), and whether it is within half a spacing."""
    nearest = np.argmin(np.abs(want_s[:, None] - have_s[None]), axis=1)
    tolerance_s = 0.5 * float(np.median(np.diff(want_s))) if len(want_s) > 1 else 0.05
    return nearest, np.abs(have_s[nearest] - want_s) <= tolerance_s * (1 + 1e-6)


def limb_names_in(names: Sequence[str]) -> list[str]:
    """The limb joints among `names`."""
    return [name for name in LIMB_JOINTS if name in names]
