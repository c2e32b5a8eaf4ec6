"""Opening a media file, and saying why it does not open."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import cast

import av
from av.codec.context import CodecContext
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Disposition
from av.video.stream import VideoStream

from posewire.errors import SourceError
from posewire.shell import typed

ACCEPTED = (
    "a video file",
    "an image",
    "a folder of images",
    "a camera number such as 0",
    "an address such as rtsp://HOST/PATH or http://HOST:PORT/video",
)
_TEXT_FORMATS = frozenset({"tty"})
"""FFmpeg formats that draw any text file as a picture."""


def open_file(path: Path) -> InputContainer:
    """The container of a media file.

    Raises:
        SourceError: the file is missing, a folder, unreadable, empty, cut off, or no video.
    """
    check_file(path)
    try:
        container = av.open(f"file:{path}", "r")  # with the protocol named, a colon in a file name means nothing
    except FFmpegError as error:
        raise _cannot_open(path, error.strerror) from error
    if not len(container.streams):
        container.close()
        raise _cannot_open(path, "a file without any stream")
    if container.format.name in _TEXT_FORMATS:
        container.close()
        raise _no_video(path, "a text file")
    return container


def is_folder(path: Path) -> bool:
    """Path.is_dir, but False for what cannot be asked (a name too long, a folder that may not be entered)."""
    try:
        return path.is_dir()
    except OSError:
        return False


def check_file(path: Path) -> None:
    """SourceError unless the path is a file with something in it that may be read."""
    try:
        if path.is_dir():
            raise SourceError(f"{path} is a folder.", allowed="a video file", hint=f"a file in it: {path / 'NAME'}")
        if not path.exists():
            raise not_found(path)
        with path.open("rb") as file:
            if not file.read(1):
                hint = "copy it again"
                raise SourceError(f"The file {path} is empty.", got="0 bytes", allowed="a video or an image", hint=hint)
    except OSError as error:
        raise SourceError(
            f"The file {path} cannot be read.", got=error.strerror, hint="check its name and permissions"
        ) from error


def not_found(path: Path) -> SourceError:
    """The error for a path where nothing is, with near names from the same folder."""
    folder = path.parent
    if not folder.is_dir():
        return SourceError(f"There is no folder {folder}.", got=str(path), allowed=ACCEPTED)
    names = {entry.name.casefold(): entry.name for entry in folder.iterdir()}
    near = [names[name] for name in difflib.get_close_matches(path.name.casefold(), names, n=3, cutoff=0.6)]
    hint = "did you mean " + " or ".join(str(folder / name) for name in near) + "?" if near else None
    return SourceError("The source is not there.", got=str(path), allowed=ACCEPTED, hint=hint)


def video_stream(container: InputContainer, name: object) -> VideoStream:
    """The first stream of moving pictures; a cover picture in a music file is none.

    Raises:
        SourceError: there is none; the container is closed.
    """
    for stream in container.streams.video:
        if not stream.disposition & Disposition.attached_pic:
            return _decodable(stream, name)
    kinds = sorted({str(stream.type) for stream in container.streams})
    container.close()
    raise _no_video(name, f"only {' and '.join(kinds)}")


def _decodable(stream: VideoStream, name: object) -> VideoStream:
    # PyAV's type says that the context is always there; for a codec that it does not know it is None.
    if cast("CodecContext | None", stream.codec_context) is None:
        stream.container.close()
        raise SourceError(f"The pictures in {name} are of a kind that cannot be decoded.", hint="convert it to H.264 in MP4")
    return stream


def _no_video(name: object, got: str) -> SourceError:
    return SourceError(f"{name} holds no video.", got=got, allowed=ACCEPTED, hint="posewire sources")


def _cannot_open(path: Path, got: str | None) -> SourceError:
    if path.suffix.lower() == ".pwt":
        hint = f"{typed('posewire', 'replay', path, '--publish')} streams it; posewire export and solve read it, too"
        return SourceError(f"{path} is a take, not a video.", got="a .pwt file", allowed=ACCEPTED, hint=hint)
    if not _lacks_index(path):
        hint = f"does another player show it? ffmpeg -i {path.name} clip.mp4"
        return SourceError(f"{path} is not a video file that can be read.", got=got, allowed=ACCEPTED, hint=hint)
    return SourceError(
        f"The video {path} is cut off: its index (moov) is missing.",
        got=f"{path.stat().st_size} bytes",
        allowed="a complete file",
        hint="copy it again, or stop the recording properly before copying",
    )


def _lacks_index(path: Path) -> bool:
    """True for an MP4 or MOV (it starts with ftyp) whose chain of boxes reaches the file's end without a moov box."""
    size = path.stat().st_size
    with path.open("rb") as file:
        if file.read(8)[4:] != b"ftyp":
            return False
        position = 0
        while position + 8 <= size:
            file.seek(position)
            header = file.read(16)
            if header[4:8] == b"moov":
                return position + int.from_bytes(header[:4], "big") > size
            position += _box_size(header) or size
    return True


def _box_size(header: bytes) -> int:
    """Bytes of an MP4 box from its first 16 bytes; 0 = it goes to the end of the file."""
    size = int.from_bytes(header[:4], "big")
    return int.from_bytes(header[8:16], "big") if size == 1 else size
