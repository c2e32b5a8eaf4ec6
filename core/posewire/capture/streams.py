"""Network streams (RTSP cameras, phone camera apps, MJPEG over HTTP) by FFmpeg (PyAV)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.video.frame import VideoFrame

from posewire.capture.latest import LiveSource
from posewire.capture.opening import video_stream
from posewire.capture.picture import PictureConverter
from posewire.data import ImageArray
from posewire.errors import SourceError
from posewire.methods import SourceOptions

SCHEMES = ("rtsp", "rtsps", "rtmp", "http", "https", "udp", "tcp")
OPEN_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 5.0
"""A stream that is silent for so long is lost."""
_MAX_DECODE_ERRORS = 100
"""Packets in a row that do not decode after which the stream counts as lost."""
_OPTIONS = {
    "fflags": "nobuffer",
    "flags": "low_delay",
    "analyzeduration": "1000000",  # microseconds; FFmpeg's default waits up to five seconds
    "rtsp_transport": "tcp",  # UDP loses packets silently behind most home routers
}


def matches(address: str) -> bool:
    """An address with one of SCHEMES."""
    scheme, found, _ = address.partition("://")
    return bool(found) and scheme.lower() in SCHEMES


def open_stream(address: str, options: SourceOptions) -> LiveSource:
    """Opens a network stream and waits for its first picture.

    Raises:
        SourceError: nothing answers, or what answers is no live video.
    """
    return LiveSource(partial(NetworkStream, address), options)


class NetworkStream:
    """A Device: an open network stream.

    Raises:
        SourceError: nothing answers, or what answers is no live video.
    """

    def __init__(self, address: str, *, open_timeout_s: float = OPEN_TIMEOUT_S, read_timeout_s: float = READ_TIMEOUT_S) -> None:
        self._name = without_password(address)
        self._container = self._open(address, (open_timeout_s, read_timeout_s))
        self._stream = video_stream(self._container, self._name)
        self._stream.thread_type = "SLICE"  # frame threads would hold back one frame each
        self._converter = PictureConverter()
        self._pictures = self._decode()

    def read(self) -> ImageArray:
        try:
            return self._converter.image(next(self._pictures))
        except FFmpegError as error:
            raise SourceError(f"The stream {self._name} is lost.", got=error.strerror) from error
        except StopIteration:
            raise SourceError(f"The stream {self._name} ended.") from None

    def close(self) -> None:
        self._container.close()

    def _open(self, address: str, timeouts_s: tuple[float, float]) -> InputContainer:
        try:
            container = av.open(address, "r", options=_OPTIONS, timeout=timeouts_s)
        except FFmpegError as error:
            raise SourceError(
                f"The stream {self._name} cannot be opened.",
                got=error.strerror,
                hint="open the address in a player such as VLC to see whether it sends video",
            ) from error
        if address.lower().startswith("http") and (container.duration or 0) > 0:
            container.close()
            raise SourceError(f"{self._name} is a finished video, not a live stream.", hint="download it, and give the file")
        return container

    def _decode(self) -> Iterator[VideoFrame]:
        errors = 0
        for packet in self._container.demux(self._stream):
            try:
                yield from packet.decode()  # pyright: ignore[reportReturnType] - packets of a video stream
                errors = 0
            except FFmpegError:
                # One lost packet spoils a few pictures; only a stream of nothing else is lost.
                errors += 1
                if errors > _MAX_DECODE_ERRORS:
                    raise


def without_password(address: str) -> str:
    """The address for messages and logs: rtsp://user:secret@host becomes rtsp://user:***@host."""
    return re.sub(r"(?<=://)([^/@:]*):[^/@]*@", r"\1:***@", address)
