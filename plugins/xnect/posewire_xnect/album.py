"""Training pictures on disk, with everybody who is in them: rendered or labelled once, seen through new windows every step.

A folder holds album_00000.npz, album_00001.npz, ... of up to SIZE pictures each, which may grow and be continued after a stop.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from math import ceil
from pathlib import Path
from typing import Literal, TypeAlias

import torch
from torch import Tensor

from posewire.errors import SettingsError
from posewire_synth.cast import Split
from posewire_synth.dataset import Pictures
from posewire_synth.studio import Batch
from posewire_training import tensors
from posewire_training.origin import agreed
from posewire_xnect import truth
from posewire_xnect.skeleton import J
from posewire_xnect.targets import STRIDE
from posewire_xnect.truth import Scene

SIZE = 64
"""Pictures of a rendered file: 31 MB."""
_BATCH, _CROPS = 8, 32
_ALONE = 1.75
"""Crops that are rendered for each that is wanted: in some somebody unlabelled stands beside."""
MOST = 24
"""M axis."""


@dataclass(frozen=True, slots=True, eq=False)
class Album:
    """N pictures, M places for people in each, some of them empty."""

    image: Tensor
    """(N, 3, H, W) uint8 RGB."""
    points_px: Tensor
    """(N, M, J, 2) NaN where nobody is."""
    joints_m: Tensor
    """(N, M, J, 3) as truth.Scene."""
    visibility: Tensor
    """(N, M, J) uint8 as truth.Scene."""
    left_open: Tensor
    """(N, J, h, w) bool: cells of which the labels say nothing (footage.py); of rendered pictures none."""

    def __len__(self) -> int:
        return len(self.image)

    def scene(self, rows: slice) -> Scene:
        """Some of the pictures, with as many places as people in the fullest of them."""
        people = without_empty_places(self.points_px[rows], self.joints_m[rows], self.visibility[rows])
        return Scene(self.image[rows].float() / 255, *people)


Kind: TypeAlias = Literal["groups", "singles"]
"""One to six people, or two crops of one person each, side by side."""


def of_scene(scene: Scene, left_open: Tensor | None = None) -> Album:
    """Pictures of one scene; `left_open` is None where the labels say everything."""
    count, _, height, width = scene.image.shape
    image = (scene.image * 255).round().clamp(0, 255).to(torch.uint8)
    if left_open is None:
        left_open = torch.zeros(count, J, height // STRIDE, width // STRIDE, dtype=torch.bool)
    points_px, joints_m, visibility = scene.points_px, scene.joints_m, scene.visibility.to(torch.uint8)
    return Album(image, widened(points_px), widened(joints_m), widened(visibility), left_open)


def widened(values: Tensor) -> Tensor:
    """(N, M, ...) to (N, MOST, ...): NaN, or 0 (OUTSIDE), where nobody is."""
    nobody = torch.full((len(values), MOST - values.shape[1], *values.shape[2:]), torch.nan if values.is_floating_point() else 0)
    return torch.cat([values, nobody.to(values.dtype)], dim=1)


def without_empty_places(points_px: Tensor, joints_m: Tensor, visibility: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """As many places (B, M, ...) as people in the fullest picture: they stand in the first ones."""
    there = max(1, int(torch.isfinite(points_px[..., 0]).any(-1).sum(1).max()))
    return points_px[:, :there], joints_m[:, :there], visibility[:, :there]


def file_name(number: int) -> str:
    """Of a file of a folder."""
    return f"album_{number:05d}.npz"


def load(path: Path) -> Album:
    """Reads a file; `tensors.save` writes one."""
    return tensors.load(Album, path)


def read_all(files: Sequence[Path]) -> Album:
    """The pictures of several files."""
    return tensors.joined([load(path) for path in files])


def paths(folder: Path) -> list[Path]:
    """Every file that is there, in order.

    Raises:
        SettingsError: there is none.
    """
    if found := sorted(folder.glob("album_*.npz")):
        return found
    hint = "python -m posewire_xnect.train pictures renders some, train label labels a film's"
    raise SettingsError("There are no training pictures.", got=folder, allowed="a folder with album_00000.npz", hint=hint)


def apart(files: Sequence[Path]) -> tuple[Path, Sequence[Path]]:
    """The first file, to choose by, and the others, to learn from.

    Raises:
        SettingsError: there is only one.
    """
    if len(files) < 2:
        raise SettingsError("The first file of pictures is kept apart.", got="one file", allowed="two files and more")
    return files[0], files[1:]


def render(pack: Path, folder: Path, count: int, split: Split = "train", seed: int = 0, kind: Kind = "groups") -> Iterator[Path]:
    """Renders what is missing of the first `count` pictures (rounded up to whole files); yields each file when it is there.

    Raises:
        SettingsError: the folder holds pictures of another split, seed or kind.
    """
    agreed(folder, split=split, seed=seed, kind=kind)
    wanted = [folder / file_name(number) for number in range(-(-count // SIZE))]
    there = next((number for number, path in enumerate(wanted) if not path.exists()), len(wanted))
    for path, rendered in zip(wanted[there:], _FILES[kind](pack, split, seed, there), strict=False):
        tensors.save(rendered, path)
        yield path


def _groups(pack: Path, split: Split, seed: int, first: int) -> Iterator[Album]:
    """File after file."""
    batches = SIZE // _BATCH
    stream = iter(Pictures(pack, "groups", batch=_BATCH, split=split, seed=seed, first=first * batches))
    while True:
        yield tensors.joined([of_scene(truth.scene_of(batch)) for batch in islice(stream, batches)])


def _singles(pack: Path, split: Split, seed: int, first: int) -> Iterator[Album]:
    """Two crops of somebody who stands alone in each picture: large people, seen from all sides."""
    batches = ceil(_ALONE * 2 * SIZE / _CROPS)
    stream = iter(Pictures(pack, "crops", batch=_CROPS, split=split, seed=seed, first=first * batches, erase=False))
    while True:
        crops = [truth.scene_of(batch).only(_alone(batch)) for batch in islice(stream, batches)]
        yield of_scene(truth.side_by_side(tensors.joined(crops).only(slice(2 * SIZE))))


def _alone(batch: Batch) -> Tensor:
    """(B,) pictures that show nobody unlabelled (posewire_synth.studio.Batch.instance)."""
    return ~(batch.instance == -2).flatten(1).any(1)


_FILES = {"groups": _groups, "singles": _singles}
