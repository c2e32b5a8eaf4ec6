"""A test picture without a camera: a bright bar that walks from left to right, 30 pictures a second."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from posewire import camera
from posewire.data import Camera, Frame
from posewire.errors import SourceError
from posewire.methods import SourceOptions

FPS = 30.0
FRAMES = 60
BAR_WIDTH_SHARE = 8


class Bars:
    """The open source: as long as a film of two seconds."""

    live = False
    frame_count: int | None = FRAMES

    def __init__(self, view: Camera) -> None:
        self._camera = view
        self._closed = False

    def __iter__(self) -> Iterator[Frame]:
        for index in range(FRAMES):
            if self._closed:
                return
            yield self._frame(index)

    def _frame(self, index: int) -> Frame:
        width, height = self._camera.width_px, self._camera.height_px
        image = np.full((height, width, 3), 40, np.uint8)
        left = index * width // FRAMES
        image[height // 4 : -height // 4 or None, left : left + width // BAR_WIDTH_SHARE] = 220
        image.flags.writeable = False
        return Frame(image, index / FPS, index, self._camera)

    def close(self) -> None:
        """Ends the iteration."""
        self._closed = True


def open_bars(address: str, options: SourceOptions) -> Bars:
    """The source behind `bars:WIDTHxHEIGHT`."""
    size = re.fullmatch(r"bars:([1-9]\d{0,3})x([1-9]\d{0,3})", address)
    if size is None:
        raise SourceError("A test picture needs a size.", got=address, allowed="bars:WIDTHxHEIGHT", hint="bars:640x480")
    width, height = int(size[1]), int(size[2])
    if options.camera is not None:
        return Bars(camera.resized(options.camera, width, height))
    return Bars(camera.assumed(width, height, options.vertical_fov_deg))
