"""Training pictures as a frozen trunk sees them: rendered once, kept as float16 parts of a folder, read in any order.

A part holds four rendered groups and one crowd made of them. Part n of a seed is the same whoever makes it, so that a folder may
grow while it is used and be continued after a stop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from posewire.errors import SettingsError
from posewire.runtime import open_session
from posewire_synth.cast import Split
from posewire_synth.dataset import Pictures
from posewire_synth.layers import OUTSIDE, marked
from posewire_training.origin import agreed, digest
from posewire_training.parts import read as read_checkpoint
from posewire_xnect import album, truth
from posewire_xnect.movenet import FEATURES, Features, gathered
from posewire_xnect.stage_one import Truth
from posewire_xnect.truth import Scene

GROUPS = 4
"""Rendered pictures of a part; the crowd is the fifth."""
BORDERED = 0.33
"""Share of the pictures."""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """B = GROUPS + 1 pictures; float16 on disk, float32 here."""

    features: Features
    heatmaps: Tensor
    """(B, J, h, w) as they should be."""
    fields: Tensor
    """(B, A, 2, h, w)."""
    points_px: Tensor
    """(B, M, J, 2) NaN where there is nobody."""
    joints_m: Tensor
    """(B, M, J, 3) as truth.Scene."""
    visibility: Tensor
    """(B, M, J)."""

    @property
    def visible(self) -> Tensor:
        """(B, M, J) as truth.Scene."""
        return marked(self.visibility)

    def to(self, device: str | torch.device) -> Part:
        """On another device."""
        features = Features(*(value.to(device) for value in self.features))
        return Part(features, *(getattr(self, name).to(device) for name in _MAPS_AND_PEOPLE))


_MAPS_AND_PEOPLE = ("heatmaps", "fields", "points_px", "joints_m", "visibility")
"""Fields of a Part beside its features."""


def make(scenes: Callable[[int], Iterator[Scene]], trunk: Path, folder: Path, parts: int, seed: int = 0) -> Iterator[int]:
    """Makes what is missing of the first `parts` and yields the number of each that is there.

    Args:
        scenes: From a part's number on, GROUPS pictures for each: `rendered` or `of_pictures`.
        trunk: Of models/convert/convert_movenet.py, or one that has learned (tune.py).
        folder: Where the parts go.
        parts: How many.
        seed: Source of chance.

    Raises:
        SettingsError: the folder holds parts of another trunk or seed.
    """
    agreed(folder, trunk=digest(trunk), seed=seed)
    done = 0
    while (folder / file_name(done)).exists() and done < parts:
        done += 1
    session = open_session(trunk, threads=1)
    for number, scene in enumerate(islice(scenes(done), parts - done), done):
        both = [bordered(one, np.random.default_rng([seed, number])) for one in (scene, truth.crowd(scene))]
        image = torch.cat([one.image for one in both])
        said = session.run({"image": image.numpy()})
        features = gathered(tuple(torch.from_numpy(said[name]) for name in FEATURES))
        save(folder / file_name(number), features, both)
        yield number
    session.close()


def scenes_for(
    folder: Path, pack: Path | None, pictures: Path | None, split: Split, seed: int
) -> Callable[[int], Iterator[Scene]]:
    """What the parts of a folder are made of: pictures rendered from a pack, or those of an album.

    Raises:
        SettingsError: neither or both are given, or the folder's parts are made of others.
    """
    if pack is not None and pictures is None:
        agreed(folder, pictures="rendered", split=split)
        return partial(rendered, pack, split, seed)
    if pictures is not None and pack is None:
        agreed(folder, pictures=digest(album.paths(pictures)[0]))
        return partial(of_pictures, pictures)
    problem, hint = "The cache is made of one kind of pictures.", "--pack FILE renders them, --pictures FOLDER reads them"
    raise SettingsError(problem, got="both" if pack else "neither", allowed="--pack or --pictures", hint=hint)


def rendered(pack: Path, split: Split, seed: int, first: int) -> Iterator[Scene]:
    """Rendered as they are needed."""
    for batch in Pictures(pack, "groups", batch=GROUPS, split=split, seed=seed, first=first):
        yield truth.scene_of(batch)


def of_pictures(folder: Path, first: int) -> Iterator[Scene]:
    """Rendered already (album.py)."""
    a_file = album.SIZE // GROUPS
    for number, path in enumerate(album.paths(folder)[first // a_file :], first // a_file):
        known = album.load(path)
        for part in range(max(0, first - number * a_file), a_file):
            yield known.scene(slice(part * GROUPS, (part + 1) * GROUPS))


def bordered(scene: Scene, rng: np.random.Generator) -> Scene:
    """A third of the pictures with a black border to the right or below, as pictures of another shape get at run time."""
    image, visibility = scene.image.clone(), scene.visibility.clone()
    size = (image.shape[3], image.shape[2])
    for picture in np.flatnonzero(rng.random(len(image)) < BORDERED):
        axis = int(rng.random() < 0.3)
        end = int(rng.uniform(0.45, 0.95) * size[axis])
        black = image[picture, :, :, end:] if axis == 0 else image[picture, :, end:]
        black.zero_()
        visibility[picture][scene.points_px[picture, ..., axis] >= end] = OUTSIDE
    return replace(scene, image=image, visibility=visibility)


def file_name(number: int) -> str:
    """Of a part."""
    return f"part_{number:05d}.pt"


def save(path: Path, features: Features, scenes: list[Scene], due: list[Truth] | None = None) -> None:
    """Writes one part; `due`: what should be said of each scene, where that is not what its people alone tell."""
    due = due or [truth.of_scene(scene) for scene in scenes]
    maps = [torch.cat([one.heatmaps for one in due]).half(), torch.cat([one.fields for one in due]).half()]
    names = ("points_px", "joints_m", "visibility")
    people = [torch.cat([album.widened(getattr(scene, name)) for scene in scenes]) for name in names]
    beside = path.with_suffix(".new")
    torch.save({"features": [value.half() for value in features], "maps": maps, "people": people}, beside)
    beside.replace(path)  # never half a part


def load(path: Path) -> Part:
    """One part, float32.

    Raises:
        ModelError: it is damaged, or something else.
    """
    content = read_checkpoint(path, allowed="a part of a cache", hint="delete it and make it anew")
    features, maps = ([value.float() for value in content[name]] for name in ("features", "maps"))
    return Part(Features(*features), *maps, *content["people"])


def paths(folder: Path) -> list[Path]:
    """Every part that is there, in order."""
    return sorted(folder.glob("part_*.pt"))


def drawn(known: list[Path], count: int, rng: np.random.Generator) -> Part:
    """`count` random parts as one."""
    return joined([load(known[number]) for number in rng.choice(len(known), count, replace=len(known) < count)])


def joined(parts: list[Part]) -> Part:
    """One part of several."""
    features = Features(*(torch.cat(values) for values in zip(*(part.features for part in parts), strict=True)))
    return Part(features, *(torch.cat([getattr(part, name) for part in parts]) for name in _MAPS_AND_PEOPLE))
