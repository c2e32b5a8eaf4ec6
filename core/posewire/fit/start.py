"""The first pose of a person: several headings, the best energy wins.

The heading comes from the hips and shoulders; because a network may confuse front and back, and the trunk may be unseen, others
are tried too. Position: the closed-form least squares of the projected 3D, x_m + d on the ray of pixel m for every m.
"""

from __future__ import annotations

import math

import numpy as np

from posewire import rotation
from posewire.data import FloatArray
from posewire.fit.targets import Targets
from posewire.skeleton import Skeleton

FAR_AWAY_M = 3.0
"""Where a person stands whose pixels say nothing."""
NEAREST_M = 0.3
_BENT = 0.5
CLEARLY_BETTER = 0.5
"""A new start must lower the misfit to this share of it."""


def root_position_m(targets: Targets, confidence: FloatArray) -> FloatArray:
    """(3,) world position from which the root-relative 3D projects best onto the pixels."""
    T = targets.T_camera_world
    R, t = T[:3, :3], T[:3, 3]
    use = np.isfinite(targets.position_m).all(axis=1) & np.isfinite(targets.pixel_px).all(axis=1) & (confidence > 0)
    in_front = np.array([0.0, 0.0, FAR_AWAY_M])
    if use.sum() < 2:
        return R.T @ (in_front - t)
    x = targets.position_m[use] @ R.T  # camera axes, root-relative
    rays = np.linalg.solve(targets.K, np.concatenate([targets.pixel_px[use], np.ones((use.sum(), 1))], axis=1).T).T
    # (x + d)_xy = ray_xy (x + d)_z for every point
    one, zero = np.ones(len(x)), np.zeros(len(x))
    A = np.concatenate([np.stack([one, zero, -rays[:, 0]], axis=1), np.stack([zero, one, -rays[:, 1]], axis=1)])
    b = np.concatenate([rays[:, 0] * x[:, 2] - x[:, 0], rays[:, 1] * x[:, 2] - x[:, 1]])
    w = np.sqrt(np.tile(confidence[use], 2))
    d = np.linalg.lstsq(A * w[:, None], b * w, rcond=None)[0]
    if not np.isfinite(d).all() or d[2] < NEAREST_M:
        d = in_front
    return R.T @ (d - t)


def bent_rad(skeleton: Skeleton) -> FloatArray:
    """(D,) angles with elbows and knees half bent: from a straight one the step may go the wrong way, and stops at the limit."""
    middle = skeleton.limits_rad.mean(axis=1)
    hinge = [name.endswith(("elbow_flexion", "knee_flexion")) for name in skeleton.dof_names]
    return np.where(hinge, _BENT * middle, 0.0)


def headings(hips: FloatArray, shoulders: FloatArray) -> list[FloatArray]:
    """Root rotations (4,) to try: the trunk's own first (hips, shoulders (2, 3) left, right; NaN = unseen), then turned ones."""
    own = trunk_rotation(hips, shoulders)
    quarter = [rotation.exp([0.0, math.radians(angle), 0.0]) for angle in (0, 180, 90, -90)]
    if own is None:
        return quarter
    return [rotation.multiply(own, turn) for turn in quarter]


def trunk_rotation(hips: FloatArray, shoulders: FloatArray) -> FloatArray | None:
    """Rotation (4,) of a trunk whose left is +X and whose up is +Y at rest; None where it is not seen."""
    across = np.stack([hips[0] - hips[1], shoulders[0] - shoulders[1]])
    across = across[np.isfinite(across).all(axis=1)].sum(axis=0)
    up = shoulders.mean(axis=0) - hips.mean(axis=0)
    if not np.isfinite(up).all():
        up = np.array([0.0, 1.0, 0.0])
    forward = np.cross(across, up)
    if np.linalg.norm(forward) < 1e-3:
        return None
    x = across / np.linalg.norm(across)
    z = forward / np.linalg.norm(forward)
    return rotation.from_matrix(np.stack([x, np.cross(z, x), z], axis=1))
