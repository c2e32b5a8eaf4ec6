"""Cut-outs of real people for the compositor: how a holder of MPI-INF-3DHP (or any masked data) makes MuCo-3DHP pictures.

cutouts = [Cutout(rgb, mask, points_px, points_m, visibility), ...]     # of one camera, so that their depths can be compared
layers = layers_of(cutouts, image=[0, 0, 1], A=np.stack([covering((H, W), (320, 512))] * 3), size=(320, 512))
composite = compose(layers, backgrounds)

`pack_3dhp` writes those of MPI-INF-3DHP into a pack, `real_people` draws from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from posewire.errors import SourceError
from posewire_synth.layers import OUTSIDE, Layers
from posewire_synth.points import MIRROR, POINTS

FloatArray = NDArray[np.floating[Any]]
_PELVIS = POINTS.index("pelvis")


@dataclass(frozen=True, slots=True, eq=False)
class Cutout:
    """One person in one frame of a camera; J = len(POINTS)."""

    rgb: NDArray[np.uint8]
    """(H, W, 3) the part of the frame that shows the person."""
    mask: FloatArray
    """(H, W) 0..1, the chroma key's matte."""
    points_px: FloatArray
    """(J, 2) pixels of the frame; NaN = unknown."""
    points_m: FloatArray
    """(J, 3) metres in the camera's axes, NaN = unknown; the pelvis is needed: it orders people by depth."""
    visibility: NDArray[np.int64]
    """(J,) layers.VISIBLE, or what is known better."""
    corner_px: tuple[int, int] = (0, 0)
    """x, y of the part's first pixel in the frame."""


def covering(frame: tuple[int, int], size: tuple[int, int]) -> FloatArray:
    """The map (2, 3) from a frame's pixels to a picture's, both H, W: scaled to cover, cut in the middle."""
    scale = max(size[0] / frame[0], size[1] / frame[1])
    left, top = (frame[1] * scale - size[1]) / 2, (frame[0] * scale - size[0]) / 2
    return np.array([[scale, 0, -left + 0.5 * scale - 0.5], [0, scale, -top + 0.5 * scale - 0.5]])


def layers_of(cutouts: Sequence[Cutout], image: Sequence[int], A: FloatArray, size: tuple[int, int]) -> Layers:
    """Cut-outs as layers of pictures.

    Args:
        cutouts: L of them.
        image: (L,) the picture that each belongs to.
        A: (L, 2, 3) from each frame's pixels to its picture's; one that mirrors swaps left and right.
        size: H, W of the pictures.

    Raises:
        SourceError: a cut-out has no pelvis, other labels than POINTS, or its mask is of another size.
    """
    rows = [_row(cutout, own, size) for cutout, own in zip(cutouts, A, strict=True)]
    rgb, alpha, px, m, said = (torch.as_tensor(np.stack(column)) for column in zip(*rows, strict=True))
    inside = ((px >= 0) & (px <= torch.tensor([size[1] - 1, size[0] - 1]))).all(-1)
    visibility = torch.where(inside, said, OUTSIDE)
    depth = torch.where(alpha > 0.5, m[:, _PELVIS, 2, None, None], torch.inf)
    number = torch.as_tensor(list(image), dtype=torch.int64)
    return Layers(rgb.permute(0, 3, 1, 2), alpha, depth, px, m, visibility, number)


def _row(cutout: Cutout, A: FloatArray, size: tuple[int, int]) -> tuple[NDArray[Any], ...]:
    """Picture (H, W, 3), alpha (H, W), points_px, points_m and visibility of one layer."""
    _check(cutout)
    warp = np.concatenate([A[:, :2], A[:, :2] @ np.array(cutout.corner_px)[:, None] + A[:, 2:]], axis=1)
    target = (size[1], size[0])
    rgb = cv2.warpAffine(cutout.rgb, warp, target, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    alpha = cv2.warpAffine(cutout.mask.astype(np.float32), warp, target, flags=cv2.INTER_LINEAR)
    px, m, said = cutout.points_px @ A[:, :2].T + A[:, 2], cutout.points_m, cutout.visibility
    if np.linalg.det(A[:, :2]) < 0:
        px, m, said = px[list(MIRROR)], m[list(MIRROR)] * (-1, 1, 1), said[list(MIRROR)]
    return rgb.astype(np.float32) / 255, np.asarray(alpha), px.astype(np.float32), m.astype(np.float32), said


def _check(cutout: Cutout) -> None:
    if cutout.mask.shape != cutout.rgb.shape[:2]:
        raise SourceError("A cut-out's mask does not fit its picture.", got=cutout.mask.shape, allowed=cutout.rgb.shape[:2])
    shapes = cutout.points_px.shape, cutout.points_m.shape, cutout.visibility.shape
    J = len(POINTS)
    if shapes != ((J, 2), (J, 3), (J,)) or not np.isfinite(cutout.points_m[_PELVIS]).all():
        got = shapes if shapes != ((J, 2), (J, 3), (J,)) else "no pelvis"
        raise SourceError("A cut-out's labels are not usable.", got=got, allowed=f"{J} points in the order of points.POINTS")
