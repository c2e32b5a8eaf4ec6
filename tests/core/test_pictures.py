"""A crop of a decoder's planes is the crop of the RGB picture; RGB is made only when somebody asks for all of it."""

from __future__ import annotations

from importlib import resources

import cv2
import numpy as np
import pytest

from posewire.camera import assumed
from posewire.capture import open_source
from posewire.data import FloatArray, Frame, ImageArray
from posewire.methods import SourceOptions
from posewire.pictures import BT601, BT709, PlanarPicture, thinned, to_network, warped

TURNED = np.array([[2.0, -0.7, 40.0], [0.7, 2.0, 30.0]])


def smooth_picture(height: int, width: int) -> ImageArray:
    """Colours that change slowly, so that half the colour resolution loses nothing."""
    y, x = np.mgrid[:height, :width]
    channels = [128 + 90 * np.sin(x / 37 + y / 61 + phase) for phase in (0.0, 1.0, 2.5)]
    return np.stack(channels, axis=-1).astype(np.uint8)


def planes_of(image: ImageArray) -> tuple[ImageArray, ImageArray, ImageArray]:
    """OpenCV's own conversion to limited-range BT.601, 4:2:0."""
    height, width = image.shape[:2]
    packed = cv2.cvtColor(image, cv2.COLOR_RGB2YUV_I420)
    quarter = packed[height:].reshape(2, height // 2, width // 2)
    return packed[:height], quarter[0], quarter[1]


def planar(image: ImageArray, to_rgb: FloatArray = BT601) -> PlanarPicture:
    return PlanarPicture(planes_of(image), to_rgb, image.copy)


@pytest.mark.parametrize(
    "to_picture", [TURNED, np.array([[1.0, 0, 0], [0, 1.0, 0]]), np.array([[3.0, 0, -90.0], [0, 3.0, -20.0]])]
)
@pytest.mark.parametrize("border", [cv2.BORDER_REPLICATE, cv2.BORDER_CONSTANT])
def test_a_crop_of_the_planes_is_the_crop_of_the_picture(to_picture: FloatArray, border: int) -> None:
    image = smooth_picture(240, 320)
    expected = warped(image, to_picture, 128, border).astype(int)
    found = warped(planar(image), to_picture, 128, border).astype(int)
    assert np.abs(found - expected).mean() < 2.0
    inside = warped(np.full((240, 320, 3), 255, np.uint8), to_picture, 128, cv2.BORDER_CONSTANT).min(axis=2)
    inside = (
        cv2.erode(inside, np.ones((7, 7)), borderType=cv2.BORDER_CONSTANT, borderValue=0) == 255
    )  # at the edge the colour planes fade a pixel earlier
    assert np.abs(found - expected)[inside].max() <= 6, "rounding of 8-bit colours"


@pytest.mark.parametrize(
    ("rows", "columns"), [(slice(3, 200, 4), slice(7, 301, 3)), (slice(0, 240), slice(0, 320)), (slice(9, 9), slice(0, 5))]
)
def test_thinned_planes_are_the_thinned_picture_and_turn_nothing_else_to_rgb(rows: slice, columns: slice) -> None:
    image = smooth_picture(240, 320)

    def convert() -> ImageArray:
        raise AssertionError("the whole picture was asked for")

    found = thinned(PlanarPicture(planes_of(image), BT601, convert), rows, columns).astype(int)
    expected = thinned(image, rows, columns).astype(int)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max(initial=0) <= 10, "a colour plane has half the resolution"


def test_black_lies_outside_where_the_border_is_constant() -> None:
    far = np.array([[1.0, 0, 5000.0], [0, 1.0, 5000.0]])
    assert warped(planar(smooth_picture(64, 64)), far, 16, cv2.BORDER_CONSTANT).max() == 0
    assert warped(smooth_picture(64, 64), far, 16, cv2.BORDER_CONSTANT).max() == 0


def test_a_network_sees_every_level_exactly_as_opencv_makes_it() -> None:
    pictures = [np.arange(768, dtype=np.uint16).reshape(16, 16, 3).astype(np.uint8), smooth_picture(16, 16)]
    batch = to_network(pictures)
    assert batch.dtype == np.float32 and batch.flags.c_contiguous
    np.testing.assert_array_equal(batch, cv2.dnn.blobFromImages(pictures, 1 / 255.0))


@pytest.mark.parametrize("to_rgb", [BT601, BT709])
def test_grey_stays_grey_and_the_limits_are_black_and_white(to_rgb: FloatArray) -> None:
    for luma, expected in ((16, 0.0), (126, 255 * 110 / 219), (235, 255.0)):
        np.testing.assert_allclose(to_rgb @ [luma, 128, 128, 1], expected, atol=1.6)  # swscale cuts fractions off


def test_the_two_standards_differ_in_red() -> None:
    assert (BT601 @ [100, 128, 200, 1])[0] < (BT709 @ [100, 128, 200, 1])[0]


def test_rgb_is_made_once_and_cannot_be_written() -> None:
    calls: list[int] = []
    image = smooth_picture(64, 48)

    def convert() -> ImageArray:
        calls.append(1)
        return image.copy()

    picture = PlanarPicture(planes_of(image), BT601, convert)
    frame = Frame(picture, 0.0, 0, assumed(48, 64))
    assert frame.size_px == (48, 64)
    assert not calls
    assert frame.image is frame.image
    assert len(calls) == 1
    assert not frame.image.flags.writeable


def test_a_file_is_handed_out_in_planes_that_show_what_its_rgb_shows() -> None:
    with resources.as_file(resources.files("posewire") / "assets" / "balancing_cam01.mp4") as path:
        source = open_source(str(path), SourceOptions())
        frame = next(iter(source))
        source.close()  # the planes outlive the decoder
    assert isinstance(frame.picture, PlanarPicture)
    to_picture = np.array([[3.0, -0.6, 200.0], [0.6, 3.0, 400.0]])
    planes, rgb = warped(frame.picture, to_picture, 256).astype(int), warped(frame.image, to_picture, 256).astype(int)
    assert planes.std() > 20, "something can be seen"
    assert np.abs(planes - rgb).mean() < 1.0
