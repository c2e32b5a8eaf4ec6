"""Pictures changed by less than anybody can see. Identities that hang on such a change were right by luck."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from posewire.data import Frame, ImageArray
from posewire.methods import Source


@dataclass(frozen=True, slots=True)
class Perturbation:
    """A change of a whole recording."""

    name: str
    first_frame: int = 0
    """Frames before it are left out."""
    rgb: bool = False
    """The method gets RGB pictures instead of the decoder's planes."""
    grey_levels: float = 0.0
    """So much brighter; a fraction is a grain that is one grey level brighter in that share of the samples."""
    shift_px: tuple[int, int] = (0, 0)
    """(x, y) by which the picture is moved; its edge is repeated."""

    def changed(self, frame: Frame, grain: ImageArray | None) -> Frame:
        """The frame with its picture changed; `grain` (H, W, 3) is 0, 1 or, for darker pictures, 255, which is -1."""
        if grain is None and self.shift_px == (0, 0):
            return replace(frame, picture=frame.image) if self.rgb else frame
        image = frame.image
        if grain is not None:
            image = np.clip(image.astype(np.int16) + grain.astype(np.int8), 0, 255).astype(np.uint8)
        return replace(frame, picture=_shifted(image, self.shift_px))

    def grain(self, shape: tuple[int, ...]) -> ImageArray | None:
        """The same in every frame, so that it is no movement."""
        if self.grey_levels == 0.0:
            return None
        chosen = np.random.default_rng(0).random(shape) < abs(self.grey_levels)
        return chosen.astype(np.uint8) * (1 if self.grey_levels > 0 else 255)


_GREY_LEVELS = (0.25, -0.25, 0.5, -0.5)
_SHIFTS_PX = ((1, 0), (-1, 0), (0, 1), (0, -1))


def perturbations(*, planes: bool) -> tuple[Perturbation, ...]:
    """The unchanged recording first; with `planes`, for recordings that come as such, also what RGB pictures do."""
    starts = [Perturbation(f"from frame {first}", first) for first in range(1, 5)]
    as_rgb = [Perturbation("RGB", rgb=True)] if planes else []
    as_rgb += [replace(one, name=f"RGB {one.name}", rgb=True) for one in starts] if planes else []
    brighter = [Perturbation(f"{levels:+.2f} grey levels", rgb=True, grey_levels=levels) for levels in _GREY_LEVELS]
    shifted = [Perturbation(f"moved by {x:+d}, {y:+d} px", rgb=True, shift_px=(x, y)) for x, y in _SHIFTS_PX]
    return (Perturbation("unchanged"), *starts, *as_rgb, *brighter, *shifted)


def filmed(source: Source, frame_count: int | None = None) -> list[Frame]:
    """The first frames of a source (None: all), kept to be shown several times; closes the source."""
    frames = list(islice(source, frame_count))
    source.close()
    return frames


class Perturbed:
    """A source of changed frames."""

    live = False

    def __init__(self, frames: Sequence[Frame], change: Perturbation) -> None:
        self._frames, self._change = frames[change.first_frame :], change
        self.frame_count = len(self._frames)

    def __iter__(self) -> Iterator[Frame]:
        width, height = self._frames[0].size_px if self._frames else (0, 0)
        grain = self._change.grain((height, width, 3))
        return (self._change.changed(frame, grain) for frame in self._frames)

    def close(self) -> None:
        """Nothing is held open."""


def _shifted(image: ImageArray, shift_px: tuple[int, int]) -> ImageArray:
    x, y = shift_px
    if (x, y) == (0, 0):
        return image
    padded = np.pad(image, ((abs(y), abs(y)), (abs(x), abs(x)), (0, 0)), mode="edge")
    height, width = image.shape[:2]
    return np.ascontiguousarray(padded[abs(y) - y : abs(y) - y + height, abs(x) - x : abs(x) - x + width])
