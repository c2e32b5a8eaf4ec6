"""Anti-aliased strokes at fractions of a pixel, so that slow movement does not jump from pixel to pixel."""

from __future__ import annotations

from collections.abc import Sequence

import cv2

from posewire.data import FloatArray, ImageArray
from posewire.preview.palette import OUTLINE, Colour

_BITS = 4
_FAR_PX = 30_000.0
"""OpenCV's fixed-point coordinates overflow beyond this."""


def line(image: ImageArray, a: FloatArray, b: FloatArray, colour: Colour, width_px: int) -> None:
    """A line from a (2,) to b (2,), pixels; nothing where an end is NaN or far outside."""
    if _drawable(a) and _drawable(b):
        cv2.line(image, _fixed(a), _fixed(b), colour, width_px, cv2.LINE_AA, _BITS)


def bone(image: ImageArray, a: FloatArray, b: FloatArray, colour: Colour, width_px: int) -> None:
    """A line with a dark edge, legible on any picture."""
    line(image, a, b, OUTLINE, width_px + 2)
    line(image, a, b, colour, width_px)


def bones(image: ImageArray, segments: Sequence[tuple[FloatArray, FloatArray, Colour]], width_px: int) -> None:
    """Many bones that join: no edge cuts into another bone."""
    for a, b, _ in segments:
        line(image, a, b, OUTLINE, width_px + 2)
    for a, b, colour in segments:
        line(image, a, b, colour, width_px)


def dot(image: ImageArray, centre: FloatArray, colour: Colour, radius_px: float) -> None:
    """A disc with a dark edge at centre (2,), pixels."""
    if _drawable(centre):
        at = _fixed(centre)
        cv2.circle(image, at, round((radius_px + 1) * 2**_BITS), OUTLINE, -1, cv2.LINE_AA, _BITS)
        cv2.circle(image, at, round(radius_px * 2**_BITS), colour, -1, cv2.LINE_AA, _BITS)


def ring(image: ImageArray, centre: FloatArray, colour: Colour, radius_px: float, width_px: int) -> None:
    """A circle with a dark edge at centre (2,), pixels."""
    if _drawable(centre) and 0 < radius_px < _FAR_PX:
        at, radius = _fixed(centre), round(radius_px * 2**_BITS)
        cv2.circle(image, at, radius, OUTLINE, width_px + 2, cv2.LINE_AA, _BITS)
        cv2.circle(image, at, radius, colour, width_px, cv2.LINE_AA, _BITS)


def _drawable(point: FloatArray) -> bool:
    return abs(float(point[0])) < _FAR_PX and abs(float(point[1])) < _FAR_PX  # False for NaN


def _fixed(point: FloatArray) -> tuple[int, int]:
    return round(float(point[0]) * 2**_BITS), round(float(point[1]) * 2**_BITS)
