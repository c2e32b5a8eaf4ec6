"""A batched triangle rasteriser in torch: exact pixel lists and one scatter, the same code on CPU and GPU.

Every triangle lists the pixel centres of its bounding box (`repeat_interleave`, no padding), tests them against its edges,
and the nearest one wins a `scatter_reduce(amin)` on the 64-bit key depth << 32 | triangle. Minimum is order-free, so the
result is the same on every run and device. Triangles are a few pixels large here; a huge triangle costs its whole box.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

NEAR_M = 0.05
"""A triangle with a corner nearer than this is not drawn."""
_EMPTY = torch.iinfo(torch.int64).max
_FAR_PX = 1e6
_OPEN_END = 0.12
"""Two-sided faces show their back only where trim is less than this: near the ends of cloth, where one can look in."""


@dataclass(frozen=True, slots=True, eq=False)
class Fragments:
    """The nearest surface of every covered pixel of L layers of H x W pixels; P covered pixels, in raster order."""

    pixel: Tensor
    """(P,) int64 index into the flattened (L, H, W)."""
    layer: Tensor
    """(P,) int64."""
    face: Tensor
    """(P,) int64 index of the triangle."""
    corners: Tensor
    """(P, 3) float32 perspective-correct barycentric weights."""
    depth_m: Tensor
    """(P,) float32 along the camera's z."""


def rasterise(
    pixels: Tensor, depth_m: Tensor, faces: Tensor, trim: Tensor, size: tuple[int, int], two_sided: Tensor | None = None
) -> Fragments:
    """Nearest front-facing triangle of each pixel.

    Args:
        pixels: (L, V, 2) projected vertices; pixel (0, 0) has its centre at 0, 0.
        depth_m: (L, V) z of each vertex, positive in front.
        faces: (F, 3) the same for all layers; corners clockwise as seen from the front, y down.
        trim: (L, V) a surface point is drawn where this, interpolated, is positive: how clothes end.
        size: H, W.
        two_sided: (F,) True for faces that show their back too, near their trimmed end.
    """
    height, width = size
    layer, face = _drawable(pixels, depth_m, faces, trim, size, two_sided)
    x, y = (pixels[..., i][layer[:, None], faces[face]] for i in (0, 1))  # (N, 3)
    z = depth_m[layer[:, None], faces[face]]
    left, top, across, down = _boxes(x, y, size)
    count = across * down
    filled = count > 0
    layer, face, x, y, z = layer[filled], face[filled], x[filled], y[filled], z[filled]
    left, top, across, count = left[filled], top[filled], across[filled], count[filled]
    planes = _planes(x, y, z, trim[layer[:, None], faces[face]], left, top)
    triangle = torch.repeat_interleave(count)  # (M,)
    place = torch.arange(len(triangle), device=triangle.device) - (count.cumsum(0) - count)[triangle]
    row = torch.div(place, across[triangle], rounding_mode="floor")
    column = place - row * across[triangle]
    u, v, inverse, keep = _evaluate(planes, triangle, column, row)
    inside = ((u >= 0) & (v >= 0) & (u + v <= 1) & (keep > 0)).nonzero()[:, 0]
    triangle = triangle[inside]
    target = (layer[triangle] * height + top[triangle] + row[inside]) * width + left[triangle] + column[inside]
    key = ((1.0 / inverse[inside]).view(torch.int32).to(torch.int64) << 32) | triangle
    buffer = torch.full((len(pixels) * height * width,), _EMPTY, dtype=torch.int64, device=pixels.device)
    buffer.scatter_reduce_(0, target, key, "amin")
    return _fragments(buffer, planes, layer, face, z, left, top, size)


def _drawable(
    pixels: Tensor, depth_m: Tensor, faces: Tensor, trim: Tensor, size: tuple[int, int], two_sided: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Layer and face (N,) of the triangles that may be seen."""
    a, b, c = (pixels[:, faces[:, i]] for i in range(3))  # (L, F, 2)
    ab, ac = b - a, c - a
    area = ab[..., 0] * ac[..., 1] - ab[..., 1] * ac[..., 0]
    front = area < 0
    if two_sided is not None:
        end = torch.minimum(torch.minimum(trim[:, faces[:, 0]], trim[:, faces[:, 1]]), trim[:, faces[:, 2]])
        front |= (area > 0) & two_sided & (end < _OPEN_END)
    near = depth_m.clamp(max=1.0 + NEAR_M) - NEAR_M
    usable = (near > 0) & pixels.isfinite().all(-1) & (pixels.abs().amax(-1) < _FAR_PX)
    seen = usable[:, faces[:, 0]] & usable[:, faces[:, 1]] & usable[:, faces[:, 2]]
    worn = trim > 0
    seen &= worn[:, faces[:, 0]] | worn[:, faces[:, 1]] | worn[:, faces[:, 2]]
    layer, face = (front & seen).nonzero(as_tuple=True)
    return layer, face


def _boxes(x: Tensor, y: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Left, top, width and height (N,) in whole pixels of the pixel centres inside each triangle's box."""
    height, width = size
    left = x.amin(1).ceil().clamp(0, width).long()
    top = y.amin(1).ceil().clamp(0, height).long()
    right = x.amax(1).floor().clamp(-1, width - 1).long()
    bottom = y.amax(1).floor().clamp(-1, height - 1).long()
    return left, top, (right - left + 1).clamp(min=0), (bottom - top + 1).clamp(min=0)


def _planes(x: Tensor, y: Tensor, z: Tensor, trim: Tensor, left: Tensor, top: Tensor) -> Tensor:
    """(N, 4, 3) value = p0 + p1 * column + p2 * row inside the box, for weight 1, weight 2, 1 / z and the trim."""
    x, y = x - left[:, None], y - top[:, None]
    x0, y0 = x[:, 0], y[:, 0]
    bx, by, cx, cy = x[:, 1] - x0, y[:, 1] - y0, x[:, 2] - x0, y[:, 2] - y0
    area = bx * cy - by * cx
    area = torch.where(area.abs() < 1e-9, torch.full_like(area, 1e-9), area)
    u = torch.stack([(cx * y0 - cy * x0) / area, cy / area, -cx / area], 1)
    v = torch.stack([(by * x0 - bx * y0) / area, -by / area, bx / area], 1)
    constant = torch.tensor([1.0, 0.0, 0.0], device=x.device)

    def plane(value: Tensor) -> Tensor:
        return value[:, :1] * constant + (value[:, 1:2] - value[:, :1]) * u + (value[:, 2:3] - value[:, :1]) * v

    return torch.stack([u, v, plane(1.0 / z), plane(trim)], 1)


def _evaluate(planes: Tensor, triangle: Tensor, column: Tensor, row: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The four plane values (M,) at a column and row of each triangle's box."""
    chosen = planes[triangle]  # (M, 4, 3)
    values = chosen[..., 0] + chosen[..., 1] * column[:, None] + chosen[..., 2] * row[:, None]
    return values[:, 0], values[:, 1], values[:, 2], values[:, 3]


def _fragments(
    buffer: Tensor, planes: Tensor, layer: Tensor, face: Tensor, z: Tensor, left: Tensor, top: Tensor, size: tuple[int, int]
) -> Fragments:
    height, width = size
    pixel = (buffer != _EMPTY).nonzero()[:, 0]
    triangle = buffer[pixel] & 0xFFFFFFFF
    row = torch.div(pixel, width, rounding_mode="floor")
    column = pixel - row * width - left[triangle]
    u, v, inverse, _ = _evaluate(planes, triangle, column, row % height - top[triangle])
    depth = 1.0 / inverse
    corners = torch.stack([1 - u - v, u, v], 1) * depth[:, None] / z[triangle]
    return Fragments(pixel, layer[triangle], face[triangle], corners, depth)
