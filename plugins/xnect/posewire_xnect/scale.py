"""How large the next picture is shown to the network: people who fill it are seen worse than people of middle size.

Rendered groups, which the heads learned from, hold few large people. On `walking_side.mp4`, cut so that the walker fills the
picture, the 3D lies 87 mm from BlazePose's at 78 px of spread and 66 to 68 mm at 39 to 59 px.
"""

from __future__ import annotations

from posewire_xnect.people import People, sizes_px

SMALL_PX, BEST_PX, LARGE_PX = 35.0, 48.0, 62.0
"""Spread (people.sizes_px) of the smallest person told of: below and above these the next picture is shown anew, at the best."""
LEAST = 0.3
"""A frame never fills less of the picture, however large somebody is said to be: that may be a wrong sight."""
SEARCH = 0.5
"""What it fills in every other picture where nobody is seen at all: perhaps somebody is too near."""


class Scale:
    """The share of the network's picture that a frame fills. Owned by one thread."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """The whole picture again."""
        self.share, self._is_first = 1.0, True

    def learn(self, seen: People) -> bool:
        """Looks at who was told of, in the network's pixels; everybody counts, so the smallest decides.

        Returns:
            Whether the same picture should be looked at once more, at the new share: the first one of all, a still perhaps.
        """
        before, is_first = self.share, self._is_first
        self._is_first = False
        self._decide(seen)
        return is_first and self.share != before

    def _decide(self, seen: People) -> None:
        if not len(seen.confidence):
            self.share = SEARCH if self.share == 1.0 else 1.0
            return
        smallest_px = float(sizes_px(seen.points_px).min())
        if not SMALL_PX <= smallest_px <= LARGE_PX:
            self.share = min(1.0, max(LEAST, self.share * BEST_PX / smallest_px))
