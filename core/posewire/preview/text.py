"""Small smooth text: drawn large, then scaled down, because OpenCV's fonts are ragged at the size of a label."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import cv2
import numpy as np

from posewire.data import FloatArray, ImageArray
from posewire.preview.palette import Colour

_FONT, _OVERSIZE = cv2.FONT_HERSHEY_DUPLEX, 4


def put_text(
    image: ImageArray,
    text: str,
    x: int,
    y: int,
    height_px: int,
    colour: Colour,
    align: Literal["left", "centre", "right"] = "left",
) -> None:
    """Writes on `image` (H, W, 3), capitals from y to y + height_px; x is the text's left end, middle or right end."""
    mask = _mask(text, height_px)
    blend(image, mask, x - {"left": 0, "centre": mask.shape[1] // 2, "right": mask.shape[1]}[align], y, colour)


def blend(image: ImageArray, mask: FloatArray, x: int, y: int, colour: Colour) -> None:
    """Lays a colour on `image` through a mask (h, w) of 0..1 whose top left corner is at (x, y); clips at the borders."""
    top, left = max(y, 0), max(x, 0)
    area = image[top : max(y + mask.shape[0], 0), left : max(x + mask.shape[1], 0)]
    share = mask[top - y :, left - x :][: area.shape[0], : area.shape[1], None]
    area[:] = (area + (np.array(colour) - area) * share).astype(np.uint8)


@lru_cache(maxsize=256)
def _mask(text: str, height_px: int) -> FloatArray:
    """(h, w) coverage 0..1 of a line of text whose capitals are the first `height_px` rows."""
    text = text.encode(errors="replace").decode()  # of a file name that is no UTF-8 OpenCV would crash
    tall = height_px * _OVERSIZE
    scale = tall / _capital_px()
    width = cv2.getTextSize(text, _FONT, scale, _OVERSIZE)[0][0] + _OVERSIZE
    canvas = np.zeros((tall + tall // 2, width), dtype=np.uint8)
    cv2.putText(canvas, text, (0, tall), _FONT, scale, 255, _OVERSIZE, cv2.LINE_AA)
    size = max(1, round(width / _OVERSIZE)), max(1, round(canvas.shape[0] / _OVERSIZE))
    return np.asarray(cv2.resize(canvas, size, interpolation=cv2.INTER_AREA), dtype=np.float64) / 255.0


@lru_cache(maxsize=1)
def _capital_px() -> float:
    """Height of a capital at font scale 1, measured: OpenCV 4 and 5 draw different fonts under the same name."""
    scale = 8.0
    canvas = np.zeros((600, 600), dtype=np.uint8)
    cv2.putText(canvas, "H", (50, 500), _FONT, scale, 255, _OVERSIZE, cv2.LINE_AA)
    return float(np.count_nonzero(canvas.any(axis=1))) / scale
