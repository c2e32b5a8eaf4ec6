"""FFmpeg's decoded frames to upright RGB images, whatever their pixel format, colour space and orientation."""

from __future__ import annotations

import threading

import cv2
import numpy as np
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane
from av.video.reformatter import VideoReformatter

from posewire.capture.memory import ImageMemory
from posewire.data import ImageArray
from posewire.errors import SourceError
from posewire.pictures import BT601, BT709, PlanarPicture

DisplayMatrix = tuple[int, int, int, int]
"""(a, b, c, d) of FFmpeg's 3x3 matrix a b u / c d v / x y w: a pixel goes to x' = a x + c y, y' = b x + d y."""
UPRIGHT: DisplayMatrix = (1, 0, 0, 1)


_LIMITED = {(space, range_): table for range_ in (0, 1) for space, table in ((1, BT709), (2, BT601), (5, BT601), (6, BT601))}
_PLANAR = {("yuv420p", *key): table for key, table in _LIMITED.items()}
"""Pixel format, FFmpeg's AVColorSpace (1: BT.709, 5 and 6: BT.601, 2: not said, taken for BT.601 as swscale does) and
AVColorRange (1: limited, 0: not said) of frames that can be looked at plane by plane."""


class PictureConverter:
    """Converts one stream's frames; keeps the conversion tables from frame to frame. Any thread may call it."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()
        self._memory = ImageMemory()
        self._lock = threading.Lock()
        self._rotation: int | None = None
        self._matrix = UPRIGHT

    def picture(self, frame: VideoFrame) -> ImageArray | PlanarPicture:
        """The frame's own planes where they can be looked at as they are, else `image`."""
        to_rgb = _PLANAR.get((frame.format.name, int(frame.colorspace), int(frame.color_range)))
        if to_rgb is None or self._matrix_of(frame) != UPRIGHT:
            return self.image(frame)
        y, u, v = map(_plane, frame.planes)
        return PlanarPicture((y, u, v), to_rgb, lambda: self.image(frame))

    def image(self, frame: VideoFrame) -> ImageArray:
        """(H, W, 3) uint8 RGB as a player would show the frame. Raises SourceError for a pixel format nobody knows."""
        with self._lock:
            return self._image(frame)

    def _image(self, frame: VideoFrame) -> ImageArray:
        image = self._memory.take(frame.height, frame.width)
        # One thread: the decoder's threads already use the other cores.
        try:
            rgb = self._reformatter.reformat(frame, format="rgb24", threads=1)
        except (FFmpegError, ValueError) as error:
            raise SourceError("The video's pixel format cannot be converted.", got=frame.format.name) from error
        image[:] = rgb.to_ndarray()
        return upright(image, self._matrix_of(frame))

    def _matrix_of(self, frame: VideoFrame) -> DisplayMatrix:
        # The whole matrix (it may mirror) costs 1 ms to get, so it is read again only when the angle changes.
        if frame.rotation != self._rotation:
            self._rotation, self._matrix = frame.rotation, display_matrix(frame)
        return self._matrix


def _plane(plane: VideoPlane) -> ImageArray:
    """(H, W) uint8 view of a decoder's memory, without the padding at the end of its rows."""
    memory = np.frombuffer(memoryview(plane), dtype=np.uint8)  # pyright: ignore[reportArgumentType] - PyAV's stub hides the buffer
    return memory.reshape(plane.height, plane.line_size)[:, : plane.width]


def display_matrix(frame: VideoFrame) -> DisplayMatrix:
    """How the frame is to be turned before it is shown."""
    data = frame.side_data.get("DISPLAYMATRIX")
    if data is None:
        return UPRIGHT
    a, b, _, c, d = np.frombuffer(bytes(data), dtype=np.int32)[:5].tolist()
    return a, b, c, d


def upright(image: ImageArray, matrix: DisplayMatrix) -> ImageArray:
    """The image turned by quarter turns and mirrored as the matrix says; other angles go to the nearest of these."""
    a, b, c, d = matrix
    turned = abs(b) > abs(a)
    if turned:
        image = np.asarray(cv2.transpose(image), dtype=np.uint8)
    mirror_x, mirror_y = (c < 0, b < 0) if turned else (a < 0, d < 0)
    if not (mirror_x or mirror_y):
        return image
    return np.asarray(cv2.flip(image, -1 if mirror_x and mirror_y else int(mirror_x)), dtype=np.uint8)
