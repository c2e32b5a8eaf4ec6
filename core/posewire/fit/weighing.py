"""How much each datum of a frame is worth, against where it is expected."""

from __future__ import annotations

import math
from typing import NamedTuple

from posewire.data import FloatArray
from posewire.filters import OneEuroSettings
from posewire.fit.body import Workspace
from posewire.fit.compiled import finite, kernel
from posewire.fit.expectation import NEAREST_M, Expectation, jumps
from posewire.fit.motion import Agility, Motion, gains
from posewire.fit.observation import Observation
from posewire.fit.settings import FitSettings
from posewire.fit.targets import Targets

_TRUSTED = 0.25
"""Power of the precision by which the 3D is believed more beside the 2D; by trying, white noise."""
_WELL_SEEN_M2 = 1.0
"""Sum of the squared distances of a body's points from their middle, each times its worth, above which its distance is as well
known as can be: somebody who stands has 2 to 3, a face over two shoulders 0.1."""
TELLING = 0.6
"""Share of the data that must be trusted to call a fit lost."""


class Weighing(NamedTuple):
    """The settings as the kernels want them."""

    position_w: float
    """Per m^2."""
    pixel_w_m: float
    """Per m^2 at the person's distance."""
    position_gate_m: float
    pixel_gate_m: float
    agility: Agility
    depth_acceleration_m_s2: float
    depth_noise_m: float
    damping_w_s: float
    """Per rad^2, times the time step."""
    rest_w: tuple[float, float]
    """Per rad^2, of an angle that something shows, and of one that nothing has shown for long."""
    px_cutoff_hz: float
    px_slope: float
    px_speed_cutoff_hz: float
    m_cutoff_hz: float
    m_slope: float
    m_speed_cutoff_hz: float
    lock_w: float
    """Per m^2; 0 = feet are not held."""
    floor_w: float
    """Per m^2; 0 = a known floor says nothing."""


def make_weighing(s: FitSettings, precision: float) -> Weighing:
    """Deviations to weights; `precision`: of the method over a single view's, whose errors alone are worth being late for.

    Floats throughout, because an int would be another type to numba and compile anew.
    """
    position_w, pixel_w_m = (float(s.position_sigma_m) / precision**_TRUSTED) ** -2, float(s.pixel_sigma_m) ** -2
    noise_m = (float(s.noise_across_m), float(s.noise_along_m))
    livelier = (precision * s.acceleration_m_s2, precision * s.acceleration_per_s)
    agility = Agility(*livelier, noise_m, (position_w + pixel_w_m, position_w))
    gates = (float(s.position_gate_m), float(s.pixel_gate_m))
    depth = (float(s.depth_acceleration_m_s2), float(s.depth_noise_m))
    filters = (*_opened(s.filter_px, precision), *_opened(s.filter_m, precision))
    damping_w_s = 1.0 / (30.0 * (precision * s.damping_sigma_rad) ** 2)
    lock_w = float(s.lock_sigma_m) ** -2 if s.lock_feet else 0.0
    floor_w = float(s.floor_sigma_m) ** -2 if s.use_floor else 0.0
    rest_w = (float(s.rest_sigma_rad) ** -2, float(s.unseen_sigma_rad) ** -2)
    return Weighing(position_w, pixel_w_m, *gates, agility, *depth, damping_w_s, rest_w, *filters, lock_w, floor_w)


def _opened(one_euro: OneEuroSettings, precision: float) -> tuple[float, float, float]:
    """Cutoff at rest and its growth, by how precise the method is, and the speed's own cutoff."""
    opened = precision * one_euro.min_cutoff_hz, precision * one_euro.cutoff_per_speed
    return float(opened[0]), float(opened[1]), float(one_euro.speed_cutoff_hz)


@kernel
def expected_distance_m(targets: Targets, point: FloatArray) -> float:
    """Distance of a world point along the camera's axis, at least NEAREST_M."""
    T = targets.T_camera_world
    return max(T[2, 0] * point[0] + T[2, 1] * point[1] + T[2, 2] * point[2] + T[2, 3], NEAREST_M)


@kernel
def look_at(targets: Targets, point: FloatArray) -> None:
    """Sets the line of sight to a world point."""
    T, n = targets.T_camera_world, targets.sight
    length2 = 0.0
    for i in range(3):
        n[i] = point[i] + T[0, i] * T[0, 3] + T[1, i] * T[1, 3] + T[2, i] * T[2, 3]
        length2 += n[i] * n[i]
    for i in range(3):
        n[i] = n[i] / math.sqrt(length2) if length2 > 1e-12 else T[2, i]


@kernel
def _gated(w: float, jump_m2: float, gate_m: float) -> float:
    """Less weight the further it has jumped; NaN = no expectation."""
    return w / (1.0 + (jump_m2 / gate_m**2) ** 2) if finite(jump_m2) else w


@kernel
def count(seen: Observation, share: FloatArray, worth: FloatArray) -> None:
    """What each marker (M,) is worth in this frame."""
    for m in range(len(worth)):
        worth[m] = share[m] * seen.confidence[m]


@kernel
def weigh_points(
    seen: Observation,
    worth: FloatArray,
    expectation: Expectation,
    px_m: float,
    step_s: float,
    weighing: Weighing,
    targets: Targets,
) -> None:
    """Weights (M,) of the 3D targets and of the pixels; `worth` (M,); px_m: metres per pixel at the person's distance."""
    for m in range(len(worth)):
        for i in range(2):
            targets.pixel_px[m, i] = seen.pixel_px[m, i]
        jump3_m2, jump2_m2 = jumps(expectation, m, targets, px_m, step_s)
        known3 = finite(targets.position_m[m, 0] + targets.position_m[m, 1] + targets.position_m[m, 2])
        known2 = finite(seen.pixel_px[m, 0] + seen.pixel_px[m, 1])
        w3, w2 = weighing.position_w * worth[m], weighing.pixel_w_m * px_m * px_m * worth[m]
        targets.position_w[m] = _gated(w3, jump3_m2, weighing.position_gate_m) if known3 else 0.0
        targets.pixel_w[m] = _gated(w2, jump2_m2, weighing.pixel_gate_m) if known2 else 0.0


@kernel
def weigh_depth(motion: Motion, step_s: float, weighing: Weighing, targets: Targets) -> None:
    """Depth weight, against what the pixels say of the distance: a body half as far is twice as large.

    What little is seen of a body says its distance worse: less of it is believed at once.
    """
    total = u = v = spread = 0.0
    for m in range(len(targets.pixel_w)):
        w = targets.pixel_w[m]
        if w > 0.0:
            total, u, v = total + w, u + w * targets.pixel_px[m, 0], v + w * targets.pixel_px[m, 1]
    for m in range(len(targets.pixel_w)):
        w = targets.pixel_w[m]
        if w > 0.0:
            spread += w * ((targets.pixel_px[m, 0] - u / total) ** 2 + (targets.pixel_px[m, 1] - v / total) ** 2)
    noise_m = weighing.depth_noise_m * math.sqrt(max(1.0, _WELL_SEEN_M2 * weighing.pixel_w_m / max(spread, 1e-9)))
    alpha, motion.depth_beta[0] = gains(weighing.depth_acceleration_m_s2, noise_m, step_s)
    targets.depth[0] = expected_distance_m(targets, targets.predicted_m[0])
    targets.depth[1] = (1.0 - alpha) / alpha * spread / targets.depth[0] ** 2 + 1e-3


@kernel
def misfit(
    seen: Observation,
    trust: FloatArray,
    worth: FloatArray,
    work: Workspace,
    px_m: float,
    weighing: Weighing,
    targets: Targets,
    telling: float,
) -> float:
    """Mean squared distance of pose and data in deviations, gates ignored: tells a lost fit, whose data is all gated away.

    0 where less than `telling` of the data is trusted.
    """
    K, T = targets.K, targets.T_camera_world
    total = whole = possible = 0.0
    for m in range(len(worth)):
        possible += worth[m]
        w, p, far3, x, y, z = worth[m] * trust[m], work.markers_m[0, m], 0.0, T[0, 3], T[1, 3], T[2, 3]
        if not w > 0.0:
            continue
        for i in range(3):
            far3 += (p[i] - work.root_m[0, i] - targets.position_m[m, i]) ** 2
            x, y, z = x + T[0, i] * p[i], y + T[1, i] * p[i], z + T[2, i] * p[i]
        z = max(z, NEAREST_M)
        u = (K[0, 0] * x + K[0, 1] * y) / z + K[0, 2] - seen.pixel_px[m, 0]
        v = K[1, 1] * y / z + K[1, 2] - seen.pixel_px[m, 1]
        whole += w
        total += w * weighing.position_w * far3 if finite(far3) else 0.0
        total += w * weighing.pixel_w_m * px_m * px_m * (u * u + v * v) if finite(u + v) else 0.0
    return total / whole if whole > telling * possible else 0.0
