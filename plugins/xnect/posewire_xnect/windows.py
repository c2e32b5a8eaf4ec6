"""Pictures of an album seen afresh: through a window, at another size, in the mirror, with another lens and other colours.

A step of a network that learns whole costs by the pixel: a window of 256 x 256 shows a person as large as in the picture at two
fifths of its price. Small people come from pictures that are shrunk, people who are cut off from the window's border; what lies
beyond a picture is black, as beyond a letterboxed one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from posewire_data.joints import MIRROR
from posewire_synth.degrade import blurred, recoloured
from posewire_synth.layers import OUTSIDE
from posewire_xnect.album import Album, without_empty_places
from posewire_xnect.letterbox import LONGER_PX, SHORTER_PX, Size
from posewire_xnect.placed import Placed
from posewire_xnect.targets import STRIDE, BoolArray, FloatArray
from posewire_xnect.truth import Scene

FAR, NEAR = (320, 192), (256, 256)
"""Windows for shrunk pictures, which are nearly whole, and for others: as many pixels, multiples of 32."""
SMALLEST, LARGEST, BETWEEN = 0.5, 1.6, 0.75
"""Sizes of a picture; below the last one the window is FAR."""
SPREAD = 0.12
"""Of the sizes within a step, all of which have one window; standard deviation of the logarithm."""
AIMED = 0.85
"""Share of the windows that show somebody for certain."""
BLURRED = 0.2


def seen(chosen: Sequence[tuple[Album, NDArray[np.int64]]], rng: np.random.Generator, size: float) -> tuple[Scene, Tensor]:
    """New windows on some pictures of 512 x 320, and the cells (B, J, h, w) that are left open.

    Args:
        chosen: Albums, and which of their pictures.
        rng: Source of chance.
        size: Of all of them, more or less; decides about the window.
    """
    some = [_window(album, int(row), rng, size) for album, rows in chosen for row in rows]
    image, points_px, joints_m, visibility, left_open = (torch.stack(values) for values in zip(*some, strict=True))
    black = (image == 0).all(1, keepdim=True)  # what lies beyond a picture stays black
    image = recoloured(blurred(image, rng) if rng.random() < BLURRED else image, rng).masked_fill(black, 0.0)
    return Scene(image, *without_empty_places(points_px, joints_m, visibility)), left_open


def drawn_size(rng: np.random.Generator) -> float:
    """Of a step's pictures."""
    return float(np.exp(rng.uniform(np.log(SMALLEST), np.log(LARGEST))))


def _placed(rng: np.random.Generator, size: float, points_px: FloatArray) -> Placed:
    """A window on a picture with people at (M, J, 2); most show one of them, somewhere."""
    room: Size = FAR if size < BETWEEN else NEAR
    scale = size * float(np.exp(SPREAD * rng.normal()))
    slack = [have - scale * side for have, side in zip(room, (LONGER_PX, SHORTER_PX), strict=True)]
    corner = np.array([rng.uniform(min(0.0, some), max(0.0, some)) for some in slack])
    people = np.flatnonzero(np.isfinite(points_px[..., 0]).any(axis=-1))
    if len(people) and rng.random() < AIMED:
        wanted = np.array(room) * rng.uniform(0.25, 0.75, 2) - scale * np.nanmean(points_px[rng.choice(people)], axis=0)
        corner = np.clip(wanted, np.minimum(0.0, slack), np.maximum(0.0, slack))
    return Placed(scale, float(corner[0]), float(corner[1]), bool(rng.random() < 0.5), room)


def _window(album: Album, row: int, rng: np.random.Generator, size: float) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Of one picture, its people, and what is left open in it."""
    placed = _placed(rng, size, album.points_px[row].numpy().astype(np.float64))
    image = placed.picture(np.ascontiguousarray(album.image[row].permute(1, 2, 0).numpy()))
    points_px = torch.from_numpy(placed.points(album.points_px[row].numpy().astype(np.float64))).float()
    joints_m = torch.from_numpy(placed.joints(album.joints_m[row].numpy().astype(np.float64))).float()
    visibility, left_open = album.visibility[row], torch.from_numpy(_cells(album.left_open[row].numpy(), placed))
    if placed.mirrored:
        turn = list(MIRROR)
        points_px, joints_m, visibility, left_open = points_px[:, turn], joints_m[:, turn], visibility[:, turn], left_open[turn]
    inside = ((points_px >= 0) & (points_px < torch.tensor(placed.room))).all(-1)
    return torch.from_numpy(image), points_px, joints_m, torch.where(inside, visibility, OUTSIDE), left_open


def _cells(marks: BoolArray, placed: Placed) -> BoolArray:
    """(J, h, w) of the window: the marks of the picture's cells under its cells' middles; none where there is no picture."""
    width, height = placed.room
    x_px, y_px = ((np.arange(side // STRIDE) + 0.5) * STRIDE - 0.5 for side in (width, height))
    x_px = width - 1 - x_px if placed.mirrored else x_px
    places = [(x_px, placed.left_px, marks.shape[2]), (y_px, placed.top_px, marks.shape[1])]
    columns, rows = (np.floor(((at - corner + 0.5) / placed.scale) / STRIDE).astype(int) for at, corner, _ in places)
    known = [(cells >= 0) & (cells < count) for cells, (_, _, count) in zip((columns, rows), places, strict=True)]
    found = marks[:, rows.clip(0, marks.shape[1] - 1)][:, :, columns.clip(0, marks.shape[2] - 1)]
    return found & known[1][:, None] & known[0]
