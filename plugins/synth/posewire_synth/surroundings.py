"""What is behind people and before them: cut-outs of a bank of pictures, and plain or textured things in the foreground."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from posewire_synth import pictures, textures
from posewire_synth.pack import Pack

_HEIGHT_PX, _WIDTH_PX = 288, 448
_PROCEDURAL = {"train": 64, "test": 24}


class Surroundings:
    """A bank of background pictures on one device: those of the pack and procedural ones; train and test ones are apart."""

    def __init__(self, pack: Pack, split: str, device: torch.device, procedural: int | None = None) -> None:
        stored = pictures.unpacked(pack)
        held = int(pack["test_pictures"])
        mine = stored[len(stored) - held :] if split == "test" else stored[: len(stored) - held]
        rng = np.random.default_rng(11 if split == "train" else 12)
        count = _PROCEDURAL[split] if procedural is None else procedural
        made = [textures.background(rng, _WIDTH_PX, _HEIGHT_PX) for _ in range(count)]
        self._real = len(mine)
        bank = np.stack([*mine, *made])  # (N, H, W, 3)
        self._bank = torch.as_tensor(bank).permute(0, 3, 1, 2).contiguous().to(device)
        self._device = device

    def backgrounds(self, rng: np.random.Generator, count: int, size: tuple[int, int]) -> Tensor:
        """(count, 3, H, W) 0..1: real pictures two times of three where there are some; cut, mirrored, tinted."""
        real = rng.random(count) < (0.67 if self._real else 0.0)
        made = len(self._bank) - self._real
        low = np.where(real, 0, self._real)
        row = low + (rng.random(count) * np.where(real, self._real, made)).astype(np.int64)
        zoom = rng.uniform(0.35, 1.0, count)
        picture = self._cut(rng, row, zoom, size)
        hue, level = rng.uniform(0.88, 1.1, (count, 3, 1, 1)), rng.uniform(0.8, 1.15, (count, 1, 1, 1))
        tint = torch.as_tensor((hue * level).astype(np.float32)).to(self._device)
        detail = self._cut(rng, self._real + rng.integers(0, made, count), rng.uniform(0.6, 1.0, count), size)
        share = torch.as_tensor(
            (rng.uniform(0, 0.35, (count, 1, 1, 1)) * (rng.random((count, 1, 1, 1)) < 0.3)).astype(np.float32)
        )
        return torch.lerp(picture * tint, detail, share.to(self._device)).clamp(0, 1)

    def _cut(self, rng: np.random.Generator, row: np.ndarray, zoom: np.ndarray, size: tuple[int, int]) -> Tensor:
        """Windows (count, 3, H, W) of the pictures `row`; `zoom` of their height is seen."""
        count, (height, width) = len(row), size
        tall = zoom
        wide = tall * (width / height) * (_HEIGHT_PX / _WIDTH_PX)
        shrink = np.maximum(1.0, wide)
        tall, wide = tall / shrink, wide / shrink
        theta = np.zeros((count, 2, 3), dtype=np.float32)
        theta[:, 0, 0] = wide * np.where(rng.random(count) < 0.5, 1, -1)
        theta[:, 1, 1] = tall
        theta[:, 0, 2] = rng.uniform(-1, 1, count) * (1 - wide)
        theta[:, 1, 2] = rng.uniform(-1, 1, count) * (1 - tall)
        grid = torch.nn.functional.affine_grid(
            torch.as_tensor(theta).to(self._device), [count, 3, height, width], align_corners=False
        )
        chosen = self._bank[torch.as_tensor(row).to(self._device)].float() / 255.0
        return torch.nn.functional.grid_sample(chosen, grid, mode="bilinear", padding_mode="reflection", align_corners=False)

    def foreground(self, rng: np.random.Generator, count: int, size: tuple[int, int], share: float) -> tuple[Tensor, Tensor]:
        """Things before everybody in `share` of the pictures: rgb (count, 3, H, W) and alpha (count, H, W)."""
        height, width = size
        y, x = (torch.arange(n, device=self._device, dtype=torch.float32) for n in size)
        rgb = self.backgrounds(rng, count, size)
        alpha = torch.zeros(count, height, width, device=self._device)
        for _ in range(2):
            things = rng.random(count) < share * 0.7
            numbers = np.stack(
                [
                    rng.uniform(-0.1, 1.1, count) * width,
                    rng.uniform(0.05, 1.15, count) * height,
                    np.exp(rng.uniform(np.log(0.02), np.log(0.28), count)) * width,
                    np.exp(rng.uniform(np.log(0.03), np.log(0.45), count)) * height,
                    rng.normal(0, 0.35, count),
                    rng.random(count) < 0.4,
                ],
                1,
            )
            cx, cy, rx, ry, turn, round_ = (
                torch.as_tensor(numbers.astype(np.float32)).to(self._device)[:, :, None, None].unbind(1)
            )
            dx, dy = x[None, None] - cx, y[None, :, None] - cy
            u = (dx * turn.cos() + dy * turn.sin()) / rx
            v = (dy * turn.cos() - dx * turn.sin()) / ry
            distance = torch.where(round_ > 0, (u * u + v * v).sqrt(), torch.maximum(u.abs(), v.abs()))
            soft = ((1 - distance) * torch.minimum(rx, ry) + 0.5).clamp(0, 1)
            alpha = torch.maximum(alpha, soft * torch.as_tensor(things.astype(np.float32)).to(self._device)[:, None, None])
        plain = torch.as_tensor((rng.random((count, 1, 1, 1)) < 0.5).astype(np.float32)).to(self._device)
        colour = torch.as_tensor((rng.random((count, 3, 1, 1)) ** 1.5).astype(np.float32)).to(self._device)
        return torch.lerp(rgb, colour * (0.6 + 0.4 * rgb), plain), alpha
