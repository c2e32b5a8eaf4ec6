"""The bundled clip, for benchmarks that need real pictures."""

from __future__ import annotations

from contextlib import AbstractContextManager
from importlib import resources
from pathlib import Path

from posewire import capture
from posewire.data import Frame
from posewire.methods import SourceOptions


def bundled_clip() -> AbstractContextManager[Path]:
    """The path of balancing_cam01.mp4 while the context is open."""
    return resources.as_file(resources.files("posewire") / "assets" / "balancing_cam01.mp4")


def bundled_frames(count: int) -> list[Frame]:
    """The clip's first frames, decoded."""
    with bundled_clip() as path:
        source = capture.open_source(str(path), SourceOptions())
        frames = [frame for _, frame in zip(range(count), source, strict=False)]
        source.close()
    return frames
