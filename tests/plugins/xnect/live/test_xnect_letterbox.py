"""The frame in the network's picture: proportions, sizes, and the way back to the pixel."""

from __future__ import annotations

import numpy as np
import pytest

from posewire_xnect.letterbox import Letterbox


@pytest.mark.parametrize(
    ("picture", "network"),
    [
        ((1920, 1080), (512, 288)),
        ((1080, 1920), (288, 512)),
        ((640, 480), (448, 320)),
        ((500, 500), (320, 320)),
        ((512, 320), (512, 320)),
        ((1, 1), (320, 320)),
        ((5000, 1), (512, 32)),
        ((359, 241), (480, 320)),
    ],
)
def test_the_network_s_picture_stands_as_the_frame_does_and_is_hardly_larger(
    picture: tuple[int, int], network: tuple[int, int]
) -> None:
    assert Letterbox.into(picture).network == network


@pytest.mark.parametrize("picture", [(1080, 1920), (640, 480), (1, 1), (3, 4000)])
def test_a_network_of_one_size_gets_its_size(picture: tuple[int, int]) -> None:
    box = Letterbox.into(picture, (512, 320))
    image = np.full((picture[1], picture[0], 3), 255, np.uint8)
    assert box.to_network(image).shape == (1, 3, 320, 512)


@pytest.mark.parametrize("picture", [(1920, 1080), (1080, 1920), (100, 60), (533, 301)])
@pytest.mark.parametrize("fixed", [None, (512, 320)])
def test_a_spot_of_the_frame_is_found_again_in_it(picture: tuple[int, int], fixed: tuple[int, int] | None) -> None:
    width, height = picture
    spot = np.array([round(0.7 * width), round(0.4 * height)])
    radius = max(2, width // 40)
    y, x = np.mgrid[:height, :width]
    lit = np.hypot(x - spot[0], y - spot[1]) < radius
    box = Letterbox.into(picture, fixed)
    seen = box.to_network(np.repeat(np.where(lit, 255, 0).astype(np.uint8)[..., None], 3, axis=2))[0, 0]
    y, x = np.mgrid[: seen.shape[0], : seen.shape[1]]
    centre = np.array([(x * seen).sum(), (y * seen).sum()]) / seen.sum()
    assert np.abs(box.to_picture(centre) - spot).max() < 0.03 * radius + 0.1


def test_colours_are_rgb_from_0_to_1_and_nothing_is_beside_the_frame() -> None:
    image = np.zeros((100, 100, 3), np.uint8)
    image[..., 0], image[..., 2] = 255, 51
    seen = Letterbox.into((100, 100), (512, 320)).to_network(image)
    np.testing.assert_allclose(
        seen[0, :, :, :320], np.broadcast_to(np.array([1.0, 0.0, 0.2])[:, None, None], (3, 320, 320)), atol=1e-6
    )
    assert seen[0, :, :, 320:].max() == 0
    assert seen.dtype == np.float32


@pytest.mark.parametrize("width", [400, 900, 1100, 1920, 3840])
def test_every_pixel_counts_however_much_is_shrunk(width: int) -> None:
    stripes = np.zeros((width, width, 3), np.uint8)
    stripes[:, np.arange(width) % 4 < 2] = 200
    seen = Letterbox.into((width, width)).to_network(stripes)[0, 0, 4:-4, 4:-4]
    assert abs(seen.mean() - 100 / 255) < 0.02
    if width > 1200:
        assert seen.std() < 0.13  # sampled between pixels alone, the stripes would come back as coarser ones
