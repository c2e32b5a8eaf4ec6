"""How a person is dressed: hue-saturation histograms of the torso and of the legs, and the distance of two such looks.

The descriptor is XNect's (Mehta 2020, section 8.3.1: HSV, hue and saturation in 30 bins each, over the torso joints), with
three changes: the area is the torso's outline instead of its bounding box, so that a person who leans brings no background
along; the legs count as much as the torso, because of two dark jackets one often goes with jeans; and a histogram is blurred
by a bin, so that slightly different light does not make two looks disjoint.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from posewire import pictures
from posewire.data import FloatArray, ImageArray, Picture

BINS = 30
"""Of hue and of saturation; a histogram has BINS * BINS entries."""
PARTS = 2
"""Torso and legs; a look has PARTS * BINS * BINS entries."""

TORSO_NAMES = ("left_shoulder", "right_shoulder", "right_hip", "left_hip")
LEG_NAMES = tuple(tuple(f"{side}_{joint}" for joint in ("hip", "knee", "ankle")) for side in ("left", "right"))
_MIN_CORNERS = 3
_SAMPLES_ACROSS = 48
"""A part is read on a grid of about this many pixels along its longer side: the cost does not grow with the resolution."""
_MIN_PIXELS = 24
_OUTLINE_WIDTH = 0.2
"""Of the torso's longer side: a torso seen from the side is a line, and this makes it an area again."""
_LEG_WIDTH = 0.1
"""Of the legs' longer side."""
_SHIN = 0.6
"""Of the shin counts as leg: below it are shoes and floor."""
_FAR_PX = 10_000
"""Far-off corners (a body mostly outside the picture) would overflow OpenCV's fixed-point drawing."""


@dataclass(frozen=True, slots=True, eq=False)
class Clothes:
    """Where a method's keypoints show clothes."""

    torso: NDArray[np.int64]
    """(0..4,) rows of shoulders and hips in drawing order."""
    legs: NDArray[np.int64]
    """(0..2, 3) rows of hip, knee and ankle of each leg that the method knows."""

    @classmethod
    def of(cls, keypoint_names: Sequence[str]) -> Clothes:
        """For a method's keypoints; one without shoulders, hips or knees shows less, or nothing."""
        rows = {name: row for row, name in enumerate(keypoint_names)}
        torso = [rows[name] for name in TORSO_NAMES if name in rows]
        legs = [[rows[name] for name in leg] for leg in LEG_NAMES if all(name in rows for name in leg)]
        return cls(np.array(torso, dtype=np.int64), np.array(legs, dtype=np.int64).reshape(-1, 3))

    def look(self, picture: ImageArray | Picture, keypoints_px: FloatArray) -> FloatArray | None:
        """The look (PARTS * BINS * BINS,) of a body (J, 2) in a Frame's picture.

        Returns:
            A part that is not seen is NaN; None where neither is.
        """
        parts = torso_histogram(picture, keypoints_px[self.torso]), legs_histogram(picture, keypoints_px[self.legs])
        if all(part is None for part in parts):
            return None
        return np.concatenate([_UNSEEN if part is None else part for part in parts])


def torso_histogram(picture: ImageArray | Picture, corners_px: FloatArray) -> FloatArray | None:
    """Blurred hue-saturation histogram (BINS * BINS,) of the torso, sums to 1.

    Args:
        picture: Frame.picture, or RGB (H, W, 3) uint8.
        corners_px: (C, 2) shoulders and hips in pixels; NaN = unseen.

    Returns:
        None where fewer than three corners are seen or too little of the torso lies inside the image.
    """
    corners = corners_px[np.isfinite(corners_px).all(axis=1)]
    part = _Part.around(corners, picture) if len(corners) >= _MIN_CORNERS else None
    if part is None:
        return None
    hull = np.asarray(cv2.convexHull(part.drawn(corners)), dtype=np.int32)
    part.fill(hull)
    part.stroke(hull, _OUTLINE_WIDTH, closed=True)
    return part.histogram()


def legs_histogram(picture: ImageArray | Picture, legs_px: FloatArray) -> FloatArray | None:
    """The same of the legs (L, 3, 2), each hip, knee and ankle, without the feet; None where no whole leg is seen."""
    legs = legs_px[np.isfinite(legs_px).all(axis=(1, 2))]
    legs[:, 2] = legs[:, 1] + _SHIN * (legs[:, 2] - legs[:, 1])
    part = _Part.around(legs.reshape(-1, 2), picture) if len(legs) else None
    if part is None:
        return None
    for leg in legs:
        part.stroke(part.drawn(leg), _LEG_WIDTH, closed=False)
    return part.histogram()


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """The thinned-out picture around some points, and a mask to draw into."""

    patch: ImageArray
    """(h, w, 3) RGB"""
    inside: ImageArray
    """(h, w) 0 or 255"""
    low_px: FloatArray
    """(2,) x and y in the picture of the patch's first pixel."""
    step_px: int
    """Of the picture, from one pixel of the patch to the next."""
    longer: float
    """The longer side of what the points span, in pixels of the patch."""

    @classmethod
    def around(cls, points_px: FloatArray, picture: ImageArray | Picture) -> Self | None:
        """For points (C, 2) of a picture; None where what they span lies outside it."""
        height_px, width_px = picture.shape[:2] if isinstance(picture, np.ndarray) else (picture.height_px, picture.width_px)
        across, down = points_px.T.tolist()
        longer_px = max(max(across) - min(across), max(down) - min(down))
        step = max(1, int(longer_px / _SAMPLES_ACROSS))
        x, y = _span(across, width_px, step), _span(down, height_px, step)
        if x.start == x.stop or y.start == y.stop:
            return None
        patch = pictures.thinned(picture, y, x)
        low_px = np.array([x.start, y.start], dtype=np.float64)
        return cls(patch, np.zeros(patch.shape[:2], np.uint8), low_px, step, longer_px / step)

    def drawn(self, points_px: FloatArray) -> NDArray[np.int32]:
        """Points (C, 2) of the picture where they lie in the mask."""
        return ((points_px - self.low_px) / self.step_px).clip(-_FAR_PX, _FAR_PX).round().astype(np.int32)

    def fill(self, outline: NDArray[np.int32]) -> None:
        """Fills a convex outline (C, 1, 2)."""
        cv2.fillConvexPoly(self.inside, outline, 255)

    def stroke(self, line: NDArray[np.int32], width: float, *, closed: bool) -> None:
        """Draws a line (C, 2), so wide in longer sides."""
        thickness = max(1, min(32, round(width * self.longer)))
        cv2.polylines(self.inside, [line], isClosed=closed, color=255, thickness=thickness)

    def histogram(self) -> FloatArray | None:
        """Of the pixels inside, if they are enough."""
        if np.count_nonzero(self.inside) < _MIN_PIXELS:
            return None
        hsv = cv2.cvtColor(self.patch, cv2.COLOR_RGB2HSV)
        counts = cv2.calcHist([hsv], [0, 1], self.inside, [BINS, BINS], [0, 180, 0, 256])
        return _blurred(np.asarray(counts, dtype=np.float64)).ravel()


def _span(points_px: list[float], size_px: int, step: int) -> slice:
    """From the lowest to the highest, as far as it lies in the picture. (Not in numpy, which takes longer for so few.)"""
    low, high = math.floor(min(points_px)), math.ceil(max(points_px)) + 1
    low, high = min(max(low, 0), size_px), min(max(high, 0), size_px)
    return slice(low, max(low, high), step)


def _blur_matrix(*, circular: bool) -> FloatArray:
    """(BINS, BINS) binomial 1-2-1 blur; at an end that is not joined to the other, a bin keeps what it would lose."""
    one = np.eye(BINS)
    up, down = np.roll(one, 1, axis=0), np.roll(one, -1, axis=0)
    if not circular:
        up[0], down[-1] = one[0], one[-1]
    return 0.5 * one + 0.25 * (up + down)


_HUE_BLUR, _SATURATION_BLUR = _blur_matrix(circular=True), _blur_matrix(circular=False)
_UNSEEN = np.full(BINS * BINS, np.nan)


def _blurred(counts: FloatArray) -> FloatArray:
    """A (hue, saturation) histogram blurred by a bin both ways and normalised to sum 1; hue is a circle."""
    counts = _HUE_BLUR @ counts @ _SATURATION_BLUR.T
    return counts / counts.sum()


def blended(memory: FloatArray | None, fresh: FloatArray, trust: float) -> FloatArray:
    """A remembered look with `trust` of a fresh one mixed in; what only one of them knows is taken from it."""
    if memory is None:
        return fresh
    mixed = (1.0 - trust) * memory + trust * fresh
    return np.where(np.isfinite(mixed), mixed, np.where(np.isfinite(memory), memory, fresh))


def dissimilarity(a: FloatArray | None, b: FloatArray | None) -> float:
    """Hellinger distance of two looks (or histograms), 0 (equal) to 1 (nothing in common); NaN when no part is known of both.

    d = sqrt(1 - mean over parts of sum_i sqrt(a_i b_i)) (Bhattacharyya 1943). XNect takes the squared difference, which is
    nearly zero for any two histograms that are spread over many bins.
    """
    if a is None or b is None:
        return float("nan")
    alike: list[float] = np.sqrt(a * b).reshape(-1, BINS * BINS).sum(axis=1).tolist()
    known = [part for part in alike if math.isfinite(part)]
    return math.sqrt(max(0.0, 1.0 - sum(known) / len(known))) if known else math.nan
