"""Cameras of this computer, by OpenCV."""

from __future__ import annotations

import re
import sys
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import av.device
import cv2
import numpy as np

from posewire.capture.latest import LiveSource
from posewire.data import ImageArray
from posewire.errors import SourceError
from posewire.methods import SourceOptions

_ADDRESS = re.compile(r"(?:webcam:|/dev/video)?(\d{1,3})")
_LINUX_CAMERAS = Path("/sys/class/video4linux")
# One named backend: with CAP_ANY OpenCV asks every backend in turn, which is slow and chatty. DirectShow counts cameras in
# the order in which find_cameras lists them.
_BACKENDS = {"linux": cv2.CAP_V4L2, "win32": cv2.CAP_DSHOW, "darwin": cv2.CAP_AVFOUNDATION}
_SILENT = 0
"""OpenCV's lowest log level."""
_LISTERS = {"win32": "dshow", "darwin": "avfoundation"}


class FoundCamera(NamedTuple):
    """A camera of this computer; `number` is its address."""

    number: int
    name: str

    def __str__(self) -> str:
        return f"{self.number} ({self.name})"


def matches(address: str) -> bool:
    """0, webcam:0 or /dev/video0."""
    return _ADDRESS.fullmatch(address) is not None


def open_webcam(address: str, options: SourceOptions) -> LiveSource:
    """Opens a camera and waits for its first picture.

    Raises:
        SourceError: it is not there, or gives no picture.
    """
    match = _ADDRESS.fullmatch(address)
    if match is None:
        raise SourceError("This is no camera.", got=address, allowed="0, 1, ... or webcam:0, webcam:1, ...")
    return LiveSource(partial(Webcam, int(match[1])), options)


def find_cameras(folder: Path = _LINUX_CAMERAS) -> list[FoundCamera]:
    """The cameras of this computer; opens none. On macOS OpenCV's order may differ from the system's.

    Args:
        folder: Where Linux lists them; other systems do not look there.
    """
    if sys.platform in _LISTERS:
        devices = av.device.enumerate_input_devices(_LISTERS[sys.platform])
        names = [device.description for device in devices if "video" in device.media_types]
        return [FoundCamera(i, name) for i, name in enumerate(name for name in names if not name.startswith("Capture screen"))]
    return sorted(FoundCamera(int(node.name[5:]), _line(node / "name")) for node in folder.glob("video*") if _is_picture(node))


def _is_picture(node: Path) -> bool:
    """A camera has several nodes; the first carries the picture, the others its metadata."""
    return _line(node / "index") == "0"


def _line(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace").strip() if path.is_file() else ""


class Webcam:
    """A Device: an open camera.

    Raises:
        SourceError: there is none of this index, or it cannot be opened.
    """

    def __init__(self, index: int) -> None:
        self._index = index
        with _quiet():
            self._capture = cv2.VideoCapture(index, _BACKENDS.get(sys.platform, cv2.CAP_ANY))
        if not self._capture.isOpened():
            raise _cannot_open(index)
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # the newest picture, not a queue of old ones

    def read(self) -> ImageArray:
        taken, image = self._capture.read()
        if not taken:
            raise SourceError(
                f"Camera {self._index} gives no picture.", hint="check its cable, and close other programs that use it"
            )
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), dtype=np.uint8)

    def close(self) -> None:
        self._capture.release()


def _cannot_open(index: int) -> SourceError:
    cameras = find_cameras()
    if any(camera.number == index for camera in cameras):
        return SourceError(
            f"Camera {index} cannot be opened.",
            got=next(camera.name for camera in cameras if camera.number == index),
            hint="close other programs that use it, and check that this user may use cameras",
        )
    found = list(cameras) if cameras else "no camera was found on this computer"
    return SourceError(f"Camera {index} is not there.", allowed=found, hint="posewire doctor lists the cameras")


@contextmanager
def _quiet() -> Generator[None]:
    """Keeps OpenCV's own messages off stderr: the SourceError says what there is to say."""
    log: Any = getattr(cv2.utils, "logging", cv2)  # OpenCV 5 moved the two functions
    level = log.getLogLevel()
    log.setLogLevel(_SILENT)
    try:
        yield
    finally:
        log.setLogLevel(level)
