"""Against real HTTP servers in this process: an MJPEG stream as phone camera apps send it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
import pytest
from capture_media import numbered, write_video

from posewire.capture import LiveSource, open_source
from posewire.capture.streams import NetworkStream, without_password
from posewire.errors import SourceError
from posewire.methods import SourceOptions

OPTIONS = SourceOptions()
WAITS_S = (0.02, 0.05)


class MjpegServer(ThreadingHTTPServer):
    """Sends JPEG pictures of one grey level until it is stopped; then its connections end too."""

    daemon_threads = True

    def __init__(self, grey: int, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _MjpegHandler)
        self.jpeg = cv2.imencode(".jpg", np.full((48, 64, 3), grey, dtype=np.uint8))[1].tobytes()
        self.stopped = threading.Event()
        self.silent = False

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/video"


class _MjpegHandler(BaseHTTPRequestHandler):
    server: MjpegServer

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=picture")
        self.end_headers()
        head = f"--picture\r\nContent-Type: image/jpeg\r\nContent-Length: {len(self.server.jpeg)}\r\n\r\n".encode()
        try:
            while not self.server.stopped.wait(0.01):
                if not self.server.silent:
                    self.wfile.write(head + self.server.jpeg + b"\r\n")
        except OSError:
            return  # the client has gone

    def log_message(self, *args: object) -> None:
        """Keeps the test's output quiet."""


class _QuietFiles(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        """Keeps the test's output quiet."""


@contextmanager
def serving(server: ThreadingHTTPServer) -> Iterator[ThreadingHTTPServer]:
    thread = threading.Thread(target=partial(server.serve_forever, poll_interval=0.02))
    thread.start()
    try:
        yield server
    finally:
        if isinstance(server, MjpegServer):
            server.stopped.set()
        server.shutdown()
        server.server_close()
        thread.join()


def test_an_mjpeg_stream_gives_frames() -> None:
    server = MjpegServer(80)
    with serving(server):
        source = open_source(server.address, OPTIONS)
        frames = [frame for frame, _ in zip(source, range(5), strict=False)]
        source.close()
    assert {frame.image.shape for frame in frames} == {(48, 64, 3)}
    assert all(abs(float(frame.image.mean()) - 80) < 3 for frame in frames)
    assert np.all(np.diff([frame.time_s for frame in frames]) > 0)


def test_a_server_that_dies_and_returns_is_found_again() -> None:
    first = MjpegServer(60)
    with serving(first):
        source = LiveSource(partial(NetworkStream, first.address), OPTIONS, retry_waits_s=WAITS_S)
        frames = iter(source)
        next(frames)
    while not source.status.startswith(("lost", "reconnecting")):
        time.sleep(0.01)
    with serving(MjpegServer(160, first.server_port)):
        later = next(frame for frame in frames if frame.image.mean() > 120)
        assert later.index > 0
        assert source.status == "connected"
        assert source.problems
        source.close()


def test_a_silent_stream_counts_as_lost() -> None:
    server = MjpegServer(60)
    with serving(server):
        device = NetworkStream(server.address, read_timeout_s=0.3)
        device.read()
        server.silent = True
        with pytest.raises(SourceError, match="is lost"):
            for _ in range(1000):
                device.read()
        device.close()


def test_nothing_at_the_address_is_an_error() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for scheme in ("http", "rtsp", "tcp"):
        with pytest.raises(SourceError, match="cannot be opened"):
            open_source(f"{scheme}://127.0.0.1:{port}/video", OPTIONS)


def test_a_server_that_never_answers_is_an_error_after_the_time_limit() -> None:
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        with pytest.raises(SourceError, match="cannot be opened"):
            NetworkStream(f"http://127.0.0.1:{mute.getsockname()[1]}/video", open_timeout_s=0.3)


def test_a_finished_video_on_a_web_server_is_refused(tmp_path: Path) -> None:
    write_video(tmp_path / "clip.mp4", numbered(5))

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_QuietFiles, directory=str(tmp_path)))
    with serving(server), pytest.raises(SourceError, match="finished video"):
        open_source(f"http://127.0.0.1:{server.server_port}/clip.mp4", OPTIONS)


def test_a_web_page_is_no_stream(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<html>hello</html>" * 50)

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_QuietFiles, directory=str(tmp_path)))
    with serving(server), pytest.raises(SourceError):
        open_source(f"http://127.0.0.1:{server.server_port}/index.html", OPTIONS)


def test_passwords_stay_out_of_messages() -> None:
    assert without_password("rtsp://anna:se:cret@host/a@b") == "rtsp://anna:***@host/a@b"
    assert without_password("http://host:8080/video") == "http://host:8080/video"
    with pytest.raises(SourceError) as error:
        open_source("tcp://anna:secret@127.0.0.1:1/x", OPTIONS)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize("address", ["", "ftp://host/clip.mp4", "mailto://x"])
def test_an_address_of_no_kind_lists_every_kind(address: str) -> None:
    with pytest.raises(SourceError, match="No source takes") as error:
        open_source(address, OPTIONS)
    for example in ("rtsp://HOST/PATH", "clip.mp4", "folder/"):
        assert example in str(error.value)


def test_a_name_that_no_file_system_takes_is_a_source_error() -> None:
    for address in ("x" * 5000, "x" * 5000 + ".png", "a\0b"):
        with pytest.raises(SourceError):
            open_source(address, OPTIONS)
