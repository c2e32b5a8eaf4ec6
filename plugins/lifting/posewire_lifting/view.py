"""What a network sees of a person: keypoints freed of lens, place and size, for one window or for a whole batch of them.

A crop is a rotated virtual camera (Mehta 2020, appendix B.1): the camera is turned until the person's centre lies on its axis,
the points are divided by their size, and the size itself (log of an angle: how strong perspective is) is one number of its own.
The same code makes training batches and live input. The 2D root stays where it is, so perspective is kept (thesis 000, 3.3).
Of a window, place and size are those of its newest row, so that a longer history shows the same newest row.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posewire_data.joints import HIPS, ROOT
from posewire_lifting.carrying import carried

Floats = NDArray[np.floating[Any]]

MIN_SEEN = 4
"""Fewer keypoints in the newest row say nothing about a pose: the answer is NaN."""
_SMALLEST = 1e-4
"""Angle, radians: keypoints that lie on one another have no size."""


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """B windows of T rows as a network takes them, and the way back."""

    points: Floats
    """(B, T, J, 2) in units of the person's own size, times `seen`."""
    seen: Floats
    """(B, T, J) 1 = seen, or hidden since a moment and carried on (posewire_lifting.carrying); 0 = not known."""
    size: Floats
    """(B, 1) natural logarithm of the root mean square distance of the newest row's points from the axis."""
    R_camera_turned: Floats
    """(B, 3, 3) from the turned camera to the real one."""
    usable: NDArray[np.bool_]
    """(B,) False: too little is seen in the newest row; the numbers above mean nothing."""

    def newest(self, frames: int) -> View:
        """For a network of fewer frames: what it sees has come out of a longer history."""
        return replace(self, points=self.points[:, -frames:], seen=self.seen[:, -frames:])

    def inputs(self) -> dict[str, NDArray[np.float32]]:
        """The network's inputs by name."""
        return {
            "points": self.points.astype(np.float32, copy=False),
            "seen": self.seen.astype(np.float32, copy=False),
            "size": self.size.astype(np.float32, copy=False),
        }

    def to_camera(self, turned_m: Floats) -> Floats:
        """Points (B, ..., 3) from the turned cameras to the real ones; unusable rows become NaN."""
        flat = turned_m.reshape(len(turned_m), -1, 3)
        points = flat @ np.swapaxes(self.R_camera_turned, 1, 2)
        return np.where(self.usable[:, None, None], points, np.nan).reshape(turned_m.shape)

    def to_turned(self, camera_m: Floats) -> Floats:
        """Points (B, ..., 3) from the real cameras to the turned ones: what the network has to say."""
        return (camera_m.reshape(len(camera_m), -1, 3) @ self.R_camera_turned).reshape(camera_m.shape)


def seen_by(rays: Floats, seen: NDArray[np.bool_]) -> View:
    """Windows of viewing rays to what the network sees.

    Args:
        rays: (B, T, J, 2) x/z and y/z in camera axes; NaN = unseen.
        seen: (B, T, J) False hides a point.
    """
    seen = seen & np.isfinite(rays).all(axis=-1)
    rays, seen = _with_pelvis(rays, seen)
    usable = seen[:, -1].sum(axis=-1) >= MIN_SEEN
    rays, known = carried(np.where(seen[..., None], rays, 0.0), seen)
    now = known[:, -1]
    weight = now / np.maximum(now.sum(axis=1, keepdims=True), 1)  # (B, J)
    R = _turning_to((rays[:, -1] * weight[..., None]).sum(axis=1))
    x, y = rays[..., 0], rays[..., 1]
    # Row i of R^T times (x, y, 1), written out: a batched product would first copy the rays to three dimensions.
    u, v, w = (R[:, 0, i, None, None] * x + R[:, 1, i, None, None] * y + R[:, 2, i, None, None] for i in range(3))
    w = np.maximum(w, 0.05)  # a ray at more than 87 degrees from the person's centre is no part of the person
    points = np.stack([u / w, v / w], axis=-1)
    size = np.sqrt(((points[:, -1] ** 2).sum(axis=-1) * weight).sum(axis=1))  # (B,)
    usable &= size > _SMALLEST
    size = np.maximum(size, _SMALLEST)
    points = points / size[:, None, None, None] * known[..., None]
    return View(points, known.astype(points.dtype), np.log(size)[:, None], R, usable)


def _with_pelvis(rays: Floats, seen: NDArray[np.bool_]) -> tuple[Floats, NDArray[np.bool_]]:
    """The pelvis is the middle of the hips: known where both are, and only there."""
    both = seen[..., HIPS[0]] & seen[..., HIPS[1]]
    rays, seen = rays.copy(), seen.copy()
    rays[..., ROOT, :] = 0.5 * (rays[..., HIPS[0], :] + rays[..., HIPS[1], :])
    seen[..., ROOT] = both
    return rays, seen


def _turning_to(centre: Floats) -> Floats:
    """(B, 3, 3) turned camera to camera: its z axis goes through the image point `centre` (B, 2), its x axis stays level."""
    z = np.concatenate([centre, np.ones_like(centre[:, :1])], axis=1)
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    x = np.stack([z[:, 2], np.zeros_like(z[:, 0]), -z[:, 0]], axis=-1)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    return np.stack([x, np.cross(z, x), z], axis=2)
