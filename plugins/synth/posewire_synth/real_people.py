"""Draws pictures of real people from a pack that holds cut-outs (pack_3dhp): MuCo-3DHP, composed anew for every batch.

Mehta et al. 2018 (thesis 002, 3.2.2): one to four people of the same camera, from different sequences, ordered by their
annotated depth; other backgrounds, other colours of plain clothes.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from posewire_synth.cutouts import Cutout, layers_of
from posewire_synth.layers import Layers
from posewire_synth.pack import Pack
from posewire_synth.wardrobe import cloth

FloatArray = NDArray[np.floating[Any]]

_HEADS = (0.2, 0.3, 0.3, 0.2)
"""Of one to four people."""
_FILLS = (0.5, 1.05)
"""Share of the picture that they fill together."""
_MOST_SCALE = 2.0
_RECOLOURED = 0.5
"""Of the garments that have a mask."""


class RealPeople:
    """The cut-outs of a pack on the CPU. One thread."""

    def __init__(self, pack: Pack) -> None:
        ends = pack["cutout_ends"].tolist()
        self._blobs = [pack["cutout_blobs"][a:b] for a, b in zip([0, *ends[:-1]], ends, strict=True)]
        self._labels = {name: pack[f"cutout_{name}"] for name in ("points_px", "points_m", "visibility", "corner_px", "K")}
        self._sequence = pack["cutout_sequence"]
        self._rows = [np.flatnonzero(pack["cutout_camera"] == camera) for camera in np.unique(pack["cutout_camera"])]

    def draw(self, rng: np.random.Generator, count: int, most: int, size: tuple[int, int]) -> tuple[Layers, Tensor]:
        """Layers of `count` pictures (H, W) of at most so many people, at least one, and the cameras (count, 3, 3)."""
        people = [self._together(rng, most) for _ in range(count)]
        cutouts = [[self._cutout(rng, int(row)) for row in rows] for rows in people]
        windows = [_window(rng, some, size) for some in cutouts]
        image = np.repeat(np.arange(count), [len(rows) for rows in people])
        layers = layers_of([one for some in cutouts for one in some], image.tolist(), np.stack(windows)[image], size)
        K = np.stack([_through(A, self._labels["K"][rows[0]]) for A, rows in zip(windows, people, strict=True)])
        return layers, torch.as_tensor(K.astype(np.float32))

    def _together(self, rng: np.random.Generator, most: int) -> NDArray[np.int64]:
        """Cut-outs of one camera, no two of the same sequence: nobody meets themselves in the same clothes."""
        share = np.array([len(rows) for rows in self._rows], dtype=float)
        rows = rng.permutation(self._rows[rng.choice(len(share), p=share / share.sum())])
        first = np.unique(self._sequence[rows], return_index=True)[1]
        return rows[rng.permutation(first)][: min(most, 1 + rng.choice(len(_HEADS), p=_HEADS))]

    def _cutout(self, rng: np.random.Generator, row: int) -> Cutout:
        """One of the pack, perhaps in clothes of another colour."""
        label = {name: values[row] for name, values in self._labels.items()}
        rgb = np.asarray(cv2.imdecode(self._blobs[2 * row], cv2.IMREAD_COLOR), dtype=np.uint8)[..., ::-1]
        masks = np.asarray(cv2.imdecode(self._blobs[2 * row + 1], cv2.IMREAD_COLOR), dtype=np.float32) / 255
        colours = cloth(rng, 2)[:, 0]
        for garment, colour, other in zip((masks[..., 1], masks[..., 2]), colours, rng.random(2) < _RECOLOURED, strict=True):
            rgb = recoloured(rgb, garment, colour) if other else rgb
        x, y = label["corner_px"].tolist()
        said = label["visibility"].astype(np.int64)
        return Cutout(np.ascontiguousarray(rgb), masks[..., 0], label["points_px"], label["points_m"], said, (x, y))


def recoloured(rgb: NDArray[Any], garment: FloatArray, colour: FloatArray) -> NDArray[np.uint8]:
    """A garment (mask 0..1) in another colour (linear RGB), its folds kept: each pixel's brightness over their mean."""
    if garment.sum() < 1:
        return rgb
    linear = (rgb.astype(np.float32) / 255) ** 2.2
    light = linear.mean(axis=-1)
    mean = max(float((light * garment).sum() / garment.sum()), 1e-3)
    dyed = (light[..., None] / mean * colour).clip(0, 1)
    mixed = linear + garment[..., None] * (dyed - linear)
    return np.asarray((mixed ** (1 / 2.2) * 255).round(), dtype=np.uint8)


def _window(rng: np.random.Generator, people: list[Cutout], size: tuple[int, int]) -> FloatArray:
    """The map (2, 3) from the frame to a picture (H, W) that these people fill; half of them mirror."""
    low = np.min([one.corner_px for one in people], axis=0)
    high = np.max([np.add(one.corner_px, one.mask.shape[::-1]) for one in people], axis=0)
    side = np.array(size[::-1])
    scale = min(float((side / (high - low)).min()) * rng.uniform(*_FILLS), _MOST_SCALE)
    slack = np.abs(side - scale * (high - low)) / 2
    shift = (side - 1) / 2 + rng.uniform(-1, 1, 2) * slack - scale * (low + high - 1) / 2
    A = np.concatenate([scale * np.eye(2), shift[:, None]], axis=1)
    if rng.random() < 0.5:
        A[0] = (-scale, 0, side[0] - 1 - shift[0])
    return A


def _through(A: FloatArray, K: FloatArray) -> FloatArray:
    """K of the camera whose picture is the window's; a mirror turns x round on both sides."""
    turned = np.concatenate([A, [[0, 0, 1]]]) @ K
    return turned @ np.diag([-1.0, 1.0, 1.0]) if np.linalg.det(A[:, :2]) < 0 else turned


def joined(rendered: Layers, real: Layers, images: int) -> Layers:
    """Both; the pictures of real people are numbered from `images` on.

    Their layers come after the first `images` others, where crops have those with labels: the first one of each picture.
    """

    def cat(name: str) -> Tensor:
        first, second = getattr(rendered, name), getattr(real, name)
        return torch.cat([first[:images], second + images if name == "image" else second, first[images:]])

    return Layers(*(cat(field.name) for field in fields(Layers)))


def on(device: torch.device, layers: Layers, K: Tensor) -> tuple[Layers, Tensor]:
    """The same on another device."""
    return Layers(*(getattr(layers, field.name).to(device) for field in fields(Layers))), K.to(device)
