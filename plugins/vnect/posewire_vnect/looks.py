"""Crops seen through a new view and a new lens every time: no two looks at a person are alike."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from posewire_synth.degrade import blurred, recoloured
from posewire_vnect.shots import Shots
from posewire_vnect.truth import Truth, of_shots, random_views, seen_again

_TILT_DEG, _LYING = 20.0, 0.15
"""Standard deviation of a view's turn, and share of those turned by any angle: sports turn people further than walking does."""
_BLURRED = 0.3
"""Share of the batches that are blurred."""
_SMALL, _SMALL_SIDES_PX = 0.15, (80, 200)
"""Share of the views that are taken from fewer pixels, and from how many to how many."""


def next_of(shots: Shots, number: int, size: int, seed: int) -> Shots:
    """Batch `number` of `size` crops of an endless row of shuffles."""
    rounds, places = np.divmod(np.arange(number * size, (number + 1) * size), len(shots))
    orders = {turn: np.random.default_rng([seed, 9, turn]).permutation(len(shots)) for turn in np.unique(rounds).tolist()}
    chosen = [orders[turn][place] for turn, place in zip(rounds.tolist(), places.tolist(), strict=True)]
    return shots.rows(torch.as_tensor(np.asarray(chosen)))


def seen(rng: np.random.Generator, shots: Shots) -> tuple[Tensor, Truth]:
    """Crops (B, 3, S, S) through new views and lenses, and what there is to say of them, on the device where they are."""
    A = random_views(rng, shots, tilt_deg=_TILT_DEG, lying=_LYING).to(shots.image.device)
    image = seen_again(shots.image.float() / 255, A).clamp(0, 1)
    image = _from_fewer_pixels(rng, blurred(image, rng) if rng.random() < _BLURRED else image)
    return recoloured(image, rng), of_shots(shots, A)


def _from_fewer_pixels(rng: np.random.Generator, image: Tensor) -> Tensor:
    """Some of the pictures as if their person were small in the frame."""
    rows = torch.as_tensor(np.flatnonzero(rng.random(len(image)) < _SMALL)).to(image.device)
    if not len(rows):
        return image
    side = int(rng.integers(*_SMALL_SIDES_PX))
    small = nn.functional.interpolate(image[rows], size=(side, side), mode="area")
    return image.index_copy(0, rows, nn.functional.interpolate(small, size=image.shape[2:], mode="bilinear"))
