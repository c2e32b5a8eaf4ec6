"""`python -m posewire_vae_lifter.hypotheses --motion FILE.npz --run FOLDER...`: learns which twenty hypotheses a lifter gives.

The networks and their heads (spread.py) stay as they are. What is learned is the noise that the live half gives them
(posewire_lifting.hypotheses): ten pairs, by the same loss as the heads, for all of the runs at once. Prints the table.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.optim import Adam
from torch.optim.lr_scheduler import CosineAnnealingLR

from posewire.data import FloatArray
from posewire_data.motion import MotionSet, load
from posewire_training.command import command
from posewire_training.samples import CLEAN, THIRTY_PERCENT_THROUGHOUT, Sampler
from posewire_training.task import descend
from posewire_vae_lifter.latent import open_vae
from posewire_vae_lifter.live import DIRECTIONS, LiveVae
from posewire_vae_lifter.spread import HYPOTHESES, Misses, choice_loss, errors_of, misses_of, moves_of
from posewire_vae_lifter.train import VALIDATION_SUBJECTS

PAIRS = HYPOTHESES // 2
ASKED_FOR = 8
"""By the host, for a joint's confidence: posewire.lift."""
_SAMPLES = 6000
_BATCH = 96
_ORDERED_BY = 300


@dataclass(frozen=True, slots=True, eq=False)
class Judges:
    """A network and what its mode gets wrong."""

    live: LiveVae
    complete: Misses
    hidden: Misses
    """30 % of the joints."""


def judges_of(folder: Path, motion: MotionSet) -> Judges:
    """The network of a run.

    Raises:
        ModelError: the run has no learned spread.
    """
    live, frames = open_vae(folder)
    complete = Sampler(motion, frames).draw(np.random.default_rng(77), _SAMPLES)
    hidden = Sampler(motion, frames, CLEAN, THIRTY_PERCENT_THROUGHOUT).draw(np.random.default_rng(78), _ORDERED_BY)
    return Judges(live.requires_grad_(False), misses_of(live, complete), misses_of(live, hidden))


def learned(judges: Sequence[Judges], descents: int = 600, seed: int = 0) -> FloatArray:
    """(PAIRS, D) one of each pair, in order: begins with normal numbers and learns from each of the networks in turn."""
    torch.manual_seed(seed)
    half = torch.from_numpy(np.random.default_rng(seed).standard_normal((PAIRS, DIRECTIONS))).float().requires_grad_()
    optimizer = Adam([half], 0.06)
    schedule = CosineAnnealingLR(optimizer, descents, 0.002)
    for descent in range(descents):
        one = judges[descent % len(judges)]
        rows = torch.randint(len(one.complete.errors), (_BATCH,))
        with torch.autocast("cpu", torch.bfloat16):
            moved = moves_of(one.live, one.complete, rows, _paired(half, len(rows)))
        descend(optimizer, choice_loss(moved.float(), errors_of(one.live, one.complete, rows)), 1.0)
        schedule.step()
    found = half.detach()
    return found[in_order(judges, found)].double().numpy()


def in_order(judges: Sequence[Judges], half: Tensor) -> list[int]:
    """Pairs (PAIRS, D), first those that the host asks for: whose spread is most like that of all, joint by joint."""
    squares_m2 = torch.cat([_squares_m2(one, half) for one in judges])  # (N, PAIRS)
    spread = squares_m2.mean(dim=1).log()

    def unlike(few: tuple[int, ...]) -> float:
        return float((squares_m2[:, list(few)].mean(dim=1).log() - spread).abs().mean())

    first = min(combinations(range(PAIRS), ASKED_FOR // 2), key=unlike)
    return [*first, *(pair for pair in range(PAIRS) if pair not in first)]


def _squares_m2(judges: Judges, half: Tensor) -> Tensor:
    """(N, PAIRS) of every joint of every sample: how far each pair lies from the mode, squared."""
    with torch.no_grad():
        parts: list[Tensor] = []
        for misses in (judges.complete, judges.hidden):
            rows = torch.arange(min(_ORDERED_BY, len(misses.errors)))
            moved = moves_of(judges.live, misses, rows, _paired(half, len(rows)))  # (B, S, 16, 3)
            parts.append(moved.square().sum(dim=-1).unflatten(1, (-1, 2)).mean(dim=2).transpose(1, 2).flatten(0, 1))
        return torch.cat(parts)


def _paired(half: Tensor, rows: int) -> Tensor:
    """(rows, 2 PAIRS, D)"""
    return torch.stack([half, -half], dim=1).flatten(0, 1).expand(rows, -1, -1)


@command
def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m posewire_vae_lifter.hypotheses", description=__doc__)
    parser.add_argument("--motion", type=Path, required=True, metavar="FILE.npz", help="made by python -m posewire_data.pack")
    parser.add_argument("--run", type=Path, required=True, nargs="+", metavar="FOLDER", help="where spread.py left live.pt")
    parser.add_argument("--descents", type=int, default=600, help="steps of learning")
    flags = parser.parse_args(arguments)
    training, _ = load(flags.motion, "train").divided(VALIDATION_SUBJECTS)
    half = learned([judges_of(folder, training) for folder in flags.run], flags.descents)
    print(",\n".join(str(np.round(row, 2).tolist()) for row in half))


if __name__ == "__main__":
    sys.exit(main())
