"""Pictures for the conformance tests: a real person from the bundled clip, and pictures that break careless code."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import islice
from pathlib import Path
from types import MappingProxyType

import av
import numpy as np

from posewire import camera
from posewire.data import Frame, ImageArray

CLIP = Path(__file__).parents[1] / "assets" / "balancing_cam01.mp4"
CLIP_FPS = 60.0


@cache
def clip_images(count: int = 12) -> tuple[ImageArray, ...]:
    """The first pictures of the bundled clip, each (1920, 1080, 3): one person in front, another at the back."""
    with av.open(str(CLIP)) as container:
        decoded = islice(container.decode(video=0), count)
        return tuple(np.asarray(picture.to_ndarray(format="rgb24"), np.uint8) for picture in decoded)


def frame(image: ImageArray, index: int = 0) -> Frame:
    """A frame as a source hands it out: read-only, with an assumed camera."""
    view = image.view()
    view.flags.writeable = False
    height, width = image.shape[:2]
    return Frame(view, index / CLIP_FPS, index, camera.assumed(width, height))


EMPTY: Mapping[str, tuple[int, int, int]] = MappingProxyType(
    {"black": (480, 640, 0), "grey": (480, 640, 127), "white": (720, 480, 255)}
)
"""Pictures with nobody in them: height, width, value of every pixel."""


def empty_image(name: str) -> ImageArray:
    """The picture of that name in EMPTY."""
    height, width, value = EMPTY[name]
    return np.full((height, width, 3), value, np.uint8)


ODD = ("one pixel", "one row", "one column", "odd size", "noise", "upside down", "every second pixel", "4K grey")
"""Sizes and memory layouts that a source may deliver."""


def odd_image(name: str) -> ImageArray:
    """The picture of that name in ODD."""
    person = clip_images()[0]
    match name:
        case "noise":
            return np.random.default_rng(0).integers(0, 256, (241, 359, 3), np.uint8)
        case "4K grey":
            return np.full((2160, 3840, 3), 127, np.uint8)
        case _:
            return person[_CUTS[name]]


_CUTS = {
    "one pixel": np.s_[:1, :1],
    "one row": np.s_[:1],
    "one column": np.s_[:, :1],
    "odd size": np.s_[:959, :541],
    "upside down": np.s_[::-1],
    "every second pixel": np.s_[::2, ::2],
}
"""Parts of a real picture, none of them contiguous in memory but the row."""
