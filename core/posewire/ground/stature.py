"""Stature from the ground plane: foot ray and head billboard (Mehta 2020, section 8.3.2).

The ray through the feet meets the floor where the person stands; a billboard stands there, upright and facing the camera; the
ray through the head meets it at the head's height. Keypoints are neither sole nor crown: with feet at the share f of the
stature h and the head point at the share g (reference skeleton), both meetings are linear in h. With the camera at height C,
foot ray d, head ray e, and m the level direction to the feet:  k = (d.m / e.m) e_y / (-d_y),  h = C (1 + k) / (g + k f).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from posewire import camera as cameras
from posewire.data import Camera, FloatArray
from posewire.skeleton import MARKERS, REFERENCE, REFERENCE_HEIGHT_M

STATURE_RANGE_M = (0.5, 2.5)
FEWEST_FRAMES = 15
STRAIGHT = 0.97
"""Least ratio of the way from head to feet to the way over hips and knees, in the picture."""
_UPRIGHT = 0.15
"""Largest sideways lean over the billboard: 8.5 degrees."""
_CERTAIN = 0.03
"""Largest relative deviation of a stature that is said."""
_HEADS = (("left_ear", "right_ear"), ("left_eye", "right_eye"), ("head_top",), ("nose",), ("head",))
"""Head points by preference: the ears lie above the ankles, a nose is a hand's breadth before them."""
_FEET = (("left_ankle", "right_ankle"), ("left_heel", "right_heel"))
_MIDDLES = (("left_hip", "right_hip"), ("left_knee", "right_knee"))


@dataclass(frozen=True, slots=True)
class Stature:
    """A person's height, and how well it is known."""

    height_m: float
    deviation_m: float
    """Robust deviation of a single frame's answer (not of the median)."""
    frames: int
    """Frames in which the person stood upright."""


def billboard_stature_m(
    foot_px: ArrayLike, head_px: ArrayLike, camera: Camera, *, foot_share: float = 0.0, head_share: float = 1.0
) -> FloatArray:
    """Stature (...,) of people whose feet and head are seen at (..., 2); NaN where a ray misses the floor or the billboard.

    Args:
        camera: With T_world_camera on a floor at y = 0.
        foot_share: Height of the foot point over the floor, as a share of the stature.
        head_share: The same of the head point.
    """
    return _on_billboard(foot_px, head_px, camera, foot_share, head_share)[0]


def _on_billboard(foot_px: ArrayLike, head_px: ArrayLike, camera: Camera, f: float, g: float) -> tuple[FloatArray, FloatArray]:
    """Stature (...,) and the head's sideways way from the feet over its height (...,)."""
    R, height_m = camera.T_world_camera[:3, :3], float(camera.T_world_camera[1, 3])
    d, e = cameras.rays(foot_px, camera) @ R.T, cameras.rays(head_px, camera) @ R.T  # (..., 3) world axes
    down = np.where(d[..., 1] < -1e-6, -d[..., 1], np.nan)
    level = d * [1.0, 0.0, 1.0]
    m = level / np.maximum(np.linalg.norm(level, axis=-1, keepdims=True), 1e-9)
    ahead = np.sum(e * m, axis=-1)
    reach = np.sum(d * m, axis=-1) / np.where(ahead > 1e-6, ahead, np.nan)  # the head ray's length for one of the foot ray
    k = reach * e[..., 1] / down
    stature = height_m * (1.0 + k) / (g + k * f)
    stature = np.where((stature > 0.0) & np.isfinite(stature), stature, np.nan)
    foot_way = (height_m - f * stature) / down
    side = np.stack([m[..., 2], np.zeros_like(down), -m[..., 0]], axis=-1)
    sideways = foot_way * reach * np.sum(e * side, axis=-1)  # m has no such part, so the feet are at 0
    return stature, sideways / ((g - f) * stature)


def height_from_ground(keypoints_px: ArrayLike, names: Sequence[str], camera: Camera) -> Stature | None:
    """One person's stature from the frames in which it stands upright; None while too few agree.

    Args:
        keypoints_px: (T, J, 2) pixels as seen, NaN = unseen.
        names: (J,) the method's keypoint names.
        camera: With T_world_camera on a floor at y = 0 (calibrated or estimated).
    """
    keypoints_px = np.asarray(keypoints_px, dtype=np.float64)
    head, foot = _first_seen(_HEADS, keypoints_px, names), _first_seen(_FEET, keypoints_px, names)
    if head is None or foot is None:
        return None
    statures, lean = _on_billboard(foot[0], head[0], camera, foot[1], head[1])
    low, high = STATURE_RANGE_M
    with np.errstate(invalid="ignore"):
        sensible = (np.abs(lean) < _UPRIGHT) & (statures >= low) & (statures <= high)
        usable = sensible & _standing(keypoints_px, names, head[0], foot[0])
    return _agreed(statures[usable])


def _agreed(statures_m: FloatArray) -> Stature | None:
    if len(statures_m) < FEWEST_FRAMES:
        return None
    height_m = float(np.median(statures_m))
    deviation_m = 1.4826 * float(np.median(np.abs(statures_m - height_m)))
    return Stature(height_m, deviation_m, len(statures_m)) if deviation_m <= _CERTAIN * height_m else None


def _first_seen(
    choices: Sequence[tuple[str, ...]], keypoints_px: FloatArray, names: Sequence[str]
) -> tuple[FloatArray, float] | None:
    """The middle (T, 2) of the first choice that is ever seen whole, and its height as a share of the stature."""
    for choice in choices:
        if all(name in names for name in choice):
            middle = _middle(choice, keypoints_px, names)
            if np.isfinite(middle).any():
                return middle, float(np.mean([_share(name) for name in choice]))
    return None


def _middle(choice: Sequence[str], keypoints_px: FloatArray, names: Sequence[str]) -> FloatArray:
    return keypoints_px[:, [list(names).index(name) for name in choice]].mean(axis=1)


def _share(name: str) -> float:
    """Height of a marker over the floor in the rest pose, as a share of the stature."""
    marker = MARKERS[name]
    joint, height_m = REFERENCE.index(marker.joint), marker.offset_m[1]
    while joint >= 0:
        height_m += float(REFERENCE.offsets_m[joint, 1])
        joint = REFERENCE.parents[joint]
    return height_m / REFERENCE_HEIGHT_M


def _standing(keypoints_px: FloatArray, names: Sequence[str], head_px: FloatArray, foot_px: FloatArray) -> NDArray[np.bool_]:
    """(T,) True where head, hips, knees and feet lie on a line in the picture, as they do on a straight body."""
    points = [head_px, *(_middle(c, keypoints_px, names) for c in _MIDDLES if all(n in names for n in c)), foot_px]
    way = sum(np.linalg.norm(b - a, axis=1) for a, b in pairwise(points))
    return np.linalg.norm(head_px - foot_px, axis=1) >= STRAIGHT * way
