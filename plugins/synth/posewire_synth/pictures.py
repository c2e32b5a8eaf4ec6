"""Background pictures: a folder of the user's own, kept small as JPEG inside the pack.

Pictures of one subfolder show one place (hdri writes them so): all of them are learned from, or all are held out.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from posewire.errors import SourceError

_SIZE_PX = (448, 288)
_MOST_BYTES = 9 * 2**20
_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp")


def packed(folder: Path | None, test_share: float) -> dict[str, NDArray[Any]]:
    """The folder's pictures as JPEG bytes: `pictures`, their ends, and how many of the last are held out.

    Raises:
        SourceError: the folder has no picture.
    """
    places, blobs = ([], []) if folder is None else _blobs(folder)
    if folder is not None and not blobs:
        raise SourceError(f"There is no picture in {folder}.", allowed=_SUFFIXES)
    data = np.frombuffer(b"".join(blobs), dtype=np.uint8)
    held = _held(places, test_share)
    return {
        "pictures": data,
        "picture_ends": np.cumsum([len(blob) for blob in blobs]).astype(np.int64),
        "test_pictures": np.array(held),
    }


def _held(places: list[Path], share: float) -> int:
    """How many of the last pictures are held out: about a share of all, no place divided."""
    count = len(places)
    begins = [row for row in range(1, count) if places[row] != places[row - 1]]
    return count - min(begins, key=lambda row: abs(count - row - share * count)) if begins and share else 0


def _blobs(folder: Path) -> tuple[list[Path], list[bytes]]:
    """The place of each picture, which is its subfolder, or else the picture itself; and the pictures, as JPEG."""
    places: list[Path] = []
    blobs: list[bytes] = []
    total = 0
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in _SUFFIXES:
            continue
        image = cv2.imdecode(np.frombuffer(path.read_bytes(), dtype=np.uint8), cv2.IMREAD_COLOR)
        if image is None:
            raise SourceError(f"{path} does not read as a picture.", hint="take it out of the folder")
        blob = cv2.imencode(".jpg", _covering(np.asarray(image)), [cv2.IMWRITE_JPEG_QUALITY, 82])[1].tobytes()
        total += len(blob)
        if total > _MOST_BYTES:
            break
        blobs.append(blob)
        places.append(path if path.parent == folder else path.parent)
    return places, blobs


def _covering(image: NDArray[Any]) -> NDArray[Any]:
    """Scaled and cut to the bank's size."""
    width, height = _SIZE_PX
    scale = max(width / image.shape[1], height / image.shape[0])
    size = (max(width, round(image.shape[1] * scale)), max(height, round(image.shape[0] * scale)))
    image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    left, top = (size[0] - width) // 2, (size[1] - height) // 2
    return image[top : top + height, left : left + width]


def unpacked(pack: dict[str, NDArray[Any]]) -> list[NDArray[np.uint8]]:
    """(H, W, 3) RGB pictures of a pack."""
    ends = pack["picture_ends"].tolist()
    starts = [0, *ends][: len(ends)]
    decoded = [cv2.imdecode(pack["pictures"][a:b], cv2.IMREAD_COLOR) for a, b in zip(starts, ends, strict=True)]
    return [np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), dtype=np.uint8) for image in decoded if image is not None]
