from __future__ import annotations

import threading

import numpy as np
from capture_media import ASSET

from posewire.capture import VideoFile
from posewire.capture.memory import ImageMemory
from posewire.methods import SourceOptions


def test_memory_is_used_again_once_the_image_is_dropped() -> None:
    memory = ImageMemory()
    first = memory.take(4, 6)
    address = first.ctypes.data
    del first
    again = memory.take(4, 6)
    assert (again.shape, again.dtype, again.ctypes.data) == ((4, 6, 3), np.uint8, address)


def test_memory_that_anybody_holds_is_left_alone() -> None:
    memory = ImageMemory()
    views = [memory.take(4, 6)[1:, ::2][..., 0], memoryview(memory.take(4, 6)), np.asarray(memory.take(4, 6)).T]
    taken = memory.take(4, 6)
    assert not any(np.shares_memory(np.asarray(view), taken) for view in views)


def test_a_read_only_image_comes_back_writable() -> None:
    memory = ImageMemory()
    image = memory.take(4, 6)
    image.flags.writeable = False
    del image
    memory.take(4, 6)[:] = 1


def test_another_size_and_more_images_than_are_kept_are_served() -> None:
    memory = ImageMemory()
    images = [memory.take(2, 3) for _ in range(40)] + [memory.take(5, 7)]
    assert images[-1].shape == (5, 7, 3)
    assert len({image.ctypes.data for image in images}) == 41


def test_frames_that_another_thread_keeps_are_never_overwritten() -> None:
    kept: list[tuple[np.ndarray, int]] = []

    def read() -> None:
        for frame in VideoFile(ASSET, SourceOptions()):
            if frame.index % 7 == 0:
                kept.append((frame.image[::4, ::4], int(frame.image[::4, ::4].sum())))

    reader = threading.Thread(target=read)
    reader.start()
    reader.join()
    assert len(kept) == 15
    assert all(int(image.sum()) == total for image, total in kept)
