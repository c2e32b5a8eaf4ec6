"""Maxima and read-out on the device: what is left of the maps is a few thousand numbers, however many people there are.

The same arithmetic as association.find_peaks and line_integrals, in torch, so that it travels inside the exported graph; Stage II
is trained on its answers. Matching stays on the host: it is short, and branches.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from posewire_xnect.association import CANDIDATES, MOST, ON_THE_WAY, PEAK, SAMPLES
from posewire_xnect.skeleton import LINKS, J
from posewire_xnect.stage_one import Maps, StageOne


class Reading(NamedTuple):
    """What leaves the device; B pictures, J joints, K candidates a joint, A links."""

    peaks: Tensor
    """(B, J, K, 3) x, y in cells and confidence; all zero where there is no candidate."""
    integrals: Tensor
    """(B, A, K, K) of the line from each candidate of a link's first joint to each of its second."""
    encodings: Tensor
    """(B, J, K, 3 J) at each candidate."""


class ReadOut(nn.Module):
    """Maps to a Reading.

    Args:
        candidates: K.
        finer: How many of the heatmaps' cells lie side by side in one of the fields'; peaks are said in the fields' cells.
    """

    def __init__(self, candidates: int = CANDIDATES, finer: int = 1) -> None:
        super().__init__()
        self.candidates, self.finer = candidates, finer

    def forward(self, heatmaps: Tensor, fields: Tensor, encodings: Tensor) -> Reading:
        peaks, integrals, cell = self.find(heatmaps, fields)
        flat = encodings.flatten(2).transpose(1, 2)  # (B, h w, 3 J)
        index = cell.flatten(1)[..., None].expand(-1, -1, 3 * J)
        read = flat.gather(1, index).unflatten(1, (J, self.candidates)) * (peaks[..., 2:] > 0).float()
        return Reading(peaks, integrals, read)

    def find(self, heatmaps: Tensor, fields: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Peaks and integrals of a Reading, and (B, J, K) the number of each peak's cell, row by row."""
        peaks, cell = self._peaks(heatmaps)
        there = peaks[..., 2] > 0
        first, second = ([link[end] for link in LINKS] for end in (0, 1))
        allowed = (there[:, first, :, None] & there[:, second, None]).float()
        return peaks, line_integrals(fields, peaks[:, first, :, :2], peaks[:, second, :, :2]) * allowed, cell

    def _peaks(self, heatmaps: Tensor) -> tuple[Tensor, Tensor]:
        """(B, J, K, 3), and (B, J, K) number of the fields' cell."""
        width = heatmaps.shape[3]
        highest = nn.functional.max_pool2d(heatmaps, 3, 1, 1)
        is_peak = (heatmaps >= highest) & (heatmaps > PEAK)
        scores, cell = torch.where(is_peak, heatmaps, 0.0).flatten(2).topk(self.candidates, dim=2)
        padded = nn.functional.pad(heatmaps, (1, 1, 1, 1), mode="reflect").flatten(2)
        y = cell // width
        x = cell - y * width  # the exporter knows no remainder by a width that is free
        centre = (y + 1) * (width + 2) + x + 1
        middle = padded.gather(2, centre)
        dx = between(padded.gather(2, centre - 1), middle, padded.gather(2, centre + 1))
        dy = between(padded.gather(2, centre - width - 2), middle, padded.gather(2, centre + width + 2))
        there = (scores > 0).float()
        at_x, at_y = ((at + 0.5) / self.finer - 0.5 for at in (x + dx, y + dy))
        peaks = torch.stack([at_x * there, at_y * there, scores], dim=-1)
        return peaks, (y // self.finer) * (width // self.finer) + x // self.finer


def between(before: Tensor, here: Tensor, after: Tensor) -> Tensor:
    """Where the top lies: association.between."""
    low, mid, high = (value.clamp_min(1e-3).log() for value in (before, here, after))
    return (0.5 * (high - low) / (2 * mid - low - high).clamp_min(0.1)).clamp(-0.49, 0.49)


def line_integrals(fields: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """(B, A, K, K) as association.line_integrals.

    Args:
        fields: (B, A, 2, h, w).
        first, second: (B, A, K, 2) candidates of the links' two ends, cells.
    """
    height, width = fields.shape[3:]
    steps = torch.linspace(0.0, 1.0, SAMPLES, device=fields.device)[:, None, None]
    way_x, way_y = (second[:, :, None, None, :, axis] - first[:, :, None, :, None, axis] for axis in (0, 1))  # (B, A, 1, K, K)
    columns, rows = (_on_the_line(first[..., axis], second[..., axis], steps) for axis in (0, 1))
    cell = rows.clamp(0, height - 1) * width + columns.clamp(0, width - 1)
    index = cell.long().flatten(2)[:, :, None].expand(-1, -1, 2, -1)
    along = fields.flatten(3).gather(3, index).unflatten(3, cell.shape[2:])  # (B, A, 2, S, K, K)
    length = (way_x * way_x + way_y * way_y).sqrt().clamp_min(1e-6)
    follows = (along[:, :, 0] * way_x + along[:, :, 1] * way_y) / length
    enough = (follows > ON_THE_WAY).float().mean(2) >= MOST - 1e-6
    return follows.mean(2) * enough.float()


def _on_the_line(first: Tensor, second: Tensor, steps: Tensor) -> Tensor:
    """(B, A, S, K, K) whole cells from each first (B, A, K), rounded, to each second; short innermost axes would be slow."""
    start = first.round()[:, :, None, :, None]
    return (start + (second.round()[:, :, None, None] - start) * steps).round()


class LiveStageOne(nn.Module):
    """Picture to Reading: what is exported."""

    def __init__(self, stage_one: StageOne, candidates: int = CANDIDATES) -> None:
        super().__init__()
        self.stage_one, self.read_out = stage_one, ReadOut(candidates)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        maps: Maps = self.stage_one(image)
        return tuple(self.read_out(maps.heatmaps, maps.fields, maps.encodings))
