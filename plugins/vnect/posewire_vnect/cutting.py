"""One person cut out of a real picture as a training crop."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from posewire import pictures
from posewire.data import FloatArray, Frame
from posewire_vnect.names import INPUT_PX
from posewire_vnect.shots import Shots

_FILL = (0.6, 0.85)
"""From how much to how much of the crop the longer side of the person's points takes."""
_SHIFT = 0.06
"""Largest way of a person from the crop's middle, share of its side."""


def cut_out(
    frame: Frame, points_px: FloatArray, points_m: FloatArray, visibility: NDArray[np.integer[Any]], rng: np.random.Generator
) -> Shots:
    """A crop around a person, who lies a little off its middle.

    Args:
        frame: The picture.
        points_px: (J, 2) in the picture, NaN = not known.
        points_m: (J, 3) in the axes of the picture's camera, NaN = not known.
        visibility: (J,) posewire_synth.layers.
        rng: Source of chance.
    """
    low, high = np.nanmin(points_px, axis=0), np.nanmax(points_px, axis=0)
    side_px = float((high - low).max() / rng.uniform(*_FILL))
    corner = (low + high) / 2 + rng.uniform(-_SHIFT, _SHIFT, 2) * side_px - side_px / 2
    step = side_px / INPUT_PX
    to_picture = np.array([[step, 0.0, corner[0]], [0.0, step, corner[1]]])
    image = pictures.warped(frame.picture, to_picture, INPUT_PX)
    to_crop = np.array([[1 / step, 0.0, -corner[0] / step], [0.0, 1 / step, -corner[1] / step], [0.0, 0.0, 1.0]])
    return Shots(
        torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))[None],
        _tensor((points_px - corner) / step),
        _tensor(points_m),
        torch.from_numpy(visibility.astype(np.uint8))[None],
        _tensor(to_crop @ frame.camera.K),
    )


def _tensor(values: FloatArray) -> torch.Tensor:
    return torch.from_numpy(values.astype(np.float32))[None]
