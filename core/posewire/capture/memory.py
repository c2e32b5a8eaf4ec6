"""Memory for decoded pictures, used again as soon as nobody holds the picture.

Fresh memory of a large picture costs more than decoding into it, because the system maps and clears its pages each time:
for 1080x1920 a third of all the time that reading a file takes.
"""

from __future__ import annotations

import sys

import numpy as np

from posewire.data import ImageArray

_MOST = 12
"""Pictures kept at most; whoever holds more of them gets fresh memory."""


class ImageMemory:
    """Hands out images; belongs to one thread, while any thread may hold and drop the images.

    An image is free when this object alone refers to it. Every view of it, of whatever library, holds a reference to the
    array that owns the memory, so the count says the truth.
    """

    def __init__(self) -> None:
        self._images: list[ImageArray] = [np.empty((0, 0, 3), dtype=np.uint8)]
        self._idle_references = sys.getrefcount(self._images[0])

    def take(self, height: int, width: int) -> ImageArray:
        """A writable image (height, width, 3) uint8 with arbitrary content."""
        shape = (height, width, 3)
        if self._images[0].shape != shape:
            self._images.clear()
        for i in range(len(self._images)):
            if sys.getrefcount(self._images[i]) == self._idle_references:
                self._images[i].flags.writeable = True
                return self._images[i]
        image = np.empty(shape, dtype=np.uint8)
        if len(self._images) < _MOST:
            self._images.append(image)
        return image
