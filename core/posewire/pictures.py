"""Parts of a picture, seen through an affine map, without turning the whole of it to RGB first.

A decoder gives brightness and, at half the size, two colour planes. A method that looks at a 256x256 crop needs RGB there only,
so a Frame may hold the planes; who asks for `Frame.image` gets RGB, made at that moment.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from posewire.data import FloatArray, ImageArray, Picture

_BLACK = (16, 128, 128)
"""Y, U, V of black in limited range."""
_TRUNCATED = np.array([1.0, 1.5, 1.0])
"""swscale, which makes the whole picture RGB, cuts off the fraction of each of a colour's two or three terms: half a level."""
_CHROMA_SHIFT = np.array([[0.0, 0.0, -0.25], [0.0, 0.0, -0.25]])
"""A colour sample lies in the middle of its 2x2 pixels, where the usual converters (swscale, OpenCV) put it."""


def yuv_to_rgb(kr: float, kb: float) -> FloatArray:
    """(3, 4) affine map from limited-range 8-bit Y, U, V to RGB 0..255 (ITU-R BT.601-7, section 2.5, solved for RGB).

    Args:
        kr, kb: The standard's weights of red and blue in the brightness.
    """
    kg = 1 - kr - kb
    y, uv = 255 / 219, 255 / 224
    r_v, b_u = 2 * (1 - kr) * uv, 2 * (1 - kb) * uv
    M = np.array([[y, 0, r_v], [y, -b_u * kb / kg, -r_v * kr / kg], [y, b_u, 0]])
    return np.hstack([M, (M @ -np.array(_BLACK, dtype=np.float64) - _TRUNCATED)[:, None]])


BT601, BT709 = yuv_to_rgb(0.299, 0.114), yuv_to_rgb(0.2126, 0.0722)


class PlanarPicture:
    """A Picture in three 8-bit planes of limited range (yuv420p), which it keeps alive.

    Args:
        planes: y (H, W), u and v (H/2, W/2), rounded up.
        to_rgb: (3, 4) BT601 or BT709.
        convert: Makes the whole picture RGB (H, W, 3); called when somebody asks, from any thread.
    """

    def __init__(
        self, planes: tuple[ImageArray, ImageArray, ImageArray], to_rgb: FloatArray, convert: Callable[[], ImageArray]
    ) -> None:
        self._planes, self._to_rgb, self._convert = planes, to_rgb, convert
        self.height_px, self.width_px = planes[0].shape
        self._rgb: ImageArray | None = None

    @property
    def rgb(self) -> ImageArray:
        """(H, W, 3) uint8 RGB, read-only; made when first asked for."""
        if self._rgb is None:
            image = self._convert()
            image.flags.writeable = False
            self._rgb = image
        return self._rgb

    def warped(self, to_picture: FloatArray, size_px: int, border: int) -> ImageArray:
        """As `pictures.warped`."""
        to_chroma = 0.5 * to_picture + _CHROMA_SHIFT
        planes = zip(self._planes, (to_picture, to_chroma, to_chroma), _BLACK, strict=True)
        yuv = cv2.merge([_sampled(plane, to_plane, size_px, border, black) for plane, to_plane, black in planes])
        return np.asarray(cv2.transform(yuv, self._to_rgb), dtype=np.uint8)

    def thinned(self, rows: slice, columns: slice) -> ImageArray:
        """As `pictures.thinned`; a pixel has the colour of its 2x2 pixels."""
        y = self._planes[0][rows, columns]
        if not y.size:
            return np.empty((*y.shape, 3), dtype=np.uint8)
        lines, places = (np.arange(n)[part] // 2 for n, part in ((self.height_px, rows), (self.width_px, columns)))
        u, v = (plane[lines[:, None], places] for plane in self._planes[1:])
        return np.asarray(cv2.transform(cv2.merge([np.ascontiguousarray(y), u, v]), self._to_rgb), dtype=np.uint8)


def thinned(picture: ImageArray | Picture, rows: slice, columns: slice) -> ImageArray:
    """Every so many pixels (H', W', 3) of a part of a picture, uint8 RGB: what a histogram needs, without the rest.

    Args:
        picture: Frame.picture, or RGB (H, W, 3).
        rows, columns: Which, with their steps; an empty one gives an empty picture.
    """
    if isinstance(picture, np.ndarray):
        return np.ascontiguousarray(picture[rows, columns])
    return picture.thinned(rows, columns)


def warped(picture: ImageArray | Picture, to_picture: FloatArray, size_px: int, border: int = cv2.BORDER_REPLICATE) -> ImageArray:
    """(size, size, 3) uint8 RGB whose pixel (x, y) is the picture's at `to_picture` (2, 3) @ (x, y, 1), bilinear.

    Args:
        picture: Frame.picture, or RGB (H, W, 3).
        border: What lies outside: cv2.BORDER_REPLICATE or cv2.BORDER_CONSTANT (black).
    """
    if isinstance(picture, np.ndarray):
        return _sampled(picture, to_picture, size_px, border, 0)
    return picture.warped(to_picture, size_px, border)


def to_network(pictures: Sequence[ImageArray]) -> NDArray[np.float32]:
    """RGB uint8 pictures (H, W, 3), all of a size, to a batch (P, 3, H, W) in 0..1.

    The numbers of cv2.dnn.blobFromImages(pictures, 1 / 255), in half its time.
    """
    batch = np.array([cv2.split(picture) for picture in pictures], dtype=np.float32)
    batch *= np.float32(1 / 255)
    return batch


def _sampled(plane: ImageArray, to_plane: FloatArray, size_px: int, border: int, outside: int) -> ImageArray:
    _fetch(plane, to_plane, size_px)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    sampled = cv2.warpAffine(plane, to_plane, (size_px, size_px), flags=flags, borderMode=border, borderValue=(outside,) * 3)
    return np.asarray(sampled, dtype=np.uint8)


def _fetch(plane: ImageArray, to_plane: FloatArray, size_px: int) -> None:
    """Reads the rows that will be sampled once in memory order, which brings them into the cache.

    A turned map walks across the rows and waits for memory at each of them: 1.8 ms for a large RGB picture, 0.6 ms with this.
    """
    x0, x1 = _span(to_plane[0], size_px)
    y0, y1 = _span(to_plane[1], size_px)
    plane[y0:y1, x0:x1].max(initial=0)


def _span(row: FloatArray, size_px: int) -> tuple[int, int]:
    """First and last + 1 of the pixels that a row (3,) of the map reaches, not below 0."""
    by_x, by_y, start = row.tolist()
    low = start + size_px * (min(by_x, 0.0) + min(by_y, 0.0))
    high = start + size_px * (max(by_x, 0.0) + max(by_y, 0.0))
    return max(0, int(low)), max(0, int(high) + 2)
