"""People in single images, each image by itself: no tracking, no filter, no fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from posewire import capture
from posewire.asking import estimate, restart
from posewire.data import Detections, FloatArray, read_only
from posewire.errors import PosewireError
from posewire.methods import SourceOptions
from posewire.npz import write_npz
from posewire.pipeline import estimating
from posewire.settings import Settings


@dataclass(frozen=True, slots=True, eq=False)
class ImageDetections:
    """What a method saw in I images; P is the largest number of people in one, other rows are NaN with confidence 0."""

    image_names: tuple[str, ...]
    """(I,) as they were given."""
    keypoint_names: tuple[str, ...]
    """(J,)."""
    keypoints_px: FloatArray
    """(I, P, J, 2) pixels."""
    keypoints_m: FloatArray
    """(I, P, J, 3) metres, root-relative, camera axes; NaN where the method gives no 3D."""
    confidence: FloatArray
    """(I, P, J) 0..1."""

    def save(self, path: Path) -> None:
        """Writes an .npz with the field names as keys.

        Raises:
            PosewireError: the file cannot be written.
        """
        arrays = {name: getattr(self, name) for name in ("keypoints_px", "keypoints_m", "confidence")}
        names = {"image_names": np.array(self.image_names), "keypoint_names": np.array(self.keypoint_names)}
        try:
            write_npz(path, names | arrays)
        except OSError as error:
            raise PosewireError(
                f"{path} cannot be written.", got=error, hint="is the disk full, or the folder write-protected?"
            ) from error


def detect(images: Sequence[Path], settings: Settings) -> Iterator[tuple[Path, Detections]]:
    """Detections of each image, one by one. A folder stands for the images in it.

    Raises:
        SourceError: an image cannot be read.
        PluginError: the method failed.
    """
    with estimating(settings) as (card, estimator):
        for path in images:
            source = capture.open_source(str(path), SourceOptions(settings.fov_deg))
            for frame in source:
                restart(estimator, card)
                yield path, estimate(estimator, card, frame, str(path))


def gather(rows: Sequence[tuple[str, Detections]], keypoint_names: tuple[str, ...]) -> ImageDetections:
    """Packs the detections of many images into arrays."""
    people = max((found.people for _, found in rows), default=0)
    shape = (len(rows), people, len(keypoint_names))
    keypoints_px, keypoints_m = np.full((*shape, 2), np.nan), np.full((*shape, 3), np.nan)
    confidence = np.zeros(shape)
    for i, (_, found) in enumerate(rows):
        keypoints_px[i, : found.people] = found.keypoints_px
        confidence[i, : found.people] = found.confidence
        if found.keypoints_m is not None:
            keypoints_m[i, : found.people] = found.keypoints_m
    names = tuple(name for name, _ in rows)
    return ImageDetections(
        names,
        keypoint_names,
        read_only(keypoints_px, *shape, 2),
        read_only(keypoints_m, *shape, 3),
        read_only(confidence, *shape),
    )
