"""What must hold of any answer of a method; each message says what a plugin author has to change."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from posewire.data import Detections, FloatArray, Frame
from posewire.methods import MethodCard

SIZE_M = (0.5, 2.5)
"""Largest distance between two keypoints of a grown person whose body is in view."""
FAR_FROM_ROOT_M = 1.5
MIN_KEYPOINTS = 4
"""Fewer keypoints say nothing about size and axes."""


def require(condition: bool | np.bool_, message: str) -> None:
    """Fails with the message alone; a plain assert would print whole arrays above it."""
    __tracebackhide__ = True
    if not condition:
        raise AssertionError(message)


def check_detections(detections: object, card: MethodCard, max_people: int) -> None:
    """Shapes, numbers and the rules of NaN, for any frame."""
    __tracebackhide__ = True
    if not isinstance(detections, Detections):
        raise AssertionError(f"estimate() must return posewire.data.Detections, not {type(detections).__name__}")
    people, joints = detections.confidence.shape
    require(joints == len(card.joints), f"{joints} keypoints returned, {len(card.joints)} named on the card")
    require(people <= max_people, f"{people} people returned, at most {max_people} allowed")
    _check_numbers(detections)
    _check_unseen(detections)


def _check_numbers(detections: Detections) -> None:
    __tracebackhide__ = True
    confidence, boxes_px = detections.confidence, detections.boxes_px
    require(np.isfinite(confidence).all(), "confidence must be a number: 0 where unseen, never NaN")
    low, high = confidence.min(initial=0.0), confidence.max(initial=0.0)
    require(low >= 0 and high <= 1, f"confidence must be within 0..1, not {low:.3g}..{high:.3g}: is a sigmoid missing?")
    require(not np.isinf(detections.keypoints_px).any(), "a keypoint in pixels is infinite")
    good = np.isfinite(boxes_px).all() and (boxes_px[:, 2:] > boxes_px[:, :2]).all()
    require(good, f"a box must be x0 y0 x1 y1 in pixels with x1 > x0 and y1 > y0, not {boxes_px.tolist()}")


def _check_unseen(detections: Detections) -> None:
    """Unseen is NaN with confidence 0; seen is a number with confidence above 0."""
    __tracebackhide__ = True
    unseen = _unknown(detections.keypoints_px, "x and y of a keypoint")
    require((detections.confidence[unseen] == 0).all(), "an unseen keypoint (NaN) must have confidence 0")
    require((detections.confidence[~unseen] > 0).all(), "a keypoint with confidence 0 must be NaN, never (0, 0) or a guess")
    require(not unseen.all(axis=-1).any(), "a person without any keypoint must be left out")
    if detections.keypoints_m is not None:
        check_keypoints_m(detections.keypoints_m)


def check_keypoints_m(keypoints_m: FloatArray) -> None:
    """No infinity, no half-known point, no zeros for unknown in keypoints (..., J, 3)."""
    __tracebackhide__ = True
    require(not np.isinf(keypoints_m).any(), "a keypoint in metres is infinite")
    _unknown(keypoints_m, "x, y and z of a keypoint")
    at_root = (keypoints_m == 0).all(axis=-1).sum(axis=-1)
    require((at_root <= 1).all(), "several keypoints lie exactly at (0, 0, 0): unknown must be NaN, never zero")


def _unknown(keypoints: FloatArray, what: str) -> NDArray[np.bool_]:
    __tracebackhide__ = True
    missing = np.isnan(keypoints)
    unknown = np.asarray(missing.all(axis=-1))
    require((unknown == missing.any(axis=-1)).all(), f"{what} must be NaN together")
    return unknown


def check_pixels(detections: Detections, frame: Frame) -> None:
    """Keypoints are pixels of the whole picture, not of a crop, and not 0..1."""
    __tracebackhide__ = True
    size_px = np.array(frame.size_px)
    for keypoints_px in detections.keypoints_px:
        seen = keypoints_px[np.isfinite(keypoints_px).all(axis=-1)]
        span_px = float(np.ptp(seen, axis=0).max())
        require(span_px > 0.02 * size_px.min(), f"a person spans {span_px:.3g} px: are these pixels of the whole picture?")
        inside = ((seen > -size_px) & (seen < 2 * size_px)).all()
        require(inside, "a keypoint lies more than a picture outside the picture: are these pixels?")
        require(not (seen == 0).all(axis=-1).any(), "a keypoint lies exactly at (0, 0): unseen must be NaN, never zero")


def check_some_metres(answers: Sequence[Detections]) -> None:
    """Who gives metres knows some of them."""
    __tracebackhide__ = True
    told = [found.keypoints_m for found in answers if found.keypoints_m is not None and found.people]
    known = not told or any(np.isfinite(keypoints_m).any() for keypoints_m in told)
    require(known, "every keypoint in metres is NaN: is there a division by zero? Without 3D keypoints_m is None")


def check_person_m(keypoints_m: FloatArray, keypoints_px: FloatArray, size_m: tuple[float, float] = SIZE_M) -> None:
    """One person's keypoints (J, 3): metres, root-relative, camera axes (x right, y down); beside them the pixels (J, 2)."""
    __tracebackhide__ = True
    both = np.isfinite(keypoints_m).all(axis=-1) & np.isfinite(keypoints_px).all(axis=-1)
    points_m, points_px = keypoints_m[both], keypoints_px[both]
    if len(points_m) < MIN_KEYPOINTS:
        return
    largest_m = float(np.linalg.norm(points_m[:, None] - points_m[None], axis=-1).max())
    low, high = size_m
    require(low <= largest_m <= high, f"a person is {largest_m:.3g} m long, not {low:g} to {high:g} m: are these metres?")
    distance_m = float(np.linalg.norm(points_m.mean(axis=0)))
    require(distance_m < FAR_FROM_ROOT_M, f"the keypoints lie {distance_m:.3g} m from the root: are they root-relative?")
    _check_axes(points_m, points_px)


def _check_axes(points_m: FloatArray, points_px: FloatArray) -> None:
    """The person's longer side in the picture decides: along the shorter one noise may win."""
    __tracebackhide__ = True
    axis = int(np.ptp(points_px, axis=0).argmax())
    agreement = float(np.corrcoef(points_m[:, axis], points_px[:, axis])[0, 1])
    direction = ("x right", "y down")[axis]
    require(agreement > 0.5, f"metres and pixels disagree ({agreement:.2f}) along {direction}: is a camera axis turned round?")


def check_same(first: Detections, second: Detections, message: str, tolerance: float = 1e-3) -> None:
    """Two answers are the same: people, boxes, pixels, metres and confidence."""
    __tracebackhide__ = True
    for name in ("keypoints_px", "confidence", "boxes_px", "keypoints_m"):
        one, other = getattr(first, name), getattr(second, name)
        if one is None or other is None:
            require(one is other, f"{name}: {message}")
        else:
            same = one.shape == other.shape and np.allclose(one, other, rtol=0, atol=tolerance, equal_nan=True)
            require(same, f"{name}: {message}")
