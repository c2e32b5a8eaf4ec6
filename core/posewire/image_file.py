"""Image files, read and written through memory: OpenCV's own imread and imwrite do not take every file name on Windows."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from posewire.data import ImageArray
from posewire.errors import PosewireError, SourceError

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")


def read_image(path: Path, *, hint: str | None = None) -> ImageArray:
    """An image file as (H, W, 3) uint8 RGB; `hint` is what to do where it cannot be read.

    Raises:
        SourceError: it cannot be read or is not an image.
    """
    try:
        data = np.fromfile(path, dtype=np.uint8)
    except OSError as error:
        raise SourceError(f"The image {path} cannot be read.", got=error.strerror, hint=hint) from error
    # IMREAD_COLOR turns by EXIF, scales 16 bits to 8, spreads grey over three channels and drops alpha.
    image = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    if image is None:
        got = f"{data.size} bytes that no image decoder takes" if data.size else "an empty file"
        hint = hint or "export the image again, or remove it"
        raise SourceError(f"The image {path} cannot be read.", got=got, allowed=SUFFIXES, hint=hint)
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB, dst=image), dtype=np.uint8)


def write_image(path: Path, picture: ImageArray) -> None:
    """Writes (H, W, 3) uint8 RGB; the name's ending says in which format, without one it is PNG.

    Raises:
        PosewireError: the ending is none of an image, or the file cannot be written.
    """
    suffix = path.suffix.lower() or ".png"
    if suffix not in SUFFIXES:
        raise PosewireError(f"The picture {path} cannot be written.", got=path.name, allowed=SUFFIXES, hint="name a .png file")
    _, data = cv2.imencode(suffix, cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    try:
        data.tofile(path)
    except OSError as error:
        raise PosewireError(f"The picture {path} cannot be written.", got=error, hint="is the disk full?") from error
