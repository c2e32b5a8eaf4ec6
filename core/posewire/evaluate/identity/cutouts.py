"""The walker of the bundled clip, cut out of every third picture, and the room without the walker: real footage to compose.

The mask is GrabCut's (Rother, Kolmogorov and Blake 2004), started from the walker's own keypoints. The torso is coloured as
asked: hue, saturation and brightness are changed as a whole, so folds, light and noise stay those of the camera.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import resources

import cv2
import numpy as np
from numpy.typing import NDArray

from posewire import capture
from posewire.data import FloatArray, Frame, ImageArray
from posewire.methods import SourceOptions
from posewire.pipeline import open_estimator
from posewire.settings import Settings

EVERY = 3
"""Of the clip's 60 pictures a second: the cutouts are a film of 20 a second."""
FRAMES_PER_S = 20
_SCALE = 0.4
_SIDES = ("left", "right")
_LIMBS = tuple(
    tuple(f"{side}_{joint}" for joint in limb)
    for side in _SIDES
    for limb in (("shoulder", "elbow", "wrist", "index"), ("hip", "knee", "ankle", "heel", "foot_index"))
)
_TORSO = ("left_shoulder", "right_shoulder", "right_hip", "left_hip")
_BANDS = ((0.13, cv2.GC_PR_BGD), (0.07, cv2.GC_PR_FGD), (0.025, cv2.GC_FGD))
"""Width of the stroke along each limb, in heights of the walker, and what it says to GrabCut; outside is background."""
_SHIRT_REACH = 0.1
"""The shirt covers the torso and so much of the walker's height around it: shoulders and flanks."""
_ROOM = (slice(120, 315), slice(76, 422))
"""Rows and columns (of the scaled clip) of the room: without the bystander, without the clip's black edges."""


@dataclass(frozen=True, slots=True, eq=False)
class Cutout:
    """The walker in one picture."""

    image: ImageArray
    """(h, w, 3) RGB."""
    mask: FloatArray
    """(h, w) 0..1, how much of the pixel is the walker."""
    shirt: FloatArray
    """(h, w) 0..1, how much of the pixel is torso."""
    foot_px: tuple[float, float]
    """Below the hips, at the lowest point of the walker: where the cutout stands."""


@dataclass(frozen=True, slots=True, eq=False)
class Footage:
    """What the clip gives."""

    cutouts: Sequence[Cutout]
    room: ImageArray
    """(H, W, 3) the background behind the walker."""


@dataclass(frozen=True, slots=True)
class Shirt:
    """A colour for the torso."""

    hue_deg: float
    saturation: float
    """Mean over the torso, 0..1."""
    brightness: float = 1.0
    """Factor."""


def cut_out() -> Footage:
    """Reads the bundled clip; takes some ten seconds."""
    cutouts: list[Cutout] = []
    pictures: list[ImageArray] = []
    outside: list[NDArray[np.bool_]] = []
    names, frames = _seen_frames()
    for image, keypoints_px in frames:
        mask = _mask(image, names, keypoints_px)
        cutouts.append(_cutout(image, mask, names, keypoints_px))
        pictures.append(image)
        outside.append(np.asarray(cv2.dilate(mask, np.ones((9, 9)))) < 1.0)
    return Footage(cutouts, _room(np.array(pictures), np.array(outside)))


def _seen_frames() -> tuple[tuple[str, ...], list[tuple[ImageArray, FloatArray]]]:
    """Keypoint names, and every third picture of the clip, scaled, with the walker's keypoints (J, 2)."""
    card, estimator = open_estimator(Settings())
    with resources.as_file(resources.files("posewire") / "assets" / "balancing_cam01.mp4") as path:
        source = capture.open_source(str(path), SourceOptions())
        # RGB, not the decoder's planes: which method looks at them in which way must not change the footage.
        frames = [replace(frame, picture=frame.image) for frame in source if frame.index % EVERY == 0]
        source.close()
    seen = [(_scaled(frame), estimator.estimate(frame).keypoints_px[0] * _SCALE) for frame in frames]
    estimator.close()
    return card.joints, seen


def _scaled(frame: Frame) -> ImageArray:
    small = cv2.resize(frame.image, None, fx=_SCALE, fy=_SCALE, interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.uint8)


def _mask(image: ImageArray, names: Sequence[str], keypoints_px: FloatArray) -> FloatArray:
    """(H, W) 0..1 the walker, by GrabCut around the keypoints; softened by a pixel."""
    labels = np.full(image.shape[:2], cv2.GC_BGD, np.uint8)
    height_px = float(np.ptp(keypoints_px[:, 1]))
    for width, label in _BANDS:
        _draw_body(labels, names, keypoints_px, width * height_px, int(label))
    rows, columns = (slice(int(line.min()), int(line.max()) + 1) for line in np.nonzero(labels))
    part = np.ascontiguousarray(labels[rows, columns])
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)  # its clusters start at random: the scenes must not depend on what OpenCV did before
    cv2.grabCut(np.ascontiguousarray(image[rows, columns]), part, None, *models, 3, cv2.GC_INIT_WITH_MASK)  # pyright: ignore[reportCallIssue, reportArgumentType]
    labels[rows, columns] = part
    person = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    inner = cv2.erode(_largest_piece(person), np.ones((3, 3)))
    return np.asarray(cv2.GaussianBlur(inner.astype(np.float64), (0, 0), 0.8), dtype=np.float64)


def _draw_body(labels: ImageArray, names: Sequence[str], keypoints_px: FloatArray, width_px: float, label: int) -> None:
    def points(*wanted: str) -> np.ndarray:
        return keypoints_px[[names.index(name) for name in wanted]].round().astype(np.int32)

    thickness = max(1, round(width_px))
    for limb in _LIMBS:
        cv2.polylines(labels, [points(*limb)], isClosed=False, color=label, thickness=thickness)
    hull = cv2.convexHull(points(*_TORSO))
    cv2.fillConvexPoly(labels, hull, label)
    cv2.polylines(labels, [hull], isClosed=True, color=label, thickness=thickness)
    torso_px = float(np.linalg.norm(np.ptp(points("left_shoulder", "right_hip"), axis=0)))
    ear_x, ear_y = points("left_ear", "right_ear").mean(axis=0)
    cv2.circle(labels, (round(ear_x), round(ear_y)), round(0.12 * torso_px + 0.5 * width_px), label, -1)


def _largest_piece(person: ImageArray) -> ImageArray:
    _, pieces, sizes, _ = cv2.connectedComponentsWithStats(cv2.morphologyEx(person, cv2.MORPH_OPEN, np.ones((3, 3))))
    return (pieces == 1 + np.argmax(sizes[1:, cv2.CC_STAT_AREA])).astype(np.uint8)


def _cutout(image: ImageArray, mask: FloatArray, names: Sequence[str], keypoints_px: FloatArray) -> Cutout:
    rows, columns = (slice(int(line.min()), int(line.max()) + 1) for line in np.nonzero(mask > 0.5))
    torso = keypoints_px[[names.index(name) for name in _TORSO]]
    shirt = np.zeros(image.shape[:2], np.uint8)
    hull = cv2.convexHull(torso.round().astype(np.int32))
    cv2.fillConvexPoly(shirt, hull, 1)
    reach_px = max(1, round(_SHIRT_REACH * float(np.ptp(keypoints_px[:, 1]))))
    cv2.polylines(shirt, [hull], isClosed=True, color=1, thickness=reach_px)
    soft = cv2.GaussianBlur(shirt.astype(np.float64), (0, 0), 1.0) * mask
    foot_px = float(torso[2:, 0].mean()) - columns.start, float(rows.stop - rows.start)
    return Cutout(image[rows, columns], mask[rows, columns], soft[rows, columns], foot_px)


def _room(pictures: ImageArray, outside: NDArray[np.bool_]) -> ImageArray:
    """The median of what is seen of the room behind the walker; what never is seen is painted in from its surroundings."""
    pictures, outside = pictures[:, *_ROOM], outside[:, *_ROOM]
    never = np.logical_not(np.any(outside, axis=0))
    seen = np.where((outside | never)[..., None], pictures.astype(np.float32), np.nan)
    room = np.nanmedian(seen, axis=0).astype(np.uint8)
    return np.asarray(cv2.inpaint(room, never.astype(np.uint8), 5, cv2.INPAINT_TELEA), dtype=np.uint8)


def dressed(cutout: Cutout, shirt: Shirt | None) -> ImageArray:
    """The cutout's picture (h, w, 3) with the torso in the shirt's colour."""
    if shirt is None:
        return cutout.image
    hsv = cv2.cvtColor(cutout.image, cv2.COLOR_RGB2HSV).astype(np.float64)
    torso = cutout.shirt > 0.5
    hsv[..., 0] = shirt.hue_deg / 2
    hsv[..., 1] *= 255 * shirt.saturation / max(float(hsv[torso, 1].mean()), 1.0)
    hsv[..., 2] *= shirt.brightness
    coloured = cv2.cvtColor(np.clip(hsv, 0, [179, 255, 255]).round().astype(np.uint8), cv2.COLOR_HSV2RGB)
    share = cutout.shirt[..., None]
    return (share * coloured + (1 - share) * cutout.image).round().astype(np.uint8)
