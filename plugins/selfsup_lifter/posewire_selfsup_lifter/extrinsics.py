"""Where two cameras stood, from nothing but one person's joints in both pictures: Ch. 3.4.2.

Fundamental matrix by RANSAC, essential matrix, four solutions by SVD, the one with the joints in front of both cameras; then its
five numbers are refined on all joints, because eight-point solutions of noisy joints are off by degrees. The first camera is the
origin. What two pictures never tell is the scale; it is measured by the caller: the distance of the cameras, or the
height of the person.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

from posewire.data import FloatArray
from posewire.errors import CalibrationError
from posewire_selfsup_lifter.views import Extrinsics, MultiView2D, ScaleOrigin

THRESHOLD = 0.01
"""Rays: 10 px at a focal length of 1000 px."""
LEAST_CORRESPONDENCES = 50
"""Joints seen in both views, over all instants. Eight suffice in theory; one pose alone is too flat."""
_RAY_UNIT = 1000.0
"""RANSAC's threshold is given to OpenCV as for a camera with this focal length."""
_SEED = 0
_STARTS, _SHARE_OF_A_START = 6, 0.6
"""RANSAC is tried on several random shares of the joints: a person is small and the eight-point solution unsteady."""


@dataclass(frozen=True, slots=True, eq=False)
class RelativePose:
    """The second camera from the first; `centre` has length 1."""

    R_2_1: FloatArray
    """(3, 3) first camera's axes to the second's."""
    centre: FloatArray
    """(3,) optical centre of the second in the first's axes, unit = distance of the cameras."""
    inlier_share: float
    """Share of the joints that fit."""
    in_front_share: float
    """Share of the inliers that lie in front of both cameras."""


def relative_pose(rays1: FloatArray, rays2: FloatArray, threshold: float = THRESHOLD) -> RelativePose:
    """The second camera's place from corresponding rays (N, 2) of both views.

    Args:
        rays1: x/z, y/z in the first camera.
        rays2: The same joints at the same instants in the second.
        threshold: How far a joint may lie from its epipolar line, in rays; 0.01 is 10 px at a focal length of 1000 px.

    Raises:
        CalibrationError: too few joints, or no geometry explains them.
    """
    x1, x2 = _seen_in_both(rays1, rays2)
    rng = np.random.default_rng(_SEED)
    starts = [_start(x1, x2, rng.random(len(x1)) < _SHARE_OF_A_START, threshold) for _ in range(_STARTS)]
    tried = [_refined(start, x1, x2, threshold) for start in starts if start is not None]
    if not tried:
        raise CalibrationError(
            "No camera geometry explains the joints of the two views.",
            got=f"of {len(x1)} joints fewer than {LEAST_CORRESPONDENCES} agree on any",
            hint="are the clips synchronous, of the same person, from two different places?",
        )
    R, centre, _ = min(tried, key=lambda one: one[2])
    fits = np.abs(_sampson(R, centre, x1, x2)) < threshold
    return RelativePose(R, centre, float(fits.mean()), _in_front(R, centre, x1[fits], x2[fits]))


def _seen_in_both(rays1: FloatArray, rays2: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The joints that no view lacks."""
    both = np.isfinite(rays1).all(-1) & np.isfinite(rays2).all(-1)
    if both.sum() < LEAST_CORRESPONDENCES:
        raise CalibrationError(
            "Too few joints are seen in both views.",
            got=int(both.sum()),
            allowed=f"at least {LEAST_CORRESPONDENCES} (joints x instants)",
            hint="use a longer stretch, or check that the clips show the same person at the same time",
        )
    return rays1[both], rays2[both]


def _start(x1: FloatArray, x2: FloatArray, chosen: NDArray[np.bool_], threshold: float) -> tuple[FloatArray, FloatArray] | None:
    """(R, centre) by RANSAC on some of the joints: F, E, then the solution with the joints in front; None where nothing fits."""
    a, b = x1[chosen], x2[chosen]
    found: Any = cv2.findFundamentalMat(a * _RAY_UNIT, b * _RAY_UNIT, cv2.FM_RANSAC, threshold * _RAY_UNIT, 0.999, 5000)
    F, mask = found  # OpenCV's stubs do not know that both are None where nothing fits
    if F is None or mask is None or np.shape(F) != (3, 3):
        return None
    inliers = np.asarray(mask).reshape(-1).astype(bool)
    if inliers.sum() < LEAST_CORRESPONDENCES * _SHARE_OF_A_START:
        return None
    scale = np.diag([_RAY_UNIT, _RAY_UNIT, 1.0])
    U, _, Vt = np.linalg.svd(scale @ np.asarray(F, dtype=np.float64) @ scale)
    E = U @ np.diag([1.0, 1.0, 0.0]) @ Vt  # P2^T F P1 with P = I; two equal singular values make it essential
    return _cheirality(E, a[inliers], b[inliers])


def _cheirality(E: FloatArray, x1: FloatArray, x2: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Of the four (R, centre) of an essential matrix the one that sees most points in front (Hartley and Zisserman, 9.6.2)."""
    U, _, Vt = np.linalg.svd(E)
    W = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    turns = [turned * np.sign(np.linalg.det(turned)) for turned in (U @ W @ Vt, U @ W.T @ Vt)]
    solutions = [(R, -R.T @ translation) for R in turns for translation in (U[:, 2], -U[:, 2])]
    return max(solutions, key=lambda solution: _in_front(*solution, x1, x2))


def _in_front(R: FloatArray, centre: FloatArray, x1: FloatArray, x2: FloatArray) -> float:
    """Share of the points that lie in front of both cameras."""
    points = triangulated(np.stack([x1, x2], 1), np.stack([np.eye(3), R]), np.stack([np.zeros(3), centre]))
    return float(((points[:, 2] > 0) & (((points - centre) @ R.T)[:, 2] > 0)).mean())


def _refined(
    start: tuple[FloatArray, FloatArray], x1: FloatArray, x2: FloatArray, threshold: float
) -> tuple[FloatArray, FloatArray, float]:
    """The nearby (R, centre) with the least Sampson distances of all joints, far ones hardly counting, and that cost."""
    R, centre = start
    across = np.linalg.svd(centre[None])[2][1:]  # (2, 3) two directions in which a unit vector can move

    def moved(step: FloatArray) -> tuple[FloatArray, FloatArray]:
        direction = centre + step[3:] @ across
        return Rotation.from_rotvec(step[:3]).as_matrix() @ R, direction / np.linalg.norm(direction)

    def distances(step: FloatArray) -> FloatArray:
        return _sampson(*moved(step), x1, x2)

    solution = least_squares(distances, np.zeros(5), loss="cauchy", f_scale=threshold / 2)
    return *moved(solution.x), float(solution.cost)


def _sampson(R: FloatArray, centre: FloatArray, x1: FloatArray, x2: FloatArray) -> FloatArray:
    """(N,) signed first-order distances of rays from E = [t]x R with t = -R centre (Hartley and Zisserman, eq. 11.9)."""
    t = -R @ centre
    E = np.array([[0, -t[2], t[1]], [t[2], 0, -t[0]], [-t[1], t[0], 0]]) @ R
    h1, h2 = (np.concatenate([x, np.ones((len(x), 1))], axis=1) for x in (x1, x2))
    line2, line1 = h1 @ E.T, h2 @ E
    slopes = (line2[:, :2] ** 2).sum(1) + (line1[:, :2] ** 2).sum(1)
    return (h2 * line2).sum(1) / np.sqrt(np.maximum(slopes, 1e-12))


def triangulated(rays: FloatArray, R_camera_world: FloatArray, centres: FloatArray) -> FloatArray:
    """The points (N, 3), world axes, with the least sum of squared distances to their viewing lines; NaN if not seen twice.

    Args:
        rays: (N, V, 2), NaN = unseen.
        R_camera_world: (V, 3, 3).
        centres: (V, 3).

    Sum over the views of (I - d d^T) (p - c) = 0 for the unit direction d of each line.
    """
    lines = np.concatenate([rays, np.ones_like(rays[..., :1])], -1)  # (N, V, 3)
    directions = np.einsum("vji,nvj->nvi", R_camera_world, lines / np.linalg.norm(lines, axis=-1, keepdims=True))
    seen = np.isfinite(directions).all(-1)  # (N, V)
    d = np.where(seen[..., None], directions, 0.0)
    projectors = (np.eye(3) - d[..., :, None] * d[..., None, :]) * seen[..., None, None]
    A, b = projectors.sum(1), np.einsum("nvij,vj->ni", projectors, centres)
    twice = (seen.sum(1) >= 2) & (np.abs(np.linalg.det(A)) > 1e-9)
    points = np.full((len(rays), 3), np.nan)
    points[twice] = np.linalg.solve(A[twice], b[twice, :, None])[..., 0]
    return points


def found(views: MultiView2D, *, threshold: float = THRESHOLD, least_confidence: float = 0.5) -> MultiView2D:
    """The views with extrinsics found from their own keypoints, every camera against the first; the scale is still unknown.

    A third camera's distance comes from the joints that the first two have triangulated.
    """
    rays = np.where((views.confidence >= least_confidence)[..., None], views.rays, np.nan)
    flat = np.moveaxis(rays, 1, 0).reshape(views.views, -1, 2)  # (V, N J, 2)
    poses = [relative_pose(flat[0], flat[view], threshold) for view in range(1, views.views)]
    R = np.stack([np.eye(3), *(pose.R_2_1 for pose in poses)])
    centres = np.stack([np.zeros(3), *(pose.centre for pose in poses)])
    for view in range(2, views.views):
        centres[view] *= _ratio(flat, R, centres, view)
    return views.with_extrinsics(Extrinsics(R[None], centres[None], "unknown"))


def _ratio(flat: FloatArray, R: FloatArray, centres: FloatArray, view: int) -> float:
    """Distance of a camera from the first in units of the second's: the median ratio of joints' depths by both pairs."""
    by_second, by_this = (
        triangulated(np.stack([flat[0], flat[other]], 1), R[[0, other]], centres[[0, other]])[:, 2] for other in (1, view)
    )
    return float(np.nanmedian(by_second / by_this))


def scaled_by_distance(views: MultiView2D, distance_m: float) -> MultiView2D:
    """With the measured distance between the first two cameras, metres."""
    return _scaled(views, distance_m, "camera distance")


def scaled_by_stature(views: MultiView2D, stature_m: float) -> MultiView2D:
    """With the person's measured height, metres: bones do not change with the pose, so their lengths are compared, not the pose.

    Shins, thighs and the way from the hips to the shoulders together are 0.779 of the stature (Winter 2009, fig. 4.1).
    """
    cameras = _extrinsics(views)
    points = triangulated(
        views.rays.transpose(0, 2, 1, 3).reshape(-1, views.views, 2), cameras.R_camera_world[0], cameras.centre_m[0]
    ).reshape(views.instants, len(views.joints), 3)
    length = float(np.nanmedian(_chain(points, views.joints)))
    if not np.isfinite(length):
        raise CalibrationError("The person cannot be measured.", got="legs and shoulders are never seen in two views at once")
    return _scaled(views, _CHAIN_OF_STATURE * stature_m / length, "person height")


_CHAIN_OF_STATURE = 0.246 + 0.245 + 0.288


def _chain(points: FloatArray, joints: tuple[str, ...]) -> FloatArray:
    """(N,) shin + thigh + hips to shoulders, the mean of both sides; NaN where a joint is missing."""
    sides = [{part: points[:, joints.index(f"{side}_{part}")] for part in _PARTS} for side in ("left", "right")]
    bones = [np.linalg.norm(side[a] - side[b], axis=-1) for side in sides for a, b in itertools.pairwise(_PARTS)]
    return np.sum(bones, axis=0) / 2


_PARTS = ("ankle", "knee", "hip", "shoulder")


def _scaled(views: MultiView2D, factor: float, origin: ScaleOrigin) -> MultiView2D:
    if not np.isfinite(factor) or factor <= 0:
        raise CalibrationError("The scale is not usable.", got=factor, allowed="a number above 0")
    cameras = _extrinsics(views)
    return views.with_extrinsics(Extrinsics(cameras.R_camera_world, cameras.centre_m * factor, origin))


def _extrinsics(views: MultiView2D) -> Extrinsics:
    if views.extrinsics is None:
        raise CalibrationError("The views have no extrinsics yet.", hint="call extrinsics.found first")
    return views.extrinsics
