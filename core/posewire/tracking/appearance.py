"""How a person's torso looks: a hue-saturation histogram of the area between shoulders and hips, and the distance of two.

The descriptor is XNect's (Mehta 2020, section 8.3.1: HSV, hue and saturation in 30 bins each, over the torso joints), with
two changes: the area is the torso's outline instead of its bounding box, so that a person who leans brings no background
along; and the histogram is blurred by a bin, so that slightly different light does not make two looks disjoint.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from posewire.data import FloatArray, ImageArray

BINS = 30
"""Of hue and of saturation; a histogram has BINS * BINS entries."""

TORSO_NAMES = ("left_shoulder", "right_shoulder", "right_hip", "left_hip")
_MIN_CORNERS = 3
_SAMPLES_ACROSS = 48
"""The torso is read on a grid of about this many pixels along its longer side: the cost does not grow with the resolution."""
_MIN_PIXELS = 24
_OUTLINE_WIDTH = 0.2
"""Of the torso's longer side: a torso seen from the side is a line, and this makes it an area again."""


def torso_indices(keypoint_names: Sequence[str]) -> NDArray[np.int64]:
    """Rows of shoulders and hips among a method's keypoints; a method without them gets no appearance."""
    return np.array([keypoint_names.index(name) for name in TORSO_NAMES if name in keypoint_names], dtype=np.int64)


def torso_histogram(image: ImageArray, corners_px: FloatArray) -> FloatArray | None:
    """Blurred hue-saturation histogram (BINS * BINS,) of the torso, sums to 1.

    Args:
        image: (H, W, 3) uint8 RGB.
        corners_px: (C, 2) shoulders and hips in pixels; NaN = unseen.

    Returns:
        None where fewer than three corners are seen or too little of the torso lies inside the image.
    """
    corners = corners_px[np.isfinite(corners_px).all(axis=1)]
    if len(corners) < _MIN_CORNERS:
        return None
    patch, inside = _torso_patch(image, corners)
    if np.count_nonzero(inside) < _MIN_PIXELS:
        return None
    hsv = cv2.cvtColor(patch, cv2.COLOR_RGB2HSV)
    counts = cv2.calcHist([hsv], [0, 1], inside, [BINS, BINS], [0, 180, 0, 256])
    return _blurred(np.asarray(counts, dtype=np.float64)).ravel()


def _torso_patch(image: ImageArray, corners: FloatArray) -> tuple[ImageArray, ImageArray]:
    """The thinned-out picture around the torso and the mask (0 or 255) of the torso in it; empty when it lies outside."""
    height, width = image.shape[:2]
    longer_px = float(np.max(np.ptp(corners, axis=0)))
    low = np.clip(np.floor(corners.min(axis=0)), 0, [width, height]).astype(int)
    high = np.clip(np.ceil(corners.max(axis=0)) + 1, 0, [width, height]).astype(int)
    if (high <= low).any():
        return np.empty((0, 0, 3), np.uint8), np.empty((0, 0), np.uint8)
    step = max(1, int(longer_px / _SAMPLES_ACROSS))
    patch = np.ascontiguousarray(image[low[1] : high[1] : step, low[0] : high[0] : step])
    inside = np.zeros(patch.shape[:2], np.uint8)
    # Far-off corners (a torso mostly outside the picture) would overflow OpenCV's fixed-point drawing.
    polygon = np.clip((corners - low) / step, -10_000, 10_000).round().astype(np.int32)
    hull = cv2.convexHull(polygon)
    cv2.fillConvexPoly(inside, hull, 255)
    cv2.polylines(inside, [hull], isClosed=True, color=255, thickness=max(1, min(32, round(_OUTLINE_WIDTH * longer_px / step))))
    return patch, inside


def _blur_matrix(*, circular: bool) -> FloatArray:
    """(BINS, BINS) binomial 1-2-1 blur; at an end that is not joined to the other, a bin keeps what it would lose."""
    one = np.eye(BINS)
    up, down = np.roll(one, 1, axis=0), np.roll(one, -1, axis=0)
    if not circular:
        up[0], down[-1] = one[0], one[-1]
    return 0.5 * one + 0.25 * (up + down)


_HUE_BLUR, _SATURATION_BLUR = _blur_matrix(circular=True), _blur_matrix(circular=False)


def _blurred(counts: FloatArray) -> FloatArray:
    """A (hue, saturation) histogram blurred by a bin both ways and normalised to sum 1; hue is a circle."""
    counts = _HUE_BLUR @ counts @ _SATURATION_BLUR.T
    return counts / counts.sum()


def dissimilarity(a: FloatArray | None, b: FloatArray | None) -> float:
    """Hellinger distance of two histograms, 0 (equal) to 1 (nothing in common); NaN when one is missing.

    d = sqrt(1 - sum_i sqrt(a_i b_i)) (Bhattacharyya 1943). XNect takes the squared difference, which is nearly zero for any
    two histograms that are spread over many bins.
    """
    if a is None or b is None:
        return float("nan")
    return float(np.sqrt(max(0.0, 1.0 - np.sqrt(a * b).sum())))
