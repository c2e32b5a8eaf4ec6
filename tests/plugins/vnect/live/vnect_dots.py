"""A stand-in for the exported network that finds coloured dots: everything around the network is tested exactly.

Joint j is a dot whose red value is 10 * (j + 1), green 255, blue 0, on a black picture. The location maps are linear in the cell:
what is read at any point, also between cells, is known in closed form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from posewire import camera
from posewire.data import Frame
from posewire.runtime import Tensor
from posewire_blazepose.person_detector import PersonBox
from posewire_blazepose.regions import Region
from posewire_vnect.names import INPUT, JOINTS, OUTPUTS, PATCH, STRIDE_PX

SIDE = 256
J = len(JOINTS)
METADATA = {
    "posewire_kind": "vnect",
    "posewire_version": "1",
    "joints": ",".join(JOINTS),
    "stride_px": str(STRIDE_PX),
    "input_px": str(SIDE),
}
INPUTS = (Tensor(INPUT, (None, 3, SIDE, SIDE), "tensor(float)"),)
_SHAPES = ((J, 2), (J,), (J, 2), (J, 3, PATCH, PATCH))
TYPES = ("tensor(float)", "tensor(float)", "tensor(int64)", "tensor(float)")
GIVEN = tuple(Tensor(name, (None, *shape), kind) for name, shape, kind in zip(OUTPUTS, _SHAPES, TYPES, strict=True))
CELLS = SIDE // STRIDE_PX


def map_m(cells: np.ndarray) -> np.ndarray:
    """(..., 3) what the location maps of every joint hold at cells (..., 2)."""
    x, y = cells[..., 0], cells[..., 1]
    return np.stack([0.02 * x - 0.3, 0.03 * y - 0.5, 0.01 * x - 0.02 * y], axis=-1)


class DotsSession:
    """Stands in for posewire.runtime.Session."""

    def __init__(self, metadata: Mapping[str, str] = METADATA, inputs=INPUTS, outputs=GIVEN) -> None:
        self.metadata, self.inputs, self.outputs = metadata, inputs, outputs
        self.runs: list[int] = []
        self.closed = 0

    def run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        image = inputs[INPUT]
        assert image.dtype == np.float32 and image.shape[1:] == (3, SIDE, SIDE)
        assert image.min() >= 0.0 and image.max() <= 1.0
        self.runs.append(len(image))
        found = [_found(one) for one in image]
        return {name: np.stack(rows) for name, rows in zip(OUTPUTS, zip(*found, strict=True), strict=True)}

    def close(self) -> None:
        self.closed += 1


def _found(image: np.ndarray) -> tuple[np.ndarray, ...]:
    """One crop (3, S, S): the colour of a dot survives scaling as the ratio of red to green."""
    red, green, _ = image.astype(np.float64)
    lit = green > 0.3
    names = np.where(lit, np.round(25.5 * red / np.where(lit, green, 1.0)) - 1, -1).astype(int)
    y, x = np.nonzero((names >= 0) & (names < J))
    joint, worth = names[y, x], green[y, x]
    total, x_sum, y_sum = (np.bincount(joint, worth * value, J) for value in (1.0, x, y))
    shown = total > 0.5
    pixels = np.stack([x_sum, y_sum], axis=-1) / np.where(shown, total, 1.0)[:, None]
    peaks, confidence = np.where(shown[:, None], (pixels + 0.5) / STRIDE_PX - 0.5, 0.0), 0.9 * shown
    corners = np.clip(np.round(peaks).astype(np.int64) - PATCH // 2, 0, CELLS - PATCH)
    row, column = np.mgrid[:PATCH, :PATCH]
    cells = corners[:, None, None] + np.stack([column, row], axis=-1)
    patches = np.moveaxis(map_m(cells), -1, 1)
    return peaks.astype(np.float32), confidence.astype(np.float32), corners, patches.astype(np.float32)


_CENTRE = [(0.0, 0.0), (0.0, -0.13), (0.0, -0.28), (0.02, -0.37), (0.0, -0.46)]
_LEGS = [(0.06, 0.02), (0.07, 0.26), (0.07, 0.48)]
_ARMS = [(0.11, -0.27), (0.13, -0.12), (0.14, 0.03)]
_ENDS = [(0.15, 0.08), (0.11, 0.52)]


def _other(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    return [(-x, y) for x, y in points]


STANDING = np.array(
    [
        *(_CENTRE[0], *_other(_LEGS), *_LEGS, *_CENTRE[1:], *_ARMS, *_other(_ARMS)),
        *(_ENDS[0], *_other(_ENDS[:1]), _ENDS[1], *_other(_ENDS[1:])),
    ]
)
"""(J, 2) a person about 1 high, around the pelvis; no two joints in one place."""


def standing_px(x_px: float, y_px: float, height_px: float) -> np.ndarray:
    """(J, 2) whole pixels."""
    return np.round([x_px, y_px] + height_px * STANDING)


def painted(points_px: np.ndarray, width: int = 640, height: int = 480, radius: int = 3) -> np.ndarray:
    """The picture of these dots; those outside it cannot be seen."""
    image = np.zeros((height, width, 3), np.uint8)
    for j, (x, y) in enumerate(points_px):
        if np.isfinite([x, y]).all():
            cv2.circle(image, (int(x), int(y)), radius, (10 * (j + 1), 255, 0), -1)
    return image


def frame(image: np.ndarray, index: int = 0, rate_hz: float = 30.0) -> Frame:
    return Frame(image, index / rate_hz, index, camera.assumed(image.shape[1], image.shape[0]))


class BoxDetector:
    """Stands in for the person detector: gives the boxes that a test sets."""

    def __init__(self, *boxes_px: Sequence[float]) -> None:
        self.boxes_px = [np.array(box, dtype=float) for box in boxes_px]
        self.calls = 0

    def find(self, frame: Frame) -> list:
        self.calls += 1
        return [PersonBox(box, 0.8, 0.0) for box in self.boxes_px]

    def close(self) -> None:
        pass


class OneBody:
    """Stands in for the body detector."""

    def __init__(self, region: Region | None) -> None:
        self._region = region

    def find(self, frame: Frame) -> Region | None:
        return self._region

    def close(self) -> None:
        pass
