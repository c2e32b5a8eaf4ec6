"""Training Stage II: each batch has people whom Stage I found, and people made after their likeness."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from posewire_data.joints import MIRROR
from posewire_training.settings import TrainSettings
from posewire_training.task import Scores, descend
from posewire_xnect.likeness import Found, Maker
from posewire_xnect.rows import without
from posewire_xnect.skeleton import NECK, J, Scheme
from posewire_xnect.stage_two import Inputs, StageTwo, loss
from posewire_xnect.targets import BoolArray, FloatArray

_MIRROR = list(MIRROR)


@dataclass(frozen=True, slots=True)
class StageTwoRun(TrainSettings):
    """A run of Stage II."""

    steps: int = 6000
    batch: int = 512
    learning_rate: float = 1e-3
    warm_up_steps: int = 100
    weight_decay: float = 1e-6
    average: float = 0.995
    bf16: bool = True
    validate_every: int = 500
    scheme: Scheme = "sparse"
    inputs: Inputs = "all"
    made: float = 0.6
    """Share of the people who are made."""
    filmed: float = 0.3
    """Share of the others who are found in films, where there are some."""
    drop: float = 0.06
    """Chance of a found joint to be dropped, besides what was not found,"""
    neckless: float = 0.05
    """and of the neck besides: in a group one in ten of those who show five joints hides it."""
    blind: float = 0.15
    """Share of the people of whom no encoding is told: Stage II shall not lean on them alone."""
    roll_rad: float = 0.2
    """Deviation of how far the picture is rolled: what is seen and said turns with it, so that few people stand for many."""
    real: float = 1 / 3
    """Share of those made whose points are like a real clip's (likeness.py)."""

    SHARES: ClassVar[tuple[str, ...]] = ("made", "filmed", "drop", "neckless", "blind", "real")


class StageTwoTask:
    """Stage II on rows.

    Args:
        settings: Of the run.
        net: Stage II.
        found: In training pictures.
        maker: Of people like them.
        held: People in pictures that are kept apart, to choose by.
        films: Found in labelled frames of films.
    """

    def __init__(
        self, settings: StageTwoRun, net: StageTwo, found: Found, maker: Maker, held: Found, films: Found | None = None
    ) -> None:
        self.settings, self.net, self.maker, self.held = settings, net.to(settings.device), maker, held
        self.rows, self.joints_m = found.rows, found.joints_m
        self._films = None if films is None else (films.rows, films.joints_m)
        if not net.mean.any():  # weights that it begins from have measured their own rows
            net.fit(self._laid(np.concatenate([self.rows, maker.draw(np.random.default_rng(settings.seed), 2000)[0]])))
        self.modules: Mapping[str, nn.Module] = {"net": net}
        adam = Adam(net.parameters(), settings.learning_rate, weight_decay=settings.weight_decay)
        self.optimizers: Mapping[str, Optimizer] = {"net": adam}

    def step(self, number: int, progress: float) -> Scores:
        rng = np.random.default_rng([self.settings.seed, number])
        made = round(self.settings.made * self.settings.batch)
        filmed = round(self.settings.filmed * (self.settings.batch - made)) if self._films else 0
        found = rng.integers(0, len(self.rows), self.settings.batch - made - filmed)
        parts = [(self.rows[found], self.joints_m[found])]
        if made:
            parts.append(self.maker.draw(rng, made))
        if self._films:
            frames = rng.integers(0, len(self._films[0]), filmed)
            parts.append((self._films[0][frames], self._films[1][frames]))
        rows, joints_m = (np.concatenate(values) for values in zip(*parts, strict=True))
        rows, joints_m = mirrored(rows, joints_m, rng.random(len(rows)) < 0.5)
        rows, joints_m = rolled(rows, joints_m, self.settings.roll_rad * rng.standard_normal(len(rows)))
        lost = rng.random(rows.shape[:2]) < self.settings.drop
        lost[:, NECK] |= rng.random(len(rows)) < self.settings.neckless
        rows = without(rows, lost)
        rows[rng.random(len(rows)) < self.settings.blind, :, 3:] = 0.0
        error = loss(self._said(rows), self._laid(joints_m), self.net.settings)
        descend(self.optimizers["net"], 100.0 * error, self.settings.largest_gradient)
        return {"error": float(error.detach())}

    def _laid(self, values: FloatArray) -> Tensor:
        """On the device that learns, float32."""
        return torch.from_numpy(values).float().to(self.settings.device)

    def _said(self, rows: FloatArray) -> Tensor:
        with torch.autocast(self.settings.device, torch.bfloat16, enabled=self.settings.bf16):
            return self.net(self._laid(rows)).float()

    def validate(self) -> Scores:
        off_m = (self._said(self.held.rows) - self._laid(self.held.joints_m)).norm(dim=-1)
        return {"validation_mpjpe_mm": 1e3 * float(off_m.nanmean()), "validation_pck150": float((off_m < 0.15).float().mean())}


def mirrored(rows: FloatArray, joints_m: FloatArray, which: BoolArray) -> tuple[FloatArray, FloatArray]:
    """Copies in which some people (N,) are seen in the mirror: sides change places, x changes sign."""
    rows, joints_m = rows.copy(), joints_m.copy()
    told = rows[which].reshape(-1, J, 3 + 3 * J)[:, _MIRROR]
    bones = told[..., 3:].reshape(-1, J, J, 3)[:, :, _MIRROR] * np.array([-1.0, 1.0, 1.0])
    point = told[..., :3] * np.array([-1.0, 1.0, 1.0])
    rows[which] = np.concatenate([point, bones.reshape(-1, J, 3 * J)], axis=-1)
    joints_m[which] = joints_m[which][:, _MIRROR] * np.array([-1.0, 1.0, 1.0])
    return rows, joints_m


def rolled(rows: FloatArray, joints_m: FloatArray, angle_rad: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Copies as a camera rolled about its axis sees them, each person (N,) by another angle."""
    cos, sin, zero, one = np.cos(angle_rad), np.sin(angle_rad), np.zeros(len(rows)), np.ones(len(rows))
    R = np.stack([cos, -sin, zero, sin, cos, zero, zero, zero, one], axis=1).reshape(-1, 1, 3, 3).astype(rows.dtype)
    told = rows.reshape(len(rows), J, 1 + J, 3)  # a point and its confidence, and J bones
    turned = np.einsum("njib,njab->njai", np.broadcast_to(R, (len(rows), J, 3, 3)), told)
    return turned.reshape(rows.shape), np.einsum("nib,njb->nji", R[:, 0], joints_m)
