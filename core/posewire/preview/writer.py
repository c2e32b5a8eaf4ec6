"""The preview as a video file: H.264 in MP4, with the frames' own times."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import av
from av.container import OutputContainer
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace
from av.video.stream import VideoStream

from posewire.data import ImageArray
from posewire.errors import PosewireError
from posewire.output_path import check_new_file
from posewire.preview.sheet import Sheet

if TYPE_CHECKING:
    from posewire.pipeline import Instant

_TICKS_PER_S = 90_000
_BT709 = 1
"""The number of BT.709 in FFmpeg's lists of primaries, transfer curves and matrices."""
_ENCODER = {"preset": "veryfast", "crf": "21"}
_FORMATS = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska"}


class VideoWriter:
    """Writes images of one size and even sides; the file appears with the first one and is complete after close().

    Raises:
        PosewireError: the folder is not there, the name is no video's, or the file exists and `overwrite` is not set.
    """

    def __init__(self, path: Path, *, overwrite: bool = False) -> None:
        _check_new(path, overwrite=overwrite)
        self._path = path
        self._open: tuple[OutputContainer, VideoStream] | None = None
        self._last_tick, self._step_ticks = -1, 0

    def write(self, image: ImageArray, time_s: float) -> None:
        """Adds an image (H, W, 3) uint8 RGB at media time `time_s`, which must go forward."""
        with self._written():
            container, stream = self._open = self._open or self._start(*image.shape[:2])
            rgb = VideoFrame.from_ndarray(image, format="rgb24")
            frame = rgb.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG)
            frame.time_base = Fraction(1, _TICKS_PER_S)
            frame.pts = max(round(time_s * _TICKS_PER_S), self._last_tick + 1)
            self._step_ticks = frame.pts - self._last_tick if self._last_tick >= 0 else _TICKS_PER_S // 30
            self._last_tick = frame.pts
            self._mux(container, stream, frame)

    def close(self) -> None:
        """Completes the file; may be called twice."""
        if self._open is None:
            return
        (container, stream), self._open = self._open, None
        with self._written():
            try:
                self._mux(container, stream, None)
            finally:
                container.close()

    def _mux(self, container: OutputContainer, stream: VideoStream, frame: VideoFrame | None) -> None:
        """The last picture stays as long as the one before: for how long it does otherwise makes players misread the rate."""
        for packet in stream.encode(frame):
            packet.duration = self._step_ticks
            container.mux(packet)

    @contextmanager
    def _written(self) -> Generator[None]:
        try:
            yield
        except (FFmpegError, OSError) as error:
            hint = "make room on the disk, or name another file"
            raise PosewireError(f"The preview {self._path} cannot be written.", got=error.strerror, hint=hint) from error

    def _start(self, height: int, width: int) -> tuple[OutputContainer, VideoStream]:
        container = av.open(f"file:{self._path}", "w", format=_FORMATS[self._path.suffix.lower()])
        stream = container.add_stream("libx264", options=_ENCODER)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        # Said aloud, because players guess the colour matrix from the picture's size.
        stream.color_primaries = stream.color_trc = stream.colorspace = _BT709
        stream.color_range = ColorRange.MPEG
        stream.codec_context.framerate = Fraction(0, 1)  # unknown: else PyAV says 24, and a Matroska file repeats it
        stream.time_base = stream.codec_context.time_base = Fraction(1, _TICKS_PER_S)
        return container, stream


class PreviewWriter:
    """Draws every instant of a run into a video file. A context manager.

    Args:
        keypoint_names: (J,) names of the tracks' keypoints: the joints of the method's card.
        title: Written above the side view.
    """

    def __init__(self, path: Path, keypoint_names: Sequence[str], *, title: str = "", overwrite: bool = False) -> None:
        self._video = VideoWriter(path, overwrite=overwrite)
        self._sheet = Sheet(keypoint_names, title)

    def add(self, instant: Instant) -> None:
        """Draws and writes one instant."""
        image = self._sheet.draw(instant.frame, instant.tracks, instant.poses, instant.skeletons)
        self._video.write(image, instant.frame.time_s)

    def close(self) -> None:
        """Completes the file; may be called twice."""
        self._video.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def _check_new(path: Path, *, overwrite: bool) -> None:
    if path.suffix.lower() not in _FORMATS:
        hint = f"--preview {path.stem}.mp4"
        raise PosewireError("A preview is an MP4, MOV or MKV file.", got=path.name, allowed=tuple(_FORMATS), hint=hint)
    check_new_file(path, "--preview", overwrite=overwrite)
