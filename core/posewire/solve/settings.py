"""What the user may set about a solve."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from posewire import camera as cameras
from posewire.data import Camera
from posewire.errors import SettingsError
from posewire.filters import OneEuroSettings
from posewire.fit import FitSettings
from posewire.settings import HEIGHT_RANGE_M

SMOOTH_RANGE_S = (0.0, 2.0)
OFFLINE_FIT = FitSettings(
    realtime=False,
    filter_px=OneEuroSettings(27.0, 25.0),
    filter_m=OneEuroSettings(55.0, 25.0),
    depth_acceleration_m_s2=60.0,
    acceleration_m_s2=4.0,
    noise_along_m=0.035,
)
"""The fit where smoothing follows: the live one until it converges, its filters almost open, the root's distance free and the
expectations a little freer.

What those take is late, and a late distance bends the shape of somebody who runs or lies. With expectations freer than these the
runs believe exchanges of left and right. Filters from a random search on CMU motion, subjects 1 to 12; the
rest by comparing four variants on clips of subjects 7 to 12.
"""
Ground = Literal["keep", "auto"]
Device = Literal["cpu", "torch", "gpu"]
"""Where the last solve of every frame runs. cpu: numba. torch: PyTorch on the CPU, slower, to compare. gpu: PyTorch on CUDA."""


@dataclass(frozen=True, slots=True, eq=False)
class SolveSettings:
    """One value for all people of the take."""

    height_m: float | None = None
    """Stature of everybody; None = what the take was recorded with."""
    camera: Camera | None = None
    """Takes the place of the recorded cameras (at their resolution); None = as recorded."""
    vertical_fov_deg: float | None = None
    """The same by the field of view alone; None = as recorded."""
    smooth_s: float | None = None
    """Standard deviation of the smoothing window, seconds; 0 = no smoothing after the fit; None = chosen at every instant."""
    ground: Ground = "keep"
    """auto: put the world on the floor that the feet show, if that is certain."""
    lock_feet: bool = True
    """Whether a foot that rests on the ground stays in one place."""
    device: Device = "cpu"

    def __post_init__(self) -> None:
        low, high = SMOOTH_RANGE_S
        if self.smooth_s is not None and not (math.isfinite(self.smooth_s) and low <= self.smooth_s <= high):
            raise SettingsError(
                "The smoothing is not usable.",
                got=f"{self.smooth_s:g} s",
                allowed=f"{low:g} to {high:g} s, auto or none",
                hint="--smooth auto",
            )
        if self.vertical_fov_deg is not None:
            cameras.assumed(2, 2, self.vertical_fov_deg)  # refuses it, before any work
        low, high = HEIGHT_RANGE_M
        if self.height_m is not None and not low <= self.height_m <= high:
            raise SettingsError(
                "The height is not usable.", got=f"{self.height_m:g} m", allowed=f"{low:g} to {high:g} m", hint="--height 1.75"
            )
