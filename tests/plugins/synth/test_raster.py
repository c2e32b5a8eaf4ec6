"""The rasteriser against a loop over pixels and triangles."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from posewire_synth.raster import rasterise

SIZE = (24, 32)


def soup(seed: int, triangles: int = 12) -> tuple[Tensor, Tensor, Tensor]:
    """Pixels (1, V, 2), depth (1, V) and faces (F, 3) of triangles that share no corner."""
    rng = np.random.default_rng(seed)
    pixels = torch.tensor(rng.uniform(-6, 36, (1, 3 * triangles, 2)), dtype=torch.float32)
    depth = torch.tensor(rng.uniform(1, 4, (1, 3 * triangles)), dtype=torch.float32)
    return pixels, depth, torch.arange(3 * triangles).view(-1, 3)


def by_hand(pixels: Tensor, depth: Tensor, faces: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Face (H, W), -1 for none, and depth of the nearest front face, in float64."""
    face, near = np.full(SIZE, -1), np.full(SIZE, np.inf)
    x, z = pixels[0].numpy().astype(float), depth[0].numpy().astype(float)
    for f, corners in enumerate(faces.numpy()):
        a, b, c = x[corners]
        area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
        if area >= 0:
            continue
        for row in range(SIZE[0]):
            for column in range(SIZE[1]):
                p = np.array([column, row])
                u = ((p - a)[0] * (c - a)[1] - (p - a)[1] * (c - a)[0]) / area
                v = ((b - a)[0] * (p - a)[1] - (b - a)[1] * (p - a)[0]) / area
                inverse = (1 - u - v) / z[corners[0]] + u / z[corners[1]] + v / z[corners[2]]
                if u >= 0 and v >= 0 and u + v <= 1 and 1 / inverse < near[row, column]:
                    face[row, column], near[row, column] = f, 1 / inverse
    return face, near


def test_every_pixel_shows_the_nearest_front_face() -> None:
    for seed in range(4):
        pixels, depth, faces = soup(seed)
        found = rasterise(pixels, depth, faces, torch.ones_like(depth), SIZE)
        face, near = np.full(SIZE, -1).ravel(), np.full(SIZE, np.inf).ravel()
        face[found.pixel.numpy()], near[found.pixel.numpy()] = found.face.numpy(), found.depth_m.numpy()
        expected_face, expected_near = by_hand(pixels, depth, faces)
        assert (face == expected_face.ravel()).mean() > 0.998  # a pixel centre on an edge may fall to either side
        same = face == expected_face.ravel()
        np.testing.assert_allclose(near[same], expected_near.ravel()[same], rtol=1e-4)


def test_corner_weights_rebuild_the_point_in_space() -> None:
    pixels, depth, faces = soup(9)
    found = rasterise(pixels, depth, faces, torch.ones_like(depth), SIZE)
    space = torch.cat([pixels[0] * depth[0, :, None], depth[0, :, None]], 1)  # K = identity
    point = (space[faces[found.face]] * found.corners[..., None]).sum(1)
    seen = point[:, :2] / point[:, 2:]
    place = torch.stack([found.pixel % SIZE[1], found.pixel // SIZE[1]], 1)
    torch.testing.assert_close(seen, place.float(), atol=2e-3, rtol=0)
    torch.testing.assert_close(point[:, 2], found.depth_m, atol=1e-4, rtol=1e-4)


def test_layers_do_not_mix() -> None:
    (a, za, faces), (b, zb, _) = soup(1), soup(2)
    both = rasterise(torch.cat([a, b]), torch.cat([za, zb]), faces, torch.ones(2, za.shape[1]), SIZE)
    alone = rasterise(b, zb, faces, torch.ones_like(zb), SIZE)
    mine = both.layer == 1
    assert torch.equal(both.pixel[mine] - SIZE[0] * SIZE[1], alone.pixel)
    assert torch.equal(both.face[mine], alone.face)


def test_a_surface_ends_where_its_trim_is_zero() -> None:
    pixels = torch.tensor([[[0.0, 0.0], [0.0, 23.0], [31.0, 0.0]]])
    trim = torch.tensor([[1.0, 1.0, -1.0]])  # zero half-way to the right corner
    found = rasterise(pixels, torch.ones(1, 3), torch.tensor([[0, 1, 2]]), trim, SIZE)
    column = found.pixel % SIZE[1]
    assert len(column) > 50 and int(column.max()) == 15


def test_nothing_behind_the_camera_is_drawn() -> None:
    pixels, depth, faces = soup(3)
    assert len(rasterise(pixels, -depth, faces, torch.ones_like(depth), SIZE).pixel) == 0
