"""What the user may set about the fit. Frozen; one value for all people.

The numbers are those of a search on 19 clips of CMU motion (subjects 1 to 12) with the two noises of `posewire eval --motion`
(evaluate/refit/noise.py), half the weight on each; of its best, the damping that did best with the noise that is like a
network's. Two were then set by the same clips: the root's distance is freer (`depth_acceleration_m_s2`), because holding it back
bends the shape; the speed that opens the filters is low-passed at 3 Hz, not at 1, and counts a tenth less: less late, hardly more
jitter. Then came the gates, by some ten tries on those clips and on the accelerations of `walking_side.mp4`; last a coordinate
search on the same for less acceleration, and a round by hand (docs/FIT.md).
The size of that noise was taken from BlazePose's bone lengths on a walking clip. The search began at the weights of an earlier
one, whose noise was sized on a balancing clip; those clips were looked at beside it, not scored.
"""

from __future__ import annotations

from dataclasses import dataclass

from posewire.errors import SettingsError
from posewire.filters import OneEuroSettings
from posewire.settings import HEIGHT_RANGE_M
from posewire.skeleton import Skeleton

FILTER_PX = OneEuroSettings(6.2, 4.8, speed_cutoff_hz=3.0)
FILTER_M = OneEuroSettings(1.5, 3.8, speed_cutoff_hz=3.0)


@dataclass(frozen=True, slots=True)
class FitSettings:
    """Weights of the energy, filter parameters and the iteration rule; see docs/FIT.md for what each term does."""

    height_m: float | None = None
    """Stature of the person; None = 1.70 m, moved towards the size that the method sees by how precise it is."""
    skeleton: Skeleton | None = None
    """The person's own, measured before: its lengths stay. None = measured on the way."""
    realtime: bool = True
    """True: `iterations` Levenberg-Marquardt steps a frame, always the same cost. False: until it converges."""
    iterations: int = 6
    position_sigma_m: float = 0.1
    """How far the method's 3D may be off: weight = 1 / sigma^2 per limb joint at confidence 1."""
    pixel_sigma_m: float = 0.042
    """The same for the 2D, at the person's distance: in metres, so that it holds for every resolution and distance."""
    position_gate_m: float = 0.3
    """A 3D keypoint that jumps this far from where it is expected keeps half its weight, for some frames."""
    pixel_gate_m: float = 0.22
    """The same for the 2D, at the person's distance."""
    acceleration_m_s2: float = 3.2
    """How hard a slow joint is assumed to accelerate; lower is steadier and slower to follow."""
    acceleration_per_s: float = 15.0
    """Its growth with the joint's speed (m/s^2 per m/s)."""
    noise_across_m: float = 0.019
    """How much a joint's data is assumed to jump about from frame to frame, across the line of sight."""
    noise_along_m: float = 0.055
    """The same along it."""
    filter_px: OneEuroSettings = FILTER_PX
    """One-Euro filter of the 2D before the fit; its slope in Hz per m/s at the person's distance."""
    filter_m: OneEuroSettings = FILTER_M
    """The same of the 3D, Hz per m/s."""
    depth_acceleration_m_s2: float = 15.0
    """How hard the root is assumed to accelerate towards and from the camera."""
    depth_noise_m: float = 0.07
    """How much the distance that the data says is assumed to jump about from frame to frame."""
    limit_sigma_rad: float = 0.05
    """How far an angle may leave its anatomical range."""
    rest_sigma_rad: float = 3.0
    """How far an angle that is seen lies from rest: decides what the data leave open."""
    unseen_sigma_rad: float = 0.3
    """The same of an angle that nothing has shown for a second, because its limb is outside the picture."""
    damping_sigma_rad: float = 0.2
    """How far an angle turns in 1/30 s when nothing shows it."""

    lock_feet: bool = False
    """Whether a foot on the ground is held where it landed: it slides far less, and the pose may be slightly less accurate."""
    lock_sigma_m: float = 0.005
    """How far a held foot may be off."""
    use_floor: bool = True
    """Whether feet that rest show how far away somebody is, where the camera stands on a known floor."""
    floor_sigma_m: float = 0.06
    """How far above or below the floor a resting foot may be."""

    def __post_init__(self) -> None:
        low, high = HEIGHT_RANGE_M
        if self.height_m is not None and not low <= self.height_m <= high:
            raise SettingsError(
                "The height is not usable.", got=f"{self.height_m:g} m", allowed=f"{low:g} to {high:g} m", hint="--height 1.75"
            )
