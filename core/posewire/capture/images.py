"""Single images and folders of images to Frames.

A folder is read in natural order (frame9 before frame10) as a film of 30 images a second, or of as many as it is said to have.
Sizes may differ from image to image; each size gets its own camera. 16-bit, grey and RGBA images come out as 8-bit RGB; EXIF
orientation is respected.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from posewire.capture.framing import FrameMaker
from posewire.capture.opening import check_file, is_folder
from posewire.data import Frame
from posewire.errors import SourceError
from posewire.image_file import SUFFIXES, read_image
from posewire.methods import SourceOptions

IMAGES_PER_SECOND = 30.0
"""A folder has no clock: image i is at i / 30 s, unless options say otherwise."""
_NO_CLOCK = (
    f"images have no clock, {IMAGES_PER_SECOND:g} a second are assumed; `posewire run FOLDER --rate 24` gives them another rate"
)


def matches(address: str) -> bool:
    """A folder, or a path that ends like an image's."""
    return Path(address).suffix.lower() in SUFFIXES or ("://" not in address and is_folder(Path(address)))


def open_images(address: str, options: SourceOptions) -> ImageFiles:
    """The images of a folder, or one image.

    Raises:
        SourceError: nothing is there, or the folder holds no image.
    """
    path = Path(address)
    if is_folder(path):
        return ImageFiles(image_files(path), options)
    check_file(path)
    return ImageFiles([path], options)


def image_files(folder: Path) -> list[Path]:
    """The folder's images in natural order.

    Raises:
        SourceError: there is none, or the folder may not be read.
    """
    try:
        paths = [path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")]
    except OSError as error:
        raise SourceError(f"The folder {folder} cannot be read.", got=error.strerror) from error
    if not paths:
        raise SourceError(
            f"The folder {folder} holds no images.",
            allowed=SUFFIXES,
            hint="give a folder of images, one image, or a video file",
        )
    return sorted(paths, key=_natural_key)


def _natural_key(path: Path) -> tuple[list[tuple[int, str]], str]:
    """Digits count as numbers; names that differ only in case or leading zeros keep a fixed order."""
    parts = re.findall(r"\d+|\D+", path.name.casefold())
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts], path.name


class ImageFiles:
    """A Source over image files in a given order."""

    live = False

    def __init__(self, paths: Sequence[Path], options: SourceOptions) -> None:
        self._paths = tuple(paths)
        self._maker = FrameMaker(options)
        self._closed = False
        self._rate_hz = options.images_per_second or IMAGES_PER_SECOND
        self.problems = [_NO_CLOCK] if len(self._paths) > 1 and options.images_per_second is None else []
        """What to know of the times; damage there is none: an unreadable image is an error."""

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files, in the order of the frames."""
        return self._paths

    @property
    def frame_count(self) -> int:
        """Number of images."""
        return len(self._paths)

    def __iter__(self) -> Iterator[Frame]:
        """Every image from the first; raises SourceError at an unreadable one."""
        for index, path in enumerate(self._paths):
            if self._closed:
                return
            yield self._maker.frame(read_image(path), index / self._rate_hz, index, time.time_ns())

    def close(self) -> None:
        """Ends the iteration; may be called twice, from any thread."""
        self._closed = True
