from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from posewire.capture import FoundCamera, LiveSource, find_cameras, open_source
from posewire.capture.webcam import Webcam
from posewire.errors import SourceError
from posewire.methods import SourceOptions

OPTIONS = SourceOptions()
SOON_S = 20.0
"""A limit that only a hanging test reaches."""


class FakeDevice:
    """Gives one numbered picture whenever the test lets it, then is lost when the test says so."""

    def __init__(self) -> None:
        self.permits = threading.Semaphore(0)
        self.lost = self.closed = False
        self.pictures = 0

    def read(self) -> np.ndarray:
        self.permits.acquire(timeout=SOON_S)
        if self.lost:
            raise SourceError("The fake device is unplugged.")
        self.pictures += 1
        return np.full((4, 6, 3), self.pictures, dtype=np.uint8)

    def show(self, pictures: int) -> None:
        for _ in range(pictures):
            self.permits.release()

    def unplug(self) -> None:
        self.lost = True
        self.permits.release()

    def close(self) -> None:
        self.closed = True


def opener(*devices: FakeDevice | None) -> Callable[[], FakeDevice]:
    """Opens the devices one after the other; None is an attempt that fails."""
    remaining = list(devices)

    def open_next() -> FakeDevice:
        device = remaining.pop(0) if remaining else None
        if device is None:
            raise SourceError("The fake device is not there.")
        return device

    return open_next


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + SOON_S
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


@pytest.fixture
def device() -> Iterator[FakeDevice]:
    device = FakeDevice()
    device.show(1)
    yield device
    device.unplug()


def test_an_absent_device_is_an_error_at_once() -> None:
    with pytest.raises(SourceError, match="not there"):
        LiveSource(opener(None), OPTIONS)


def test_only_the_newest_picture_is_handed_out_and_dropped_ones_are_counted(device: FakeDevice) -> None:
    source = LiveSource(opener(device), OPTIONS)
    device.show(4)
    until(lambda: source.dropped == 4)
    frames = iter(source)
    frame = next(frames)
    assert (frame.index, int(frame.image[0, 0, 0])) == (4, 5)
    device.show(1)
    assert next(frames).index == 5
    assert source.dropped == 4
    source.close()


def test_live_time_starts_at_zero_and_the_wall_clock_is_set(device: FakeDevice) -> None:
    source = LiveSource(opener(device), OPTIONS)
    frames = iter(source)
    before = time.time_ns()
    first = next(frames)
    device.show(1)
    second = next(frames)
    assert first.time_s == 0.0
    assert second.time_s > 0.0
    assert abs(first.capture_unix_ns - before) < 60 * 10**9
    assert source.live
    assert source.frame_count is None
    source.close()


def test_a_lost_device_is_retried_and_the_frames_continue(device: FakeDevice) -> None:
    replacement = FakeDevice()
    source = LiveSource(opener(device, None, None, replacement), OPTIONS, retry_waits_s=(0.01, 0.02))
    frames = iter(source)
    first = next(frames)
    assert source.status == "connected"
    device.unplug()
    replacement.show(1)
    second = next(frames)
    assert (second.index, source.status) == (first.index + 1, "connected")
    assert second.time_s > first.time_s
    assert device.closed
    assert [problem for problem in source.problems if "unplugged" in problem]
    replacement.unplug()
    source.close()


def test_the_wait_grows_and_is_shown(device: FakeDevice) -> None:
    source = LiveSource(opener(device), OPTIONS, retry_waits_s=(0.01, 0.02, 0.04, 30))
    device.unplug()
    until(lambda: source.status == "lost: retrying in 30 s")
    source.close()
    assert source.status == "closed"


def test_close_wakes_a_waiting_reader_and_may_be_called_twice(device: FakeDevice) -> None:
    source = LiveSource(opener(device), OPTIONS)
    frames = iter(source)
    next(frames)
    rest: list[object] = []
    reader = threading.Thread(target=lambda: rest.extend(frames))
    reader.start()
    source.close()
    source.close()
    reader.join(SOON_S)
    assert not reader.is_alive()
    assert rest == []


def test_close_while_waiting_to_retry_ends_the_thread(device: FakeDevice) -> None:
    source = LiveSource(opener(device), OPTIONS, retry_waits_s=(600,))
    device.unplug()
    until(lambda: source.status.startswith("lost"))
    source.close()
    until(lambda: not source._thread.is_alive())


def test_another_error_in_the_device_reaches_the_reader(device: FakeDevice) -> None:
    source = LiveSource(opener(device), OPTIONS)
    frames = iter(source)
    next(frames)
    device.read = None  # type: ignore[assignment]
    device.show(1)
    with pytest.raises(TypeError):
        list(frames)
    assert device.closed


@pytest.mark.parametrize("address", ["98", "webcam:98", "/dev/video98"])
def test_an_absent_camera_lists_the_cameras_there_are(address: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SourceError, match="Camera 98 is not there") as error:
        open_source(address, OPTIONS)
    assert "allowed" in str(error.value)
    if sys.platform != "darwin":
        assert capfd.readouterr().err == ""


def test_a_camera_that_is_there_but_does_not_open_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("posewire.capture.webcam.find_cameras", lambda: [FoundCamera(98, "Old camera")])
    with pytest.raises(SourceError, match="cannot be opened") as error:
        Webcam(98)
    assert "Old camera" in str(error.value)


@pytest.mark.skipif(sys.platform != "linux", reason="Linux lists its cameras in files")
def test_find_cameras_lists_each_camera_once_by_number(tmp_path: Path) -> None:
    for node, index, name in (("video10", 0, "B"), ("video2", 0, "A"), ("video3", 1, "A")):
        (tmp_path / node).mkdir()
        (tmp_path / node / "index").write_text(f"{index}\n")
        (tmp_path / node / "name").write_text(f"{name}\n")
    assert find_cameras(tmp_path) == [FoundCamera(2, "A"), FoundCamera(10, "B")]
    assert find_cameras(tmp_path / "nothing") == []
