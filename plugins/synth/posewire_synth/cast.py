"""Who is in the pictures: bodies, poses and clothes drawn from a pack; training and test people never meet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import torch
from torch import Tensor

from posewire_synth import poses
from posewire_synth.layers import Painter
from posewire_synth.pack import Pack, unit_quaternions
from posewire_synth.skinning import Posed
from posewire_synth.wardrobe import random_wardrobe

Split: TypeAlias = Literal["train", "test"]

_SHARES = {"train": (0.62, 0.20, 0.18), "test": (1.0, 0.0, 0.0)}
"""Of CMU poses, of upper bodies on other legs, of random ones. The test set moves as CMU subject 13 did, nothing else."""
_EVEN = 0.7
"""Share of CMU poses drawn by rarity, so that walking does not drown the rest; the others as they come."""
_JITTER_RAD = 0.06


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """L posed, dressed people, not yet placed: pelvis over the origin, lowest point at y = 0."""

    posed: Posed
    trim: Tensor
    dress: dict[str, Tensor]

    def moved(self, shift_m: Tensor, turn_rad: Tensor) -> People:
        """Turned about the vertical, then moved; (L, 3) and (L,)."""
        c, s, zero, one = turn_rad.cos(), turn_rad.sin(), torch.zeros_like(turn_rad), torch.ones_like(turn_rad)
        R = torch.stack([c, zero, s, zero, one, zero, -s, zero, c], -1).unflatten(-1, (3, 3)).transpose(1, 2)
        p = self.posed
        moved = Posed(p.vertices_m @ R + shift_m[:, None], p.normals @ R, p.points_m @ R + shift_m[:, None])
        return People(moved, self.trim, self.dress)


class Cast:
    """Draws people of one split."""

    def __init__(self, pack: Pack, split: Split, painter: Painter) -> None:
        self._painter, self._split = painter, split
        held = int(pack["test_people"])
        rows = slice(-held, None) if split == "test" else slice(None, -held)
        self._shapes = pack["people"][rows].astype(np.float32)
        self._male, self._years = (pack[name][rows].astype(np.float64) for name in ("male", "years"))
        self._poses = [unit_quaternions(pack[f"{kind}_{split}"]) for kind in ("poses", "mixed", "random")]
        self._rarity = np.cumsum(pack[f"rarity_{split}"].astype(np.float64))

    def draw(self, rng: np.random.Generator, count: int) -> People:
        """`count` people, each with a body, a pose and clothes of its own; half of them mirrored."""
        painter = self._painter
        shape, male, years = self._bodies(rng, count)
        wardrobe = random_wardrobe(rng, male, years, painter.heights_m, painter.pattern_count, painter.noise_fields)
        dress = painter.dress(wardrobe)
        local = self._some_poses(rng, count)
        curl = rng.beta(1.2, 1.5, (count, 2)).astype(np.float32) * 1.4
        posed, trim = painter.pose(self._tensor(shape), self._tensor(local), self._tensor(curl), dress)
        drawn = trim[..., None] > 0
        lowest = torch.where(drawn[..., 0], posed.vertices_m[..., 1], torch.inf).amin(1)
        pelvis = posed.points_m[:, 0]
        people = People(posed, trim, dress)
        return people.moved(-torch.stack([pelvis[:, 0], lowest, pelvis[:, 2]], -1), torch.zeros_like(lowest))

    def _tensor(self, array: np.ndarray) -> Tensor:
        return torch.as_tensor(array).to(self._painter.device)

    def _bodies(self, rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Shape coefficients, maleness, years: between two sampled people of the same sex and similar age."""
        first = rng.integers(len(self._shapes), size=count)
        distance = np.abs(self._male[first, None] - self._male) * 100 + np.abs(self._years[first, None] - self._years)
        near = np.argsort(distance + rng.uniform(0, 8, distance.shape), axis=1)[:, : max(2, len(self._shapes) // 20)]
        second = near[np.arange(count), rng.integers(near.shape[1], size=count)]
        share = rng.uniform(0, 1, (count, 1)).astype(np.float32)
        return self._shapes[first] * share + self._shapes[second] * (1 - share), self._male[first], self._years[first]

    def _some_poses(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """(count, D, 4) local rotations."""
        kind = rng.choice(3, count, p=_SHARES[self._split])
        local = np.empty((count, len(poses.DRIVEN), 4), dtype=np.float32)
        for k, stored in enumerate(self._poses):
            rows = np.flatnonzero(kind == k)
            chosen = rng.integers(len(stored), size=len(rows))
            if k == 0:
                even = np.searchsorted(self._rarity, rng.random(len(rows)) * self._rarity[-1]).clip(max=len(stored) - 1)
                chosen = np.where(rng.random(len(rows)) < _EVEN, even, chosen)
            local[rows] = stored[chosen]
        mirrored = rng.random(count) < 0.5
        local[mirrored] = mirror(local[mirrored])
        if self._split == "train":
            local[:, 1:] += rng.normal(0, _JITTER_RAD / 2, local[:, 1:].shape).astype(np.float32)
        return local / np.linalg.norm(local, axis=-1, keepdims=True)


_OTHER = [
    poses.DRIVEN.index(name.replace("left_", "right_") if name.startswith("left_") else name.replace("right_", "left_"))
    for name in poses.DRIVEN
]


def mirror(local_wxyz: np.ndarray) -> np.ndarray:
    """The pose (..., D, 4) seen in the mirror x -> -x: sides change, rotations about y and z change their sign."""
    return local_wxyz[..., _OTHER, :] * np.array([1, 1, -1, -1], dtype=local_wxyz.dtype)
