"""The real command line, in this process, on short real clips."""

from dataclasses import dataclass

import av
import numpy as np
import pytest

from posewire.bench.clip import bundled_frames
from posewire.cli import main


@dataclass(frozen=True)
class Ran:
    """What a command said."""

    code: int
    out: str
    err: str


@pytest.fixture
def posewire(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("POSEWIRE_SETTINGS", raising=False)

    def run(*arguments):
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as stop:  # argparse's own way to end
            code = stop.code
        said = capsys.readouterr()
        return Ran(code, said.out, said.err)

    return run


def write_clip(path, images, fps=30):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps, options={"preset": "ultrafast", "crf": "20"})
        stream.height, stream.width, stream.pix_fmt = images[0].shape[0], images[0].shape[1], "yuv420p"
        for image in images:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")))
        container.mux(stream.encode())
    return path


@pytest.fixture(scope="session")
def short_clip(tmp_path_factory):
    """Sixteen real frames, half size."""
    images = [frame.image[::2, ::2] for frame in bundled_frames(16)]
    return write_clip(tmp_path_factory.mktemp("clips") / "short.mp4", images)


@pytest.fixture(scope="session")
def nobody_clip(tmp_path_factory):
    return write_clip(tmp_path_factory.mktemp("clips") / "nobody.mp4", [np.full((120, 160, 3), 90, np.uint8)] * 6)
