"""A video file to Frames by FFmpeg (PyAV): every frame, at the container's own time.

time_s is 0 at the first frame and follows the timestamps of the video stream (variable frame rate included); sound is
ignored, however long it is. Damage inside the file is told in `VideoFile.problems`; the frames before and after it are
delivered, those that the decoder could repair as well.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Generator, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from av.error import FFmpegError
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from posewire.capture.clock import MediaClock
from posewire.capture.damage import DamageReport
from posewire.capture.framing import FrameMaker
from posewire.capture.opening import open_file, video_stream
from posewire.capture.picture import PictureConverter
from posewire.cores import usable_cores
from posewire.data import Frame
from posewire.methods import SourceOptions

_MAX_READ_ERRORS = 256
"""Read errors after which the rest of a damaged file is given up, so that reading always ends."""
_FALLBACK_RATE = Fraction(30)
_LAST_PICTURE_S = 1.0
"""For how long the last picture of a sound file may stay."""


def open_video(address: str, options: SourceOptions) -> VideoFile:
    """Opens a video file at its first frame."""
    return VideoFile(Path(address), options)


class VideoFile:
    """A Source over a video file. Iterating again goes on after the last frame handed out.

    Args:
        threads: Decoder threads; 0 = half of the cores: the other half is the network's, for which the decoder works ahead.

    Raises:
        SourceError: the file is missing, unreadable, cut off or no video.
    """

    live = False

    def __init__(self, path: Path, options: SourceOptions, *, threads: int = 0) -> None:
        self._container = open_file(path)
        self._stream = stream = video_stream(self._container, path)
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = threads or max(1, usable_cores() // 2)
        rate = stream.average_rate or stream.guessed_rate or _FALLBACK_RATE
        self._time_base = stream.time_base or 1 / rate
        self._clock = MediaClock(self._time_base, float(1 / rate))
        self._maker, self._converter = FrameMaker(options), PictureConverter()
        self._frame_count = stream.frames or None
        self._packets_read = self._next_index = 0
        self._time_s = self._last_packet_s = 0.0
        self._damage = DamageReport()
        self._lock = threading.Lock()  # FFmpeg must not be closed while another thread decodes
        self._closed = False
        self._decoded = self._decode()

    @property
    def frame_count(self) -> int | None:
        """Number of frames by the container's table; None where it has none."""
        return self._frame_count

    @property
    def problems(self) -> list[str]:
        """What was wrong with the frames read so far, one line per kind of damage; empty for a sound file."""
        return self._damage.lines()

    def __iter__(self) -> Iterator[Frame]:
        while (picture := self._next_picture()) is not None:
            yield self._frame(picture)

    def close(self) -> None:
        """Closes the file as soon as the frame in work is decoded; may be called twice, from any thread."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._decoded.close()
                self._container.close()

    def _next_picture(self) -> VideoFrame | None:
        with self._lock:
            return None if self._closed else next(self._decoded, None)

    def _frame(self, picture: VideoFrame) -> Frame:
        repaired = self._clock.repaired
        self._time_s = self._clock.time_s(picture.pts)
        if self._clock.repaired > repaired:
            self._note("timestamps missing or out of order, estimated")
        if picture.is_corrupt:
            self._note("damaged frames, shown as the decoder mended them")
        index, self._next_index = self._next_index, self._next_index + 1
        return self._maker.frame(self._converter.picture(picture), self._time_s, index, time.time_ns())

    def _decode(self) -> Generator[VideoFrame]:
        for packet in self._packets():
            try:
                yield from packet.decode()  # pyright: ignore[reportReturnType] - packets of a video stream
            except FFmpegError:
                self._note("frames lost: their data cannot be decoded")
        if self._frame_count is not None:
            if self._packets_read < self._frame_count:
                self._note(f"end of file too early: {self._packets_read} of {self._frame_count} frames are there")
        elif self._last_packet_s < (promised_s := _promised_s(self._stream)) - _LAST_PICTURE_S:
            self._note(f"end of file too early: {self._last_packet_s:.1f} of {promised_s:.1f} s are there")

    def _packets(self) -> Iterator[Packet[Any]]:
        """Every packet of the stream, then the empty one that makes the decoder give what it still holds."""
        for _ in range(_MAX_READ_ERRORS):
            try:
                for packet in self._container.demux(self._stream):
                    if packet.size:
                        self._packets_read += 1
                        if packet.pts is not None:
                            self._last_packet_s = max(self._last_packet_s, float(packet.pts * self._time_base))
                        yield packet
                break
            except FFmpegError:
                self._note("places that cannot be read")
        flush = Packet()
        flush.stream = self._stream
        yield flush

    def _note(self, kind: str) -> None:
        self._damage.note(kind, self._time_s)


def _promised_s(stream: VideoStream) -> float:
    """How long the stream is by its own tag in a Matroska or WebM file, which has no table of frames; 0 = it does not say."""
    match = re.fullmatch(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)", stream.metadata.get("DURATION", ""))
    return 0.0 if match is None else 3600.0 * int(match[1]) + 60.0 * int(match[2]) + float(match[3])
