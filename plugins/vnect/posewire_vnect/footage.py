"""Real footage as training crops: what the default method says of it is the label (pseudo-labels, thesis 002 section 4.2's aim).

    python -m posewire_vnect.footage --out shots/real walking_side.mp4 pedestrians.avi bus.jpg

Only where BlazePose is sure, in regions that it turned and centred itself: the head learns to say the same of crops that lie off.
Joints that BlazePose does not have are NaN, or the middle of those that define them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch

from posewire import camera as cameras
from posewire import pictures
from posewire.data import Detections, FloatArray, Frame
from posewire.errors import SourceError
from posewire.methods import MethodOptions
from posewire_blazepose.estimator import open_blazepose
from posewire_blazepose.pseudo_labels import as_joints
from posewire_synth.layers import BY_OBJECT, OUTSIDE, VISIBLE
from posewire_training.command import command
from posewire_vnect.names import INPUT_PX, JOINTS
from posewire_vnect.shots import SHARD, Shots, joined, save

_SURE = 0.6
"""Mean confidence of a person below which nothing is believed."""
_SEEN = 0.5
"""Confidence of a joint above which it counts as seen, not as hidden."""
_MOST_PEOPLE = 6
_LEAST_PX = 80
"""Of a person's height in the picture."""


def crops(path: Path, every: int, rng: np.random.Generator) -> Iterator[Shots]:
    """One crop of everybody in every n-th frame of a clip or picture; each frame is looked at afresh."""
    estimator = open_blazepose("blazepose_full", MethodOptions(max_people=_MOST_PEOPLE, threads=1))
    try:
        for frame in _frames(path, every):
            estimator.reset()
            found = estimator.estimate(frame)
            yield from (shot for row in range(found.people) if (shot := _shot(frame, found, row, rng)) is not None)
    finally:
        estimator.close()


def _frames(path: Path, every: int) -> Iterator[Frame]:
    video = cv2.VideoCapture(str(path))
    if not video.isOpened():
        raise SourceError(f"{path} cannot be opened.", hint="give a video or a picture")
    number = 0
    while video.grab():
        if number % every == 0:
            image = np.ascontiguousarray(np.asarray(video.retrieve()[1], dtype=np.uint8)[..., ::-1])
            yield Frame(image, number / 30, number, cameras.assumed(image.shape[1], image.shape[0]))
        number += 1
    video.release()


def _shot(frame: Frame, found: Detections, row: int, rng: np.random.Generator) -> Shots | None:
    """One person; None where BlazePose is not sure."""
    assert found.keypoints_m is not None
    if found.confidence[row].mean() < _SURE:
        return None
    points_px, seen = as_joints(found.keypoints_px[row], JOINTS), as_joints(found.confidence[row][:, None], JOINTS)[:, 0] > _SEEN
    low, high = np.nanmin(points_px, axis=0), np.nanmax(points_px, axis=0)
    if not high[1] - low[1] >= _LEAST_PX:
        return None
    side_px = float((high - low).max() / rng.uniform(0.6, 0.85))
    corner = (low + high) / 2 + rng.uniform(-0.06, 0.06, 2) * side_px - side_px / 2
    step = side_px / INPUT_PX
    to_picture = np.array([[step, 0.0, corner[0]], [0.0, step, corner[1]]])
    image = pictures.warped(frame.picture, to_picture, INPUT_PX)
    to_crop = np.array([[1 / step, 0.0, -corner[0] / step], [0.0, 1 / step, -corner[1] / step], [0.0, 0.0, 1.0]])
    visibility = np.where(np.isfinite(points_px).all(-1), np.where(seen, VISIBLE, BY_OBJECT), OUTSIDE)
    return Shots(
        torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))[None],
        _tensor((points_px - corner) / step),
        _tensor(as_joints(found.keypoints_m[row], JOINTS)),
        torch.from_numpy(visibility.astype(np.uint8))[None],
        _tensor(to_crop @ frame.camera.K),
    )


def _tensor(values: FloatArray) -> torch.Tensor:
    return torch.from_numpy(values.astype(np.float32))[None]


def write(paths: Sequence[Path], folder: Path, every: int, seed: int = 0) -> int:
    """Shards of everybody in these clips, mixed; returns how many crops there are."""
    rng = np.random.default_rng(seed)
    found = [shot for path in paths for shot in crops(path, every, rng)]
    if not found:
        raise SourceError("Nobody is seen in these clips.", got=[path.name for path in paths])
    folder.mkdir(parents=True, exist_ok=True)
    mixed = joined(found).rows(torch.as_tensor(rng.permutation(len(found))))
    for number, first in enumerate(range(0, len(mixed), SHARD)):
        save(mixed.rows(slice(first, first + SHARD)), folder / f"shard_{number:05d}.npz")
    return len(mixed)


@command
def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m posewire_vnect.footage", description="Real crops with pseudo-labels.")
    parser.add_argument("clips", nargs="+", type=Path, metavar="CLIP")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--every", type=int, default=6, help="frames (default 6)")
    flags = parser.parse_args(arguments)
    print(f"{write(flags.clips, flags.out, flags.every)} crops in {flags.out}")


if __name__ == "__main__":
    sys.exit(main())
