"""What the user may set about a solve."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from posewire.data import Camera
from posewire.errors import SettingsError
from posewire.filters import OneEuroSettings
from posewire.fit import FitSettings
from posewire.settings import HEIGHT_RANGE_M

AUTO_SMOOTH_S = 0.07
"""Width of the smoothing, from the same search as OFFLINE_FIT."""
SMOOTH_RANGE_S = (0.0, 2.0)
OFFLINE_FIT = FitSettings(
    realtime=False,
    filter_px=OneEuroSettings(27.0, 25.0),
    filter_m=OneEuroSettings(55.0, 25.0),
    acceleration_m_s2=8.5,
    acceleration_per_s=57.0,
    noise_across_m=0.028,
    noise_along_m=0.028,
    position_sigma_m=0.085,
    pixel_sigma_m=0.043,
    damping_sigma_rad=0.6,
    depth_acceleration_m_s2=7.3,
    depth_noise_m=0.124,
    position_gate_m=0.467,
    pixel_gate_m=0.213,
)
"""The fit where smoothing follows: its causal filters are almost open, because what they take is late.

A random search (124 tries) on 6 clips of CMU motion, subjects 1 to 12, with white noise and with noise made like a network's; of
its best, the one that did best on these and a second draw of 6. The search ran with an earlier way of merging.
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
    smooth_s: float = AUTO_SMOOTH_S
    """Standard deviation of the smoothing window, seconds; 0 = no smoothing after the fit."""
    ground: Ground = "keep"
    """auto: put the world on the floor that the feet show, if that is certain."""
    lock_feet: bool = True
    """Whether a foot that rests on the ground stays in one place."""
    device: Device = "cpu"

    def __post_init__(self) -> None:
        low, high = SMOOTH_RANGE_S
        if not (math.isfinite(self.smooth_s) and low <= self.smooth_s <= high):
            raise SettingsError(
                "The smoothing is not usable.",
                got=f"{self.smooth_s:g} s",
                allowed=f"{low:g} to {high:g} s, auto or none",
                hint="--smooth auto",
            )
        low, high = HEIGHT_RANGE_M
        if self.height_m is not None and not low <= self.height_m <= high:
            raise SettingsError(
                "The height is not usable.", got=f"{self.height_m:g} m", allowed=f"{low:g} to {high:g} m", hint="--height 1.75"
            )
