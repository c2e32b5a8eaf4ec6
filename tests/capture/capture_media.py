"""Makes the small media files of these tests. A frame's grey level tells its number."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

ASSET = Path(__file__).parents[2] / "core/posewire/assets/balancing_cam01.mp4"
STEP = 12
"""Grey levels between neighbouring frames."""
TICKS = 1000


def numbered(count: int, width: int = 64, height: int = 48) -> list[np.ndarray]:
    """Images (H, W, 3); image i is plain grey of level 20 + i * STEP."""
    return [np.full((height, width, 3), 20 + i * STEP, dtype=np.uint8) for i in range(count)]


def number(image: np.ndarray) -> int:
    """The number of a `numbered` image after coding."""
    return round((float(image.mean()) - 20) / STEP)


def write_video(
    path: Path,
    images: list[np.ndarray],
    times_s: list[float] | None = None,
    *,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    options: dict[str, str] | None = None,
) -> Path:
    """A video of the images at the given times (default 10 fps)."""
    times_s = times_s or [i / 10 for i in range(len(images))]
    height, width = images[0].shape[:2]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10, options=options or {})
        stream.width, stream.height, stream.pix_fmt = width, height, pix_fmt
        stream.time_base = stream.codec_context.time_base = Fraction(1, TICKS)
        for image, time_s in zip(images, times_s, strict=True):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format=pix_fmt)
            frame.pts, frame.time_base = round(time_s * TICKS), Fraction(1, TICKS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def write_audio(path: Path, seconds: float) -> Path:
    """A file with nothing but silence."""
    with av.open(str(path), "w") as container:
        add_silence(container, container.add_stream("aac", rate=8000, layout="mono"), seconds)
    return path


def add_silence(container: av.container.OutputContainer, stream: av.AudioStream, seconds: float) -> None:
    for first in range(0, int(seconds * 8000), 1024):
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), dtype=np.float32), format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 8000, first, Fraction(1, 8000)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def set_display_matrix(path: Path, a: int, b: int, c: int, d: int) -> None:
    """Writes a rotation into the track header (tkhd, version 0) of an MP4 file, as phones do."""
    data = bytearray(path.read_bytes())
    matrix = data.index(b"tkhd") + 4 + 40
    one, w = 1 << 16, 1 << 30
    values = np.array([a * one, b * one, 0, c * one, d * one, 0, 0, 0, w], dtype=">i4")
    data[matrix : matrix + 36] = values.tobytes()
    path.write_bytes(data)


def packets(path: Path) -> list[tuple[int, int]]:
    """(position, size) of every video packet in a file, in bytes."""
    with av.open(str(path)) as container:
        return [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]


def damaged(source: Path, target: Path, first: int, last: int) -> Path:
    """A copy whose video packets `first` to `last` hold noise."""
    places = packets(source)
    data = bytearray(source.read_bytes())
    start, end = places[first][0], sum(places[last])
    data[start:end] = np.random.default_rng(0).bytes(end - start)
    target.write_bytes(data)
    return target
