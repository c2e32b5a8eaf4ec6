"""Cut-outs of real people for the compositor: how a holder of MPI-INF-3DHP (or any masked data) makes MuCo-3DHP pictures.

cutouts = [Cutout(rgb, mask, points_px, points_m), ...]     # of one camera, so that their depths can be compared
layers = layers_of(cutouts, image=[0, 0, 1], size=(320, 512))
composite = compose(layers, backgrounds)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from posewire.errors import SourceError
from posewire_synth.layers import OUTSIDE, VISIBLE, Layers
from posewire_synth.points import POINTS


@dataclass(frozen=True, slots=True, eq=False)
class Cutout:
    """One person in one frame of a camera."""

    rgb: NDArray[np.uint8]
    """(H, W, 3)."""
    mask: NDArray[np.floating[Any]]
    """(H, W) 0..1, the chroma key's matte."""
    points_px: dict[str, tuple[float, float]]
    """Label (a name of points.POINTS) to pixel."""
    points_m: dict[str, tuple[float, float, float]]
    """Label to metres in the camera's axes; `pelvis` is needed: it orders people by depth."""


def layers_of(cutouts: Sequence[Cutout], image: Sequence[int], size: tuple[int, int]) -> Layers:
    """Cut-outs as layers of pictures (H, W): scaled to cover and cut in the middle, as one camera would be.

    Raises:
        SourceError: a cut-out has no pelvis, knows a label that we do not, or its mask is of another size.
    """
    rows = [_row(cutout, size) for cutout in cutouts]
    rgb, alpha, px, m = (torch.as_tensor(np.stack(column)) for column in zip(*rows, strict=True))
    inside = ((px >= 0) & (px <= torch.tensor([size[1] - 1, size[0] - 1]))).all(-1)
    visibility = torch.where(inside, VISIBLE, OUTSIDE)
    depth = torch.where(alpha > 0.5, m[:, POINTS.index("pelvis"), 2, None, None], torch.inf)
    return Layers(rgb.permute(0, 3, 1, 2), alpha, depth, px, m, visibility, _index(image))


def _index(image: Sequence[int]) -> Tensor:
    return torch.as_tensor(list(image), dtype=torch.int64)


def _row(cutout: Cutout, size: tuple[int, int]) -> tuple[NDArray[np.floating[Any]], ...]:
    height, width = cutout.rgb.shape[:2]
    if cutout.mask.shape != (height, width):
        raise SourceError("A cut-out's mask does not fit its picture.", got=cutout.mask.shape, allowed=(height, width))
    unknown = sorted((set(cutout.points_px) | set(cutout.points_m)) - set(POINTS))
    if unknown or "pelvis" not in cutout.points_m:
        raise SourceError("A cut-out's labels are not usable.", got=unknown or "no pelvis", allowed=list(POINTS))
    scale = max(size[0] / height, size[1] / width)
    left, top = (width * scale - size[1]) / 2, (height * scale - size[0]) / 2
    warp = np.array([[scale, 0, -left + 0.5 * scale - 0.5], [0, scale, -top + 0.5 * scale - 0.5]])
    target = (size[1], size[0])
    rgb = cv2.warpAffine(cutout.rgb, warp, target, flags=cv2.INTER_LINEAR).astype(np.float32) / 255
    alpha = cv2.warpAffine(cutout.mask.astype(np.float32), warp, target, flags=cv2.INTER_LINEAR)
    px, m = np.full((len(POINTS), 2), np.nan, np.float32), np.full((len(POINTS), 3), np.nan, np.float32)
    for name, place in cutout.points_px.items():
        px[POINTS.index(name)] = warp[:, :2] @ np.array(place) + warp[:, 2]
    for name, place in cutout.points_m.items():
        m[POINTS.index(name)] = place
    return np.asarray(rgb, dtype=np.float32), np.asarray(alpha, dtype=np.float32), px, m
