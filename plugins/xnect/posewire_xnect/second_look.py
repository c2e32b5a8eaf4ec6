"""A second look at those of whom Stage I is unsure, at another size and place: ghosts vanish, people stay.

What a network takes for somebody in a heap of furniture hangs on every pixel (docs/XNECT.md, "Nobody").
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from posewire import pictures
from posewire.data import FloatArray, ImageArray
from posewire_xnect.crowd import is_somebody, without_strays
from posewire_xnect.letterbox import Letterbox, resized
from posewire_xnect.networks import StageOneNet
from posewire_xnect.people import People, belongs_to, sizes_px
from posewire_xnect.targets import BoolArray

SPREAD_PX = 34.0
"""How large somebody is shown (people.sizes_px): not as in the first look, and neither too small nor too large to be seen."""
SIDE_PX = 224
"""Of the square that is looked at: a third of the time of a whole picture."""
SURE = 0.3
"""Lowest mean confidence of who is seen there again."""


class SecondLook:
    """Looks again at people in one frame.

    Args:
        net: Stage I.
        image: The frame, RGB (H, W, 3): small people show more in it than in what Stage I saw.
        box: From the frame to what Stage I saw, in whose pixels people are.
    """

    def __init__(self, net: StageOneNet, image: ImageArray, box: Letterbox) -> None:
        self._net, self._image, self._box = net, image, box

    def __call__(self, found: People) -> BoolArray:
        """(P,) whether each is seen again, about as before. One run of the network for each."""
        points_px = self._box.to_picture(np.asarray(found.points_px, dtype=np.float64))
        spreads_px = sizes_px(found.points_px) * self._box.frame_px_per_px.max()
        return np.array([self._sees(*person) for person in zip(points_px, spreads_px, strict=True)], bool)

    def _sees(self, points_px: FloatArray, spread_px: float) -> bool:
        """Whether somebody (J, 2) is seen again; pixels of the frame."""
        size = np.array(self._net.fixed or (SIDE_PX, SIDE_PX))
        share = SPREAD_PX / spread_px
        corner = np.round(np.nanmean(points_px, axis=0) - 0.5 * size / share).astype(int)
        again = without_strays(self._net.look(pictures.to_network([_shown(self._image, corner, share, size)])))
        expected_px = (points_px - corner + 0.5) * share - 0.5
        is_owner = belongs_to(again.points_px, expected_px[None]) == 0
        return bool((is_owner & is_somebody(again, SURE)).any())


def _shown(image: ImageArray, corner: NDArray[np.int64], share: float, size: NDArray[np.int64]) -> ImageArray:
    """(h, w, 3) what lies right of and below a corner (x, y) of the frame, at `share` of its size; black where there is none."""
    low, high = np.maximum(corner, 0), np.minimum(corner + np.ceil(size / share).astype(int), image.shape[1::-1])
    place = np.round((low - corner) * share).astype(int)
    width, height = np.clip(np.round((high - low) * share).astype(int), 1, size - place).tolist()
    shown, (x, y) = np.zeros((size[1], size[0], 3), np.uint8), place.tolist()
    shown[y : y + height, x : x + width] = resized(image[low[1] : high[1], low[0] : high[0]], (width, height))
    return shown
