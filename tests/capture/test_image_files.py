from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from posewire.capture import open_source
from posewire.errors import SourceError
from posewire.methods import SourceOptions

OPTIONS = SourceOptions()
COLOUR = np.dstack([np.full((6, 8), level, dtype=np.uint8) for level in (10, 120, 240)])
"""(6, 8, 3) RGB"""


def write(path: Path, image: np.ndarray) -> Path:
    """Writes RGB, RGBA or grey of 8 or 16 bits."""
    codes = {4: cv2.COLOR_RGBA2BGRA, 3: cv2.COLOR_RGB2BGR}
    image = image if image.ndim == 2 else cv2.cvtColor(image, codes[image.shape[2]])
    path.write_bytes(cv2.imencode(path.suffix, image)[1].tobytes())
    return path


def read(path: Path) -> list[np.ndarray]:
    return [frame.image for frame in open_source(str(path), OPTIONS)]


def test_a_folder_is_read_in_natural_order_at_thirty_images_a_second(tmp_path: Path) -> None:
    for number in (10, 9, 100, 1):
        write(tmp_path / f"frame{number}.png", np.full((4, 4), number, dtype=np.uint8))
    (tmp_path / "notes.txt").write_text("no image")
    source = open_source(str(tmp_path), OPTIONS)
    frames = list(source)
    assert [int(frame.image[0, 0, 0]) for frame in frames] == [1, 9, 10, 100]
    assert [frame.index for frame in frames] == [0, 1, 2, 3]
    np.testing.assert_allclose([frame.time_s for frame in frames], np.arange(4) / 30)
    assert source.frame_count == 4
    assert not source.live


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tiff", ".webp", ".jpg", ".JPEG"])
def test_one_image_of_every_format_is_one_frame(tmp_path: Path, suffix: str) -> None:
    (image,) = read(write(tmp_path / f"ä b{suffix}", COLOUR))
    assert image.shape == (6, 8, 3)
    assert image.flags.c_contiguous
    assert np.abs(image.astype(int) - COLOUR).max() <= 8


def test_sixteen_bits_grey_and_alpha_become_eight_bit_rgb(tmp_path: Path) -> None:
    write(tmp_path / "1.png", COLOUR.astype(np.uint16) * 257)
    write(tmp_path / "2.png", np.full((6, 8), 90, dtype=np.uint8))
    write(tmp_path / "3.png", np.dstack([COLOUR, np.full((6, 8), 255, dtype=np.uint8)]))
    write(tmp_path / "4.png", np.full((6, 8), 90 * 257, dtype=np.uint16))
    deep, grey, alpha, deep_grey = read(tmp_path)
    assert np.abs(deep.astype(int) - COLOUR).max() <= 1
    assert np.array_equal(alpha, COLOUR)
    assert np.all(grey == 90)
    assert np.all(np.abs(deep_grey.astype(int) - 90) <= 1)
    assert {image.dtype for image in (deep, grey, alpha, deep_grey)} == {np.dtype(np.uint8)}


def test_each_size_has_its_own_camera(tmp_path: Path) -> None:
    for name, shape in (("1.png", (6, 8)), ("2.png", (1, 1)), ("3.png", (20, 10))):
        write(tmp_path / name, np.zeros(shape, dtype=np.uint8))
    frames = list(open_source(str(tmp_path), OPTIONS))
    assert [(f.camera.height_px, f.camera.width_px) for f in frames] == [(6, 8), (1, 1), (20, 10)]


def test_exif_orientation_is_respected(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jpg", COLOUR)
    # An APP1 segment with one tag: orientation (0x0112) = 6, a quarter turn clockwise.
    tiff = b"MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00"
    segment = b"Exif\x00\x00" + tiff
    data = path.read_bytes()
    path.write_bytes(data[:2] + b"\xff\xe1" + (len(segment) + 2).to_bytes(2, "big") + segment + data[2:])
    assert read(path)[0].shape == (8, 6, 3)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="holds no images"):
        open_source(str(tmp_path), OPTIONS)


@pytest.mark.parametrize("content", [b"", b"not an image"])
def test_an_unreadable_image_is_named(tmp_path: Path, content: bytes) -> None:
    write(tmp_path / "1.png", COLOUR)
    (tmp_path / "2.png").write_bytes(content)
    frames = iter(open_source(str(tmp_path), OPTIONS))
    next(frames)
    with pytest.raises(SourceError, match=r"2\.png"):
        next(frames)


def test_a_missing_image_is_named_with_its_near_names(tmp_path: Path) -> None:
    write(tmp_path / "photo1.png", COLOUR)
    with pytest.raises(SourceError, match="not there") as error:
        open_source(str(tmp_path / "photo.png"), OPTIONS)
    assert "photo1.png" in str(error.value)


def test_close_ends_the_iteration(tmp_path: Path) -> None:
    for name in ("1.png", "2.png"):
        write(tmp_path / name, COLOUR)
    source = open_source(str(tmp_path), OPTIONS)
    frames = iter(source)
    next(frames)
    source.close()
    source.close()
    assert list(frames) == []


def test_a_film_of_images_says_which_rate_it_assumes_and_one_image_does_not(tmp_path: Path) -> None:
    for name in ("1.png", "2.png"):
        write(tmp_path / name, COLOUR)
    (problem,) = open_source(str(tmp_path), OPTIONS).problems
    assert "30 a second" in problem
    assert "--rate 24" in problem
    assert open_source(str(tmp_path / "1.png"), OPTIONS).problems == []


def test_a_film_of_images_has_the_rate_that_it_is_said_to_have(tmp_path: Path) -> None:
    for name in ("1.png", "2.png", "3.png"):
        write(tmp_path / name, COLOUR)
    source = open_source(str(tmp_path), replace(OPTIONS, images_per_second=24.0))
    assert source.problems == []
    assert [frame.time_s for frame in source] == [0.0, 1 / 24, 2 / 24]
