"""Real footage as training crops: what the default method says of it is the label (pseudo-labels, thesis 002 section 4.2's aim).

    python -m posewire_vnect.footage --out shots/real walking_side.mp4 pedestrians.avi bus.jpg

Only where BlazePose is sure, in regions that it turned and centred itself: the head learns to say the same of crops that lie off.
Joints that BlazePose does not have are NaN, or the middle of those that define them.

    python -m posewire_vnect.footage --out shots/lspet --images lspet.tar --numbers 1-3000

Pictures whose 2D joints somebody labelled teach the heatmaps only (posewire_vnect.labelled).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch

from posewire import camera as cameras
from posewire.data import Detections, Frame
from posewire.errors import SettingsError, SourceError
from posewire.evaluate.stills import number_range
from posewire.methods import MethodOptions
from posewire_blazepose.estimator import open_blazepose
from posewire_blazepose.pseudo_labels import as_joints
from posewire_synth.layers import BY_OBJECT, OUTSIDE, VISIBLE
from posewire_training import tensors
from posewire_training.command import at_least_one, command
from posewire_training.origin import agreed
from posewire_vnect import labelled
from posewire_vnect.cutting import cut_out
from posewire_vnect.names import JOINTS
from posewire_vnect.shots import Shots, save_all

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
    visibility = np.where(np.isfinite(points_px).all(-1), np.where(seen, VISIBLE, BY_OBJECT), OUTSIDE)
    return cut_out(frame, points_px, as_joints(found.keypoints_m[row], JOINTS), visibility, rng)


def write(shots: Iterable[Shots], folder: Path, rng: np.random.Generator) -> int:
    """Shards of crops, mixed, in place of those that the folder holds; returns how many crops there are.

    Raises:
        SourceError: there are none.
    """
    found = list(shots)
    if not found:
        raise SourceError("Nobody is seen well enough in these clips and pictures.", hint="give others, or a smaller --every")
    mixed = tensors.joined(found).rows(torch.as_tensor(rng.permutation(len(found))))
    agreed(folder, crops="real")
    save_all(mixed, folder)
    return len(mixed)


def from_all(
    clips: Sequence[Path], every: int, images: Path | None, numbers: range | None, rng: np.random.Generator
) -> Iterator[Shots]:
    """Everybody in the clips, then everybody in the labelled pictures."""
    for path in clips:
        yield from crops(path, every, rng)
    if images is not None:
        yield from labelled.crops(images, numbers, rng)


@command
def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m posewire_vnect.footage", description="Real crops for a training.")
    parser.add_argument("clips", nargs="*", type=Path, metavar="CLIP")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--every", type=at_least_one, default=6, help="frames (default 6)")
    told = "besides or instead of clips: a folder or tar file of pictures with 2D joints, see docs/METRICS.md"
    parser.add_argument("--images", type=Path, metavar="PATH", help=told)
    parser.add_argument("--numbers", metavar="A-B", help="only pictures with these numbers in their names")
    flags = parser.parse_args(arguments)
    if not flags.clips and flags.images is None:
        raise SettingsError(
            "There is nothing to look at.", allowed="clips, or --images PATH", hint="--images lspet.tar --numbers 1-3000"
        )
    if flags.numbers and flags.images is None:
        raise SettingsError("--numbers chooses among labelled pictures.", got=flags.numbers, allowed="with --images PATH")
    numbers, rng = number_range(flags.numbers) if flags.numbers else None, np.random.default_rng(0)
    shots = from_all(flags.clips, flags.every, flags.images, numbers, rng)
    print(f"{write(shots, flags.out, rng)} crops in {flags.out}")


if __name__ == "__main__":
    sys.exit(main())
