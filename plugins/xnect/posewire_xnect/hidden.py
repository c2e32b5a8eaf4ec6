"""Where joints that nobody sees stand in the picture: Stage II's 3D, put where it agrees best with what is seen.

A pose x_j (camera axes, from the root) at a distance d is seen along the rays r_j = (r_x, r_y, 1). For every seen joint
(x_j + d)_xy = r_xy (x_j + d)_z, two equations linear in d; least squares weighted by confidence give d in closed form, as Mehta
et al. 2017b (thesis 002, eq. 8.2) find the root of a whole pose.
"""

from __future__ import annotations

import numpy as np

from posewire import camera
from posewire.data import Camera, FloatArray

CONFIDENCE = 0.1
"""Of a joint that is guessed: the fit leans on it where nothing better is known, and no picture shows it as seen."""
NEAREST_M = 0.3
FARTHEST = 0.5
"""A guess further outside the picture than this share of it is not told."""


def filled(keypoints_px: FloatArray, confidence: FloatArray, joints_m: FloatArray, view: Camera) -> tuple[FloatArray, FloatArray]:
    """Points (P, J, 2) and confidence (P, J) with guesses for what is unseen (NaN, 0), as far as they can be made.

    Args:
        keypoints_px: (P, J, 2) pixels of the frame.
        confidence: (P, J).
        joints_m: (P, J, 3) metres from the root, camera axes.
        view: The frame's camera.
    """
    distance_m = root_m(keypoints_px, confidence, joints_m, view)
    guesses_px = camera.project(joints_m + distance_m[:, None], view)
    size_px = np.array([view.width_px, view.height_px])
    told = ((guesses_px > -FARTHEST * size_px) & (guesses_px < (1 + FARTHEST) * size_px)).all(axis=-1)
    guessed = told & (confidence == 0)
    return np.where(guessed[..., None], guesses_px, keypoints_px), np.where(guessed, CONFIDENCE, confidence)


def root_m(keypoints_px: FloatArray, confidence: FloatArray, joints_m: FloatArray, view: Camera) -> FloatArray:
    """(P, 3) where each person's root stands, camera axes; NaN where that cannot be: nearer than NEAREST_M or behind."""
    rays = camera.rays(keypoints_px, view)
    w = np.where(np.isfinite(rays).all(axis=-1), confidence, 0.0)[..., None]  # (P, J, 1)
    rays = np.where(w > 0, rays, 0.0)
    A = np.zeros((*joints_m.shape[:2], 2, 3))  # two equations a joint
    A[..., 0, 0] = A[..., 1, 1] = 1.0
    A[..., 2] = -rays[..., :2]
    b = rays[..., :2] * joints_m[..., 2:] - joints_m[..., :2]
    normal = np.einsum("pjki,pjkl->pil", A * w[..., None], A) + 1e-9 * np.eye(3)
    found_m = np.linalg.solve(normal, np.einsum("pjki,pjk->pi", A * w[..., None], b)[..., None])[..., 0]
    return np.where(found_m[:, 2:] > NEAREST_M, found_m, np.nan)
