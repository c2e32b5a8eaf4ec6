"""Pictures of an album seen afresh: whole or through a window, at another size, tilted, in the mirror, with other colours.

Most steps see whole pictures, as live: what is learned in windows helps these half as much. A step costs by the pixel, so others
see windows: one of 256 x 256 shows a person as large as the picture does, at two fifths of its price. Small people come from
pictures that are shrunk, people who are cut off from the window's border; what lies beyond a picture is black, as beyond a
letterboxed one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

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

WHOLE: Size = (LONGER_PX, SHORTER_PX)
FAR, NEAR = (320, 192), (256, 256)
"""Windows for shrunk pictures, which are nearly whole, and for others: as many pixels, multiples of 32."""
SMALLEST, LARGEST, BETWEEN = 0.5, 1.6, 0.75
"""Sizes of a picture in a window; below the last one the window is FAR."""
SMALLEST_WHOLE, LARGEST_WHOLE = 0.8, 1.3
SPREAD = 0.12
"""Of the sizes within a step, all of which have one window; standard deviation of the logarithm."""
AIMED = 0.85
"""Share of the windows that show somebody for certain."""
TILTED, TILT_RAD, UPRIGHT_RAD = 0.35, np.radians(35.0), np.radians(3.0)
"""Share of the pictures that are tilted, as athletes lean; the most; how far the others are off (standard deviation)."""
BLURRED = 0.2


@dataclass(frozen=True, slots=True)
class Look:
    """How a step's pictures are seen."""

    size: float
    """More or less that of all of them."""
    room: Size

    @classmethod
    def drawn(cls, rng: np.random.Generator, whole: float) -> Self:
        """Of a step; `whole` of the steps see whole pictures."""
        if rng.random() < whole:
            return cls(_between(rng, SMALLEST_WHOLE, LARGEST_WHOLE), WHOLE)
        size = _between(rng, SMALLEST, LARGEST)
        return cls(size, FAR if size < BETWEEN else NEAR)


class Cut(NamedTuple):
    """Windows on pictures and their people; see Album."""

    image: Tensor
    points_px: Tensor
    joints_m: Tensor
    visibility: Tensor
    left_open: Tensor


def _between(rng: np.random.Generator, low: float, high: float) -> float:
    """As likely in each half of the logarithm."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def seen(
    chosen: Sequence[tuple[Album, NDArray[np.int64]]], rng: np.random.Generator, look: Look, device: str = "cpu"
) -> tuple[Scene, Tensor]:
    """New looks at some pictures of 512 x 320, and the cells (B, J, h, w) that are left open.

    Args:
        chosen: Albums, and which of their pictures.
        rng: Source of chance.
        look: The window, and how large.
        device: Where they go.
    """
    return recoloured_there(cut(chosen, rng, look), rng, device)


def cut(chosen: Sequence[tuple[Album, NDArray[np.int64]]], rng: np.random.Generator, look: Look) -> Cut:
    """The windows as they are, on the CPU; see `seen`."""
    some = [_window(album, int(row), rng, look) for album, rows in chosen for row in rows]
    return Cut(*(torch.stack(values) for values in zip(*some, strict=True)))


def recoloured_there(windows: Cut, rng: np.random.Generator, device: str) -> tuple[Scene, Tensor]:
    """Some of them blurred, all with other colours, on the device; see `seen`."""
    image, points_px, joints_m, visibility, left_open = (value.to(device) for value in windows)
    black = (image == 0).all(1, keepdim=True)  # what lies beyond a picture stays black
    image = recoloured(blurred(image, rng) if rng.random() < BLURRED else image, rng).masked_fill(black, 0.0)
    return Scene(image, *without_empty_places(points_px, joints_m, visibility)), left_open


def _placed(rng: np.random.Generator, look: Look, points_px: FloatArray) -> Placed:
    """A window on a picture with people at (M, J, 2); most show one of them, somewhere."""
    room = look.room
    scale = look.size * float(np.exp(SPREAD * rng.normal()))
    slack = [have - scale * side for have, side in zip(room, (LONGER_PX, SHORTER_PX), strict=True)]
    corner = np.array([rng.uniform(min(0.0, some), max(0.0, some)) for some in slack])
    people = np.flatnonzero(np.isfinite(points_px[..., 0]).any(axis=-1))
    if len(people) and rng.random() < AIMED:
        wanted = np.array(room) * rng.uniform(0.25, 0.75, 2) - scale * np.nanmean(points_px[rng.choice(people)], axis=0)
        corner = np.clip(wanted, np.minimum(0.0, slack), np.maximum(0.0, slack))
    tilt_rad = rng.uniform(-TILT_RAD, TILT_RAD) if rng.random() < TILTED else UPRIGHT_RAD * rng.normal()
    return Placed(scale, float(corner[0]), float(corner[1]), bool(rng.random() < 0.5), room, float(tilt_rad))


def _window(album: Album, row: int, rng: np.random.Generator, look: Look) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Of one picture, its people, and what is left open in it."""
    placed = _placed(rng, look, album.points_px[row].numpy().astype(np.float64))
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
    x, y = np.meshgrid(np.arange(0.0, width, STRIDE), np.arange(0.0, height, STRIDE))
    middles = np.stack([x, y], axis=-1) + (STRIDE - 1) / 2  # (h, w, 2)
    columns, rows = np.floor((placed.frame_points(middles) + 0.5) / STRIDE).astype(int).transpose(2, 0, 1)
    known = (columns >= 0) & (columns < marks.shape[2]) & (rows >= 0) & (rows < marks.shape[1])
    return marks[:, rows.clip(0, marks.shape[1] - 1), columns.clip(0, marks.shape[2] - 1)] & known
