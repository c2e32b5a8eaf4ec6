"""Takes the pictures: crops of one person and whole pictures of groups, with every label, deterministic by seed.

One studio belongs to one thread. The same seed gives the same people, cameras and places on every device; the noise of the
picture comes from the device's own generator and differs between CPU and CUDA.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from torch import Tensor

from posewire_synth import cameras
from posewire_synth.cast import Cast, People, Split
from posewire_synth.compositing import OBJECT, Composite, compose, depth_rank, erase
from posewire_synth.degrade import degrade
from posewire_synth.layers import BY_OBJECT, OUTSIDE, Layers, Painter, Views
from posewire_synth.pack import Pack
from posewire_synth.points import POINTS
from posewire_synth.real_people import RealPeople, joined, on
from posewire_synth.shading import Lights
from posewire_synth.surroundings import Surroundings

MOST_PEOPLE = 6
"""The M axis of a group picture; rows beyond the people there are hold NaN and OUTSIDE."""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """B pictures with M people each (M = 1 for crops), nearest first; J = len(points.POINTS). Tensors on the studio's device."""

    image: Tensor
    """(B, 3, H, W) float32 0..1, RGB."""
    points_px: Tensor
    """(B, M, J, 2) NaN where there is no person, or nobody knows: a real person's eyes, ears, heels and spine."""
    points_m: Tensor
    """(B, M, J, 3) in the axes of the camera, metres."""
    visibility: Tensor
    """(B, M, J) layers.OUTSIDE, VISIBLE, BY_SELF, BY_OBJECT, BY_PERSON."""
    K: Tensor
    """(B, 3, 3) of the crop: its principal point may lie far outside, as in a crop of a larger picture."""
    instance: Tensor
    """(B, H, W) int64, row of the person + 1; 0 nobody labelled, -1 something in front; -2 an unlabelled person (crops)."""
    depth_m: Tensor
    """(B, H, W) of the people, inf elsewhere."""
    split: Split
    """Whose people, motions and backgrounds these are."""


class Studio:
    """Renders batches of one split.

    Args:
        pack: See posewire_synth.pack.
        split: "test" has its own bodies, motions (CMU subject 13) and backgrounds.
        device: Where everything happens.
        clean: Leave blur, noise, colour shifts, compression, foreground and erasing away.
        procedural: How many procedural backgrounds to make (tests take few).
        real: Share of the training pictures that show the pack's cut-outs of real people, where it has any (pack_3dhp); they are
            the last of a batch.
        painter: Who draws people (blender.BlenderPainter is another).
    """

    def __init__(
        self,
        pack: Pack,
        split: Split = "train",
        device: str = "cpu",
        *,
        clean: bool = False,
        procedural: int | None = None,
        real: float = 0.5,
        painter: Callable[[Pack, torch.device], Painter] = Painter,
    ) -> None:
        self._device, self._clean = torch.device(device), clean
        self._split: Split = split
        self._painter = painter(pack, self._device)
        self._cast = Cast(pack, split, self._painter)
        self._surroundings = Surroundings(pack, split, self._device, procedural)
        self._real = RealPeople(pack) if "cutout_ends" in pack and split == "train" else None
        self._real_share = real

    @torch.no_grad()
    def crops(self, seed: int, count: int, side_px: int = 256) -> Batch:
        """Square pictures of one labelled person; in one of four somebody else stands close by."""
        rng, generator = self._chance(seed, 1)
        layers, K = self._drawn(rng, count, partial(self._rendered_crops, rng, side_px=side_px), 1, (side_px, side_px))
        composite = self._finish(rng, generator, layers, count, (side_px, side_px))
        return _labelled_alone(composite, layers, K, count, self._split)

    def _rendered_crops(self, rng: np.random.Generator, count: int, side_px: int) -> tuple[Layers, Tensor]:
        """The labelled ones are the first `count` layers."""
        others = np.flatnonzero(rng.random(count) < 0.28)
        people = self._cast.draw(rng, count + len(others))
        image = torch.as_tensor(np.concatenate([np.arange(count), others])).to(self._device)
        people = self._beside(rng, people, image, count)
        own = cameras.around_one(rng, people.posed.points_m[:count], side_px)
        views = Views(own.R[image], own.t[image], own.K[image])
        return self._layers(rng, people, views, image, count, (side_px, side_px)), own.K

    @torch.no_grad()
    def groups(self, seed: int, count: int, size: tuple[int, int] = (320, 512)) -> Batch:
        """Pictures (H, W) of one to six people on a floor."""
        rng, generator = self._chance(seed, 2)
        layers, K = self._drawn(rng, count, partial(self._rendered_groups, rng, size=size), 4, size)
        composite = self._finish(rng, generator, layers, count, size)
        return _labelled_all(composite, layers, K, count, self._split)

    def _rendered_groups(self, rng: np.random.Generator, count: int, size: tuple[int, int]) -> tuple[Layers, Tensor]:
        views, distance = cameras.of_groups(rng, count, size)
        heads = rng.choice(MOST_PEOPLE, count, p=(0.16, 0.28, 0.24, 0.16, 0.10, 0.06)) + 1
        owner = np.repeat(np.arange(count), heads)
        people = self._cast.draw(rng, len(owner))
        places = _places(rng, views, distance, owner, size)
        turn = torch.as_tensor(rng.uniform(-np.pi, np.pi, len(owner)).astype(np.float32)).to(self._device)
        people = people.moved(torch.as_tensor(places.astype(np.float32)).to(self._device), turn)
        image = torch.as_tensor(owner).to(self._device)
        own = Views(*(a.to(self._device) for a in (views.R, views.t, views.K)))
        return self._layers(rng, people, Views(own.R[image], own.t[image], own.K[image]), image, count, size), own.K

    def _drawn(
        self,
        rng: np.random.Generator,
        count: int,
        rendered: Callable[[int], tuple[Layers, Tensor]],
        most: int,
        size: tuple[int, int],
    ) -> tuple[Layers, Tensor]:
        """Layers and cameras of rendered pictures, and after them of those of real people, at most so many in each."""
        if self._real is None:
            return rendered(count)
        some = int(self._real_share * count + rng.random())
        if some == 0:
            return rendered(count)
        real = on(self._device, *self._real.draw(rng, some, most, size))
        if some == count:
            return real
        layers, K = rendered(count - some)
        return joined(layers, real[0], count - some), torch.cat([K, real[1]])

    def _chance(self, seed: int, kind: int) -> tuple[np.random.Generator, torch.Generator]:
        """Split, kind of picture and seed make different numbers: a test picture never repeats a training one."""
        sequence = np.random.SeedSequence([seed, kind, 0 if self._split == "train" else 1])
        generator = torch.Generator(self._device)
        generator.manual_seed(int(sequence.generate_state(1)[0]))
        return np.random.default_rng(sequence), generator

    def _beside(self, rng: np.random.Generator, people: People, image: Tensor, count: int) -> People:
        """Everybody turned at random; the extra people near the one whose picture they share."""
        L = len(image)
        angle, away = rng.uniform(-np.pi, np.pi, L), rng.uniform(0.6, 2.0, L)
        shift = np.stack([np.sin(angle) * away, np.zeros(L), np.cos(angle) * away], 1)
        shift[:count] = 0.0
        turn = torch.as_tensor(rng.uniform(-np.pi, np.pi, L).astype(np.float32)).to(self._device)
        return people.moved(torch.as_tensor(shift.astype(np.float32)).to(self._device), turn)

    def _layers(
        self, rng: np.random.Generator, people: People, views: Views, image: Tensor, count: int, size: tuple[int, int]
    ) -> Layers:
        every = _random_lights(rng, count, self._device)
        lights = Lights(*(value[image] for value in (every.to_lamp, every.lamp, every.sky, every.ground, every.shadow)))
        return self._painter.draw(people.posed, people.trim, people.dress, views, lights, size, image)

    def _finish(
        self, rng: np.random.Generator, generator: torch.Generator, layers: Layers, count: int, size: tuple[int, int]
    ) -> Composite:
        background = self._surroundings.backgrounds(rng, count, size)
        layers = _in_the_light_of(background, layers, rng)
        if self._clean:
            return compose(layers, background)
        composite = compose(layers, background, self._surroundings.foreground(rng, count, size, 0.35))
        return replace(composite, image=degrade(composite.image, rng, generator))

    def erased(self, batch: Batch, seed: int) -> Batch:
        """The batch with random erasing (compositing.erase); labels under an erased box become BY_OBJECT."""
        rng, _ = self._chance(seed, 3)
        numbers = torch.as_tensor(rng.random((len(batch.image), 5)).astype(np.float32))
        image, instance = erase(batch.image, batch.instance, numbers)
        return replace(batch, image=image, instance=instance, visibility=_hidden_by_boxes(batch, instance))


def _hidden_by_boxes(batch: Batch, instance: Tensor) -> Tensor:
    height, width = instance.shape[1:]
    x = batch.points_px[..., 0].nan_to_num(0).round().clamp(0, width - 1).long()
    y = batch.points_px[..., 1].nan_to_num(0).round().clamp(0, height - 1).long()
    row = torch.arange(len(instance), device=instance.device)[:, None, None]
    hit = (instance[row, y, x] == OBJECT) & (batch.visibility != OUTSIDE)
    return torch.where(hit, BY_OBJECT, batch.visibility)


def _random_lights(rng: np.random.Generator, count: int, device: torch.device) -> Lights:
    """Sun or ceiling lamp and a fill light; together about as bright as an exposure meter would have it."""
    azimuth, elevation = rng.uniform(-np.pi, np.pi, (count, 2)), np.radians(rng.uniform(12, 88, (count, 2)))
    to_lamp = np.stack([np.sin(azimuth) * np.cos(elevation), np.sin(elevation), np.cos(azimuth) * np.cos(elevation)], -1)
    warmth = rng.normal(0, 0.12, (count, 2, 1)) * [1.0, 0.1, -1.0] + 1.0
    lamp = warmth * rng.uniform([[0.2], [0.0]], [[1.5], [0.5]], (count, 2, 1))
    sky = (1 + rng.normal(0, 0.08, (count, 3))) * rng.uniform(0.35, 1.0, (count, 1))
    ground = sky * rng.uniform(0.25, 0.8, (count, 1)) * (1 + rng.normal(0, 0.08, (count, 3)))
    level = 0.5 * (sky + ground).mean(-1) + 0.45 * lamp.mean(-1).sum(-1)
    gain = 0.8 * np.exp(rng.normal(0.0, 0.2, count)) / level
    shadow = rng.uniform(0.3, 1.0, count)

    def tensor(value: np.ndarray) -> Tensor:
        return torch.as_tensor(value.astype(np.float32)).to(device)

    return Lights(
        tensor(to_lamp),
        tensor(lamp * gain[:, None, None]),
        tensor(sky * gain[:, None]),
        tensor(ground * gain[:, None]),
        tensor(shadow),
    )


def _in_the_light_of(background: Tensor, layers: Layers, rng: np.random.Generator) -> Layers:
    """People take on some of the brightness and hue of what is behind them."""
    mean = background.mean((2, 3)).clamp(min=0.05)  # (B, 3)
    share = torch.as_tensor(rng.uniform(0.0, 0.5, (len(mean), 1)).astype(np.float32)).to(mean.device)
    gain = ((mean / 0.42) ** (0.6 * share)).clamp(0.45, 1.5)
    return replace(layers, rgb=(layers.rgb * gain[layers.image][..., None, None]).clamp(0, 1))


def _places(rng: np.random.Generator, views: Views, distance: np.ndarray, owner: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(L, 3) places on the floor inside, or just outside, each camera's picture, 0.45 m apart where that can be found."""
    K = views.K.numpy()
    half = 0.5 * size[1] / K[:, 0, 0]
    places = np.zeros((len(owner), 3))
    for i, b in enumerate(owner):
        others = places[:i][owner[:i] == b]
        for _ in range(12):
            z = rng.uniform(max(1.5, 0.45 * distance[b]), 1.7 * distance[b])
            places[i] = (rng.uniform(-1.05, 1.05) * half[b] * z, 0.0, distance[b] - z)
            if not len(others) or np.linalg.norm(others - places[i], axis=1).min() > 0.45:
                break
    return places


def _labelled_alone(composite: Composite, layers: Layers, K: Tensor, count: int, split: Split) -> Batch:
    """The first `count` layers are the labelled ones."""
    number = composite.number[:count].view(-1, 1, 1)
    seen = composite.instance
    instance = torch.where(seen == number, 1, torch.where(seen > 0, -2, seen))
    return Batch(
        composite.image,
        layers.points_px[:count, None],
        layers.points_m[:count, None],
        composite.visibility[:count, None],
        K,
        instance,
        composite.depth_m,
        split,
    )


def _labelled_all(composite: Composite, layers: Layers, K: Tensor, count: int, split: Split) -> Batch:
    """Rows nearest first, as the instance map numbers them."""
    row, J = depth_rank(layers) - 1, len(POINTS)

    def spread(values: Tensor, empty: float) -> Tensor:
        out = torch.full((count, MOST_PEOPLE, J, *values.shape[2:]), empty, dtype=values.dtype, device=values.device)
        out[layers.image, row] = values
        return out

    return Batch(
        composite.image,
        spread(layers.points_px, torch.nan),
        spread(layers.points_m, torch.nan),
        spread(composite.visibility, OUTSIDE),
        K,
        composite.instance,
        composite.depth_m,
        split,
    )
