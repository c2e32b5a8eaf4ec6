"""A contact sheet: pictures side by side with their labels drawn, to be looked at."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from posewire_synth.layers import BY_OBJECT, BY_PERSON, BY_SELF, OUTSIDE, VISIBLE
from posewire_synth.points import BONES, POINTS
from posewire_synth.studio import Batch

ImageArray = NDArray[np.uint8]

_LEFT, _RIGHT, _MIDDLE = (255, 150, 0), (0, 190, 255), (230, 230, 230)
_DOTS = {VISIBLE: (40, 220, 40), BY_SELF: (220, 40, 40), BY_OBJECT: (200, 0, 200), BY_PERSON: (250, 220, 0), OUTSIDE: (0, 0, 0)}


def contact_sheet(batch: Batch, columns: int, *, labels: bool = True) -> ImageArray:
    """(H, W, 3). Left orange, right blue; dots: green seen, red behind oneself, purple behind a thing, yellow behind people."""
    tiles = [_tile(batch, row, labels) for row in range(len(batch.image))]
    height, width = tiles[0].shape[:2]
    rows = -(-len(tiles) // columns)
    sheet = np.zeros((rows * height, columns * width, 3), dtype=np.uint8)
    for i, tile in enumerate(tiles):
        y, x = divmod(i, columns)
        sheet[y * height : (y + 1) * height, x * width : (x + 1) * width] = tile
    return sheet


def _tile(batch: Batch, row: int, labels: bool) -> ImageArray:
    tile = np.ascontiguousarray((batch.image[row].permute(1, 2, 0).cpu().numpy() * 255).round().astype(np.uint8))
    if labels:
        for px, visibility in zip(batch.points_px[row].cpu().numpy(), batch.visibility[row].cpu().numpy(), strict=True):
            _draw(tile, px, visibility)
    return tile


def _draw(tile: ImageArray, px: NDArray[Any], visibility: NDArray[Any]) -> None:
    at = {name: (int(x), int(y)) for name, (x, y) in zip(POINTS, np.clip(px, -2000, 4000).round(), strict=True) if np.isfinite(x)}
    for a, b in (ends for ends in BONES if at.keys() >= set(ends)):
        colour = _LEFT if "left" in a + b else _RIGHT if "right" in a + b else _MIDDLE
        cv2.line(tile, at[a], at[b], colour, 1, cv2.LINE_AA)
    for j, name in enumerate(POINTS):
        if name in at and visibility[j] != OUTSIDE:
            cv2.circle(tile, at[name], 2, _DOTS[int(visibility[j])], -1, cv2.LINE_AA)
